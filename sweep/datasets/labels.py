"""Labels, class names and groups: whole numbers or text, whatever kind of array they come in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_EXACT = 2.0**53


def as_array(place: str, values: object) -> NDArray[Any]:
    """Make an array in native byte order; Python's numbers or texts in it become NumPy's."""
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
    """Return objects, such as pandas holds, as text or numbers where all of them are."""
    held = array.ravel().tolist()
    if all(isinstance(value, str) for value in held):
        return array.astype(str)
    if all(isinstance(value, bool | int | float | np.number) for value in held):
        return np.array(held).reshape(array.shape)
    return array


def numbered(
    where: str, y_train: object, y_test: object, class_names: object
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Make labels whole numbers; those that are text get the number of their name.

    Parameters
    ----------
    where : str
        The dataset, for messages.
    y_train, y_test : array-like of shape (n,) or (n, 1)
        Whole numbers, or text in both.
    class_names : array-like of str
        One name a class, in the order of the numbers. Empty: the labels are the names, text
        sorted.

    Returns
    -------
    y_train, y_test : ndarray of shape (n,)
        Numbers.
    class_names : tuple of str

    Raises
    ------
    DataError
        For anything else.
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
    """Give each text the number of the class that it names."""
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
    """Make labels one a row; a single column, as Keras has it, is flattened."""
    y = as_array(place, values)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1:
        raise DataError(
            f"{place} must have the shape (n,) or (n, 1), got {y.shape}; "
            f"make one-hot labels numbers with argmax(axis=1)"
        )
    return y


def _whole(place: str, y: NDArray[Any]) -> NDArray[np.int64]:
    """Whole numbers as int64."""
    if y.dtype.kind not in "biuf":
        raise DataError(
            f"{place} must be whole numbers, or text as in the other part, got {_kind(y)}"
        )
    if y.dtype.kind == "f":
        _check_whole(place, y)
    return y.astype(np.int64)


def _kind(y: NDArray[Any]) -> str:
    """Say what is there in place of numbers; among text, what is none."""
    odd = next((value for value in y.tolist() if not isinstance(value, str)), None)
    return f"{odd!r:.60}" if y.dtype.kind == "O" else f"dtype {y.dtype}"


def _check_whole(place: str, y: NDArray[Any]) -> None:
    """Refuse floating-point labels that are no whole numbers."""
    with np.errstate(over="ignore"):  # half precision takes the bound for inf
        wrong = y[~(np.isfinite(y) & (np.abs(y) < _EXACT) & (np.floor(y) == y))]
    if len(wrong):
        raise DataError(
            f"{place} must be whole numbers, got {some(wrong.tolist())}; "
            f"only classification is supported"
        )


def _names(where: str, names: object) -> tuple[str, ...]:
    """Distinct names; none where there are none."""
    found = as_array(f"{where}: class_names", names)
    if found.size == 0:
        return ()
    if found.ndim != 1 or found.dtype.kind != "U":
        raise DataError(f"{where}: class_names must be a list of strings, got {names!r:.60}")
    if len(set(found.tolist())) != len(found):
        raise DataError(f"{where}: class_names must differ, got {some(found.tolist())}")
    return tuple(found.tolist())


def _check_count(where: str, names: Sequence[str], labels: Sequence[Any]) -> None:
    """Refuse more or fewer names than classes."""
    if names and len(names) != len(labels):
        raise DataError(
            f"{where}: class_names must name each of the {len(labels)} classes of y_train once, "
            f"got {len(names)}: {some(names)}"
        )


def checked_groups(where: str, groups: object, rows: int) -> NDArray[Any] | None:
    """One group a training row: whole numbers or strings."""
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
    """List the first few values, for a message."""
    shown = ", ".join(str(value) for value in values[:5])
    return shown if len(values) <= 5 else f"{shown}, ... ({len(values)} in all)"
