"""Check labels, class names and groups, and convert them to whole numbers and text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_EXACT = 2.0**53


def as_array(place: str, values: object) -> NDArray[Any]:
    """Return an array in native byte order; objects become NumPy numbers or text where possible."""
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise DataError(f"{place} must be an array, got rows of unlike shapes") from error
    if array.dtype.kind in "OT":
        array = _plain(array)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return an object array, as from pandas, as text or numbers if all values are of one kind."""
    values = array.ravel().tolist()
    if all(isinstance(value, str) for value in values):
        return array.astype(str)
    if all(isinstance(value, bool | int | float | np.number) for value in values):
        return np.array(values).reshape(array.shape)
    return array


def numbered(
    where: str, y_train: object, y_test: object, class_names: object
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Return labels as whole numbers; a text label becomes the number of its class name.

    Parameters
    ----------
    where : str
        The dataset, for messages.
    y_train, y_test : array-like of shape (n,) or (n, 1)
        Whole numbers in both, or text in both.
    class_names : array-like of str
        One name for each class, in the order of the numbers. If empty, the sorted labels are the
        names.

    Returns
    -------
    y_train, y_test : ndarray of shape (n,)
        Numbers.
    class_names : tuple of str

    Raises
    ------
    DataError
        For other labels or names.
    """
    names = _names(where, class_names)
    train, test = (
        _column(f"{where}: y_{part}", values)
        for part, values in (("train", y_train), ("test", y_test))
    )
    if train.dtype.kind == test.dtype.kind == "U":
        return _of_text(where, train, test, names)
    train, test = (
        _whole(f"{where}: y_{part}", values) for part, values in (("train", train), ("test", test))
    )
    labels = np.unique(train).tolist()
    _check_count(where, names, labels)
    return train, test, names or tuple(str(label) for label in labels)


def _of_text(
    where: str, train: NDArray[Any], test: NDArray[Any], names: tuple[str, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Return text labels as the numbers of their class names."""
    found, places = np.unique(train, return_inverse=True)
    _check_count(where, names, found.tolist())
    names = names or tuple(found.tolist())
    for part, values in (("y_train", found), ("y_test", np.unique(test))):
        if unknown := sorted(set(values.tolist()) - set(names)):
            raise DataError(
                f"{where}: every label of {part} must be one of the classes {some(names)}, got "
                f"{some(unknown)}"
            )
    numbers = {name: number for number, name in enumerate(names)}
    order = np.array([numbers[name] for name in found.tolist()], np.int64)
    held_out = np.array([numbers[name] for name in test.tolist()], np.int64)
    return order[places.reshape(-1)], held_out, names


def _column(place: str, values: object) -> NDArray[Any]:
    """Return labels in one dimension; a single column, as Keras has it, is flattened."""
    y = as_array(place, values)
    _check_given(place, y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{place} must have the shape (n,) or (n, 1), got {y.shape}; "
            f"make one-hot labels numbers with argmax(axis=1)"
        )
    return y


def _check_given(place: str, y: NDArray[Any]) -> None:
    """Refuse labels that are missing, as pandas and NumPy write it."""
    if lacking := np.flatnonzero(missing(y.ravel())).tolist():
        raise DataError(
            f"{place} must have a label in every row, and {len(lacking):,} have none: row "
            f"{some(lacking)} (from 0); give those a label, or leave them out"
        )


def missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values stand for none: ``None``, NaN, pandas's ``NA`` and ``NaT``."""
    if values.dtype.kind == "f":
        return np.asarray(np.isnan(values), bool)
    if values.dtype.kind != "O":
        return np.zeros(len(values), bool)
    return np.array([_is_none(value) for value in values.tolist()], bool)


def _is_none(value: object) -> bool:
    nan = isinstance(value, float | np.floating) and bool(np.isnan(value))
    return value is None or nan or type(value).__name__ in ("NAType", "NaTType")


def check_frame(place: str, values: Any) -> None:
    """Refuse a data frame with columns of other things than numbers, by their names.

    Raises
    ------
    DataError
        With every such column.
    """
    if not hasattr(values, "columns") or not hasattr(values, "iloc"):
        return
    wrong = []
    for number, name in enumerate(values.columns):
        column = as_array(f"{place}: {name}", values.iloc[:, number])
        if column.dtype.kind in "biu":
            continue
        if lacking := int(missing(column).sum()):
            wrong.append(f"{name} (no value in {lacking:,} rows)")
        elif column.dtype.kind != "f":
            kind = "text" if column.dtype.kind == "U" else str(column.dtype)
            wrong.append(f"{name} ({kind})")
    if wrong:
        raise DataError(
            f"{place} must hold a number in every row of each column, got {some(wrong)}; encode "
            "these columns as numbers, fill their gaps, or leave them out"
        )


def _whole(place: str, y: NDArray[Any]) -> NDArray[np.int64]:
    """Return whole numbers as int64; refuse others."""
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{place} must be whole numbers, or text as in the other part, got {_kind(y)}"
        )
    if y.dtype.kind == "f":
        _check_whole(place, y)
    return y.astype(np.int64)


def _kind(y: NDArray[Any]) -> str:
    """Return what the labels are instead of numbers: a dtype, or the first value not text."""
    odd = next((value for value in y.tolist() if not isinstance(value, str)), None)
    return f"{odd!r:.60}" if y.dtype.kind == "O" else f"dtype {y.dtype}"


def _check_whole(place: str, y: NDArray[Any]) -> None:
    """Refuse floating-point labels that are not whole numbers."""
    with np.errstate(over="ignore"):  # in half precision the bound becomes inf
        wrong = y[~(np.isfinite(y) & (np.abs(y) < _EXACT) & (np.floor(y) == y))]
    if len(wrong):
        raise DataError(
            f"{place} must be whole numbers, got {some(wrong.tolist())}; "
            f"only classification is supported"
        )


def _names(where: str, names: object) -> tuple[str, ...]:
    """Return the class names as a tuple; refuse doubled ones."""
    found = as_array(f"{where}: class_names", names)
    if found.size == 0:
        return ()
    if found.ndim != 1 or found.dtype.kind != "U":
        raise DataError(f"{where}: class_names must be a list of strings, got {names!r:.60}")
    if len(set(found.tolist())) != len(found):
        raise DataError(f"{where}: class_names must differ, got {some(found.tolist())}")
    return tuple(found.tolist())


def _check_count(where: str, names: Sequence[str], labels: Sequence[Any]) -> None:
    """Refuse another number of names than classes."""
    if names and len(names) != len(labels):
        raise DataError(
            f"{where}: class_names must name each of the {len(labels)} classes of y_train once, "
            f"got {len(names)}: {some(names)}"
        )


def checked_groups(where: str, groups: object, rows: int) -> NDArray[Any] | None:
    """Return the group of each training row as an array; refuse others than numbers or strings."""
    if groups is None:
        return None
    found = as_array(f"{where}: groups", groups)
    if found.ndim == 1 and found.dtype.kind == "f":
        _check_whole(f"{where}: groups", found)
        found = found.astype(np.int64)
    if found.dtype.kind not in "biuU":
        raise DataError(
            f"{where}: groups must be whole numbers or strings, got dtype {found.dtype}"
        )
    if found.shape != (rows,):
        raise DataError(
            f"{where}: groups must hold one value for each of the {rows} training rows, got "
            f"shape {found.shape}"
        )
    return found


def some(values: Sequence[Any]) -> str:
    """Return the first few values as text, for a message."""
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown}, ... ({len(values)} in all)"
