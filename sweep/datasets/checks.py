"""What every dataset must be, whatever it came from: each rule one clear error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from sweep.datasets.dataset import Dataset

_MAX_CHANNELS = 4
_WITH_CHANNELS = 4
_EXACT = 2.0**53
_LARGEST_PIXEL = 1e18
"""Its square is still a float32, which models and scalings calculate in."""


def checked(dataset: Dataset) -> Dataset:
    """Check what a source read and bring it into one form.

    Parameters
    ----------
    dataset : Dataset
        Anything array-like in its fields; no ``class_names`` means that labels are names.

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
    x_train, y_train = _part(where, "train", dataset.x_train, dataset.y_train)
    x_test, y_test = _part(where, "test", dataset.x_test, dataset.y_test)
    _check_same_shape(where, x_train, x_test)
    labels = np.unique(y_train).tolist()
    result = replace(
        dataset,
        x_train=x_train,
        y_train=y_train,
        x_test=x_test,
        y_test=y_test,
        class_names=_class_names(where, dataset.class_names, labels),
        groups=_groups(where, dataset.groups, len(x_train)),
    )
    check_classes(result, "mend the file")
    return result


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
            f"{dataset.name}: every test label must occur in training, got {_some(unknown)} in "
            f"y_test only; {remedy}"
        )


def check_choice(key: str, value: object, allowed: Iterable[str]) -> None:
    """Refuse a value that is none of the allowed words."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise DataError(f"{key}: must be one of {', '.join(allowed)}, got {value!r}")


def _part(where: str, part: str, x: object, y: object) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pixels and labels of the training or of the test rows."""
    pixels = _pixels(f"{where}: x_{part}", x)
    labels = _labels(f"{where}: y_{part}", y)
    if len(pixels) != len(labels):
        raise DataError(
            f"{where}: x_{part} and y_{part} must have as many rows, got {len(pixels)} and "
            f"{len(labels)}"
        )
    return pixels, labels


def _array(place: str, values: object) -> NDArray[Any]:
    """Make an array in native byte order."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place} must be an array, got rows of unlike shapes") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _pixels(place: str, values: object) -> NDArray[Any]:
    """Real, finite numbers in one of the three shapes."""
    x = _array(place, values)
    if x.dtype.kind not in "biuf":
        raise DataError(f"{place} must hold real numbers, got dtype {x.dtype}")
    _check_shape(place, x)
    if not _finite(x):
        raise DataError(f"{place} must be finite, got NaN or inf; remove or replace those pixels")
    if x.dtype.kind != "b" and (most := max(abs(float(x.min())), float(x.max()))) > _LARGEST_PIXEL:
        raise DataError(
            f"{place} must lie within {_LARGEST_PIXEL:g}, got {most:g}; remove or replace those "
            "pixels, or scale them down"
        )
    return x.astype(np.uint8) if x.dtype.kind == "b" else x


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


def _labels(place: str, values: object) -> NDArray[Any]:
    """Whole numbers, one a row; a single column, as Keras has it, is flattened."""
    y = _array(place, values)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{place} must have the shape (n,) or (n, 1), got {y.shape}; "
            f"make one-hot labels numbers with argmax(axis=1)"
        )
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{place} must be whole numbers, got dtype {y.dtype}; "
            f"number the classes and put their names into class_names"
        )
    if y.dtype.kind == "f":
        _check_whole(place, y)
    return y.astype(np.int64)


def _check_whole(place: str, y: NDArray[Any]) -> None:
    """Refuse floating-point labels that are no whole numbers."""
    with np.errstate(over="ignore"):  # half precision takes the bound for inf
        wrong = y[~(np.isfinite(y) & (np.abs(y) < _EXACT) & (np.floor(y) == y))]
    if len(wrong):
        raise DataError(
            f"{place} must be whole numbers, got {_some(wrong.tolist())}; "
            f"only classification is supported"
        )


def _class_names(where: str, names: object, labels: list[int]) -> tuple[str, ...]:
    """One distinct name a class; the labels themselves where there are none."""
    found = np.asarray(names)
    if found.size == 0:
        return tuple(str(label) for label in labels)
    if found.dtype.kind == "S":
        found = np.char.decode(found, "utf-8", "replace")
    if found.ndim != 1 or found.dtype.kind != "U":
        raise DataError(f"{where}: class_names must be a list of strings, got {names!r:.60}")
    if len(found) != len(labels):
        raise DataError(
            f"{where}: class_names must name each of the {len(labels)} classes of y_train once, "
            f"got {len(found)}: {_some(found.tolist())}"
        )
    if len(set(found.tolist())) != len(found):
        raise DataError(f"{where}: class_names must differ, got {_some(found.tolist())}")
    return tuple(found.tolist())


def _groups(where: str, groups: object, rows: int) -> NDArray[Any] | None:
    """One group a training row: whole numbers or strings."""
    if groups is None:
        return None
    found = _array(f"{where}: groups", groups)
    if found.dtype.kind == "O" and all(isinstance(value, str) for value in found.flat):
        found = found.astype(str)
    if found.ndim == 1 and found.dtype.kind == "f":
        _check_whole(f"{where}: groups", found)
        found = found.astype(np.int64)
    if found.dtype.kind not in "biuUS":
        raise DataError(
            f"{where}: groups must be whole numbers or strings, got dtype {found.dtype}"
        )
    if found.shape != (rows,):
        raise DataError(
            f"{where}: groups must hold one value for each of the {rows} training rows, got "
            f"shape {found.shape}"
        )
    return found


def _some(values: list[Any]) -> str:
    """List the first few values, for a message."""
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown}, ... ({len(values)} in all)"
