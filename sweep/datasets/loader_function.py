"""Load data with the user's own function, named ``"module:function"``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sweep.datasets.dataset import Dataset
from sweep.datasets.npz import ARRAYS, from_mapping
from sweep.errors import DataError, SweepError
from sweep.support.code_references import resolve

if TYPE_CHECKING:
    from pathlib import Path


def read_reference(
    reference: str, groups: str | None, allow: Collection[str], folder: Path | None
) -> Dataset:
    """Call the function without arguments and return its dataset.

    Parameters
    ----------
    reference : str
        ``"module:function"``.
    groups : str, optional
        Name of the array of groups in the mapping that the function returns.
    allow : collection of str
        The modules that the user allows.
    folder : Path or None
        Folder of the study file; its modules can be named too.

    Returns
    -------
    Dataset
        Not checked yet.

    Raises
    ------
    ReferenceError_
        When the module may not be loaded or cannot be.
    DataError
        When the function raises an error, or returns anything but: a :class:`Dataset`; a mapping
        with the four arrays and optionally ``class_names`` and ``groups``;
        ``((x_train, y_train), (x_test, y_test))``.
    """
    found = _call(reference, resolve(reference, allow=allow, folder=folder))
    dataset = _dataset(reference, found, groups)
    if dataset is None:
        raise DataError(
            f"{reference}: must return a Dataset, a mapping with {', '.join(ARRAYS)}, or "
            f"((x_train, y_train), (x_test, y_test)), got {type(found).__name__}"
        )
    if groups and dataset.groups is None:
        raise DataError(
            f"groups: {reference} returns no array {groups!r}; return a mapping that holds it"
        )
    return dataset


def _call(reference: str, function: object) -> Any:
    """Call the function; convert its error to a message of one line."""
    if not callable(function):
        raise DataError(f"{reference}: must be a function, got {type(function).__name__}")
    try:
        return function()
    except SweepError:
        raise
    except Exception as error:  # The user's function may raise anything.
        raise DataError(f"{reference}: raised {type(error).__name__}: {error}") from error


def _dataset(reference: str, found: Any, groups: str | None) -> Dataset | None:
    """Return one of the three forms as a dataset, None for anything else."""
    match found:
        case Dataset():
            return found
        case Mapping():
            return from_mapping(dict(found), reference, reference, groups)
        case ((x_train, y_train), (x_test, y_test)):
            return Dataset(reference, x_train, y_train, x_test, y_test, ())
        case _:
            return None
