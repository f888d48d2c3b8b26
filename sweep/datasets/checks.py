"""Rules for every dataset, whatever its source; each broken rule gives one clear error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.labels import as_array, check_frame, checked_groups, numbered, some
from sweep.datasets.mapped_rows import MappedRows
from sweep.datasets.scaling import check_same_scale, doubtful_scale
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sweep.datasets.dataset import Dataset

_MAX_CHANNELS = 4
_WITH_CHANNELS = 4
_LARGEST_PIXEL = 1e18
"""The square of this still fits into a float32, the type of models and scalings."""


def checked(dataset: Dataset) -> Dataset:
    """Check a dataset and convert its arrays to one form.

    Parameters
    ----------
    dataset : Dataset
        With array-likes in its fields. Labels may be text; without ``class_names`` the labels are
        the names.

    Returns
    -------
    Dataset
        Pixels in native byte order (``bool`` as ``uint8``), labels ``int64`` of shape (n,).

    Raises
    ------
    DataError
        If the data breaks a rule; the message names the array.
    """
    where = dataset.name
    x_train = _pixels(f"{where}: x_train", dataset.x_train)
    x_test = _pixels(f"{where}: x_test", dataset.x_test)
    y_train, y_test, names = numbered(where, dataset.y_train, dataset.y_test, dataset.class_names)
    _check_same_length(where, "train", x_train, y_train)
    _check_same_length(where, "test", x_test, y_test)
    _check_same_shape(where, x_train, x_test)
    check_same_scale(where, x_train, x_test)
    result = replace(
        dataset,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=names,
        groups=checked_groups(where, dataset.groups, len(x_train)),
        notes=(*dataset.notes, *filter(None, [doubtful_scale(x_train, x_test)])),
    )
    check_classes(result, "mend the file")
    return result


def check_shapes(where: str, x_train: Any, y_train: Any, x_test: Any, y_test: Any) -> None:
    """Refuse arrays whose shapes and types alone show that they are not images with labels."""
    for place, x in ((f"{where}: x_train", x_train), (f"{where}: x_test", x_test)):
        _check_type(place, x)
        _check_shape(place, x)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if y.ndim:
            _check_same_length(where, part, x, y)
    _check_same_shape(where, x_train, x_test)


def check_classes(dataset: Dataset, remedy: str) -> None:
    """Refuse fewer than two training classes, and test labels without training rows."""
    if len(dataset.classes) < 2:
        raise DataError(
            f"{dataset.name}: training needs at least two classes, got only "
            f"{', '.join(dataset.class_names)}; {remedy}"
        )
    unknown = sorted(set(np.unique(dataset.y_test).tolist()) - set(dataset.classes))
    if unknown:
        raise DataError(
            f"{dataset.name}: every test label must occur in training, got {some(unknown)} in "
            f"y_test only; {remedy}"
        )


def check_choice(key: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse a value that is not one of the allowed ones."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise DataError(f"{key}: must be one of {', '.join(allowed)}, got {value!r}")


def _pixels(place: str, values: object) -> NDArray[Any]:
    """Return pixels as an array; refuse other types and shapes, and numbers that are not finite."""
    check_frame(place, values)
    x: Any = values if isinstance(values, MappedRows) else as_array(place, values)
    _check_type(place, x)
    _check_shape(place, x)
    if not _finite(x):
        raise DataError(f"{place} must be finite, got NaN or inf; remove or replace those pixels")
    if x.dtype.kind != "b" and (most := max(abs(float(x.min())), float(x.max()))) > _LARGEST_PIXEL:
        raise DataError(
            f"{place} must lie within {_LARGEST_PIXEL:g}, got {most:g}; remove or replace those "
            "pixels, or scale them down"
        )
    found: NDArray[Any] = x.astype(np.uint8) if x.dtype.kind == "b" else x
    return found


def _check_type(place: str, x: NDArray[Any]) -> None:
    if x.dtype.kind not in "biuf":
        raise DataError(f"{place} must hold real numbers, got dtype {x.dtype}")


def _check_shape(place: str, x: NDArray[Any]) -> None:
    """Refuse empty arrays, and shapes other than flat rows or images with channels last."""
    if x.ndim not in (2, 3, _WITH_CHANNELS):
        raise DataError(
            f"{place} must have the shape (n, features), (n, h, w) or (n, h, w, c), got {x.shape}"
        )
    if x.size == 0:
        raise DataError(f"{place} must have at least one row and one pixel, got shape {x.shape}")
    if x.ndim == _WITH_CHANNELS and x.shape[-1] > _MAX_CHANNELS:
        raise DataError(
            f"{place} must have 1 to {_MAX_CHANNELS} channels in its last axis, got shape "
            f"{x.shape}; move the channels last"
        )


def _check_same_length(where: str, part: str, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Refuse another number of labels than rows."""
    if len(x) != len(y):
        raise DataError(
            f"{where}: x_{part} and y_{part} must have as many rows, got {len(x)} and {len(y)}"
        )


def _check_same_shape(where: str, x_train: NDArray[Any], x_test: NDArray[Any]) -> None:
    """Refuse test rows whose shape differs from that of the training rows."""
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: training and test rows must have one shape, got {x_train.shape[1:]} and "
            f"{x_test.shape[1:]}"
        )


def _finite(x: NDArray[Any]) -> bool:
    """Return whether there is no NaN or inf, without a mask as large as the data."""
    if x.dtype.kind != "f":
        return True
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(x.min()) and np.isfinite(x.max()))
