"""What every dataset must be, whatever it came from: each rule one clear error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.labels import as_array, checked_groups, numbered, some
from sweep.datasets.scaling import check_same_scale, doubtful_scale
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sweep.datasets.dataset import Dataset

_MAX_CHANNELS = 4
_WITH_CHANNELS = 4
_LARGEST_PIXEL = 1e18
"""Its square is still a float32, which models and scalings calculate in."""


def checked(dataset: Dataset) -> Dataset:
    """Check what a source read and bring it into one form.

    Parameters
    ----------
    dataset : Dataset
        Anything array-like in its fields; no ``class_names`` means that labels are names.
        Labels may be text.

    Returns
    -------
    Dataset
        Pixels in native byte order (``bool`` as ``uint8``), labels ``int64`` of shape (n,).

    Raises
    ------
    DataError
        For each rule that the data breaks, naming the array.
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
    """Refuse arrays that by shape and type alone cannot be rows of images and their labels."""
    for place, x in ((f"{where}: x_train", x_train), (f"{where}: x_test", x_test)):
        _check_type(place, x)
        _check_shape(place, x)
    for part, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        if y.ndim:
            _check_same_length(where, part, x, y)
    _check_same_shape(where, x_train, x_test)


def check_classes(dataset: Dataset, remedy: str) -> None:
    """Refuse fewer than two training classes, and test labels that training never shows."""
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
    """Refuse a value that is none of the allowed words."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise DataError(f"{key}: must be one of {', '.join(allowed)}, got {value!r}")


def _pixels(place: str, values: object) -> NDArray[Any]:
    """Real, finite numbers in one of the three shapes."""
    x = as_array(place, values)
    _check_type(place, x)
    _check_shape(place, x)
    if not _finite(x):
        raise DataError(f"{place} must be finite, got NaN or inf; remove or replace those pixels")
    if x.dtype.kind != "b" and (most := max(abs(float(x.min())), float(x.max()))) > _LARGEST_PIXEL:
        raise DataError(
            f"{place} must lie within {_LARGEST_PIXEL:g}, got {most:g}; remove or replace those "
            "pixels, or scale them down"
        )
    return x.astype(np.uint8) if x.dtype.kind == "b" else x


def _check_type(place: str, x: NDArray[Any]) -> None:
    if x.dtype.kind not in "biuf":
        raise DataError(f"{place} must hold real numbers, got dtype {x.dtype}")


def _check_shape(place: str, x: NDArray[Any]) -> None:
    """Refuse what is neither flat rows nor images with channels last, and what is empty."""
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
    """Refuse labels that are not one a row."""
    if len(x) != len(y):
        raise DataError(
            f"{where}: x_{part} and y_{part} must have as many rows, got {len(x)} and {len(y)}"
        )


def _check_same_shape(where: str, x_train: NDArray[Any], x_test: NDArray[Any]) -> None:
    """Refuse test rows of another shape than the training rows."""
    if x_train.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: training and test rows must have one shape, got {x_train.shape[1:]} and "
            f"{x_test.shape[1:]}"
        )


def _finite(x: NDArray[Any]) -> bool:
    """Whether there is no NaN or inf, without an array of flags as large as the data."""
    if x.dtype.kind != "f":
        return True
    with np.errstate(invalid="ignore"):
        return bool(np.isfinite(x.min()) and np.isfinite(x.max()))
