"""``.npz`` files in Keras's layout, read without ever unpickling."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.dataset import Dataset
from sweep.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
"""The arrays that a dataset must have."""


def read_npz(path: Path, name: str, groups: str | None = None) -> Dataset:
    """Read ``x_train``, ``y_train``, ``x_test``, ``y_test``, and ``class_names`` where it is.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the dataset.
    groups : str, optional
        Name of one more array, with the group of each training row.

    Returns
    -------
    Dataset
        Not checked yet.

    Raises
    ------
    DataError
        When the file is missing, broken, lacks an array, or holds Python objects: those would
        have to be unpickled, which can run any code.
    """
    if not path.is_file():
        raise DataError(f"{name}: no such file: {path.absolute()}")
    return from_mapping(_members(path, groups), name, str(path), groups)


def from_mapping(
    found: dict[str, Any], name: str, source: str, groups: str | None = None
) -> Dataset:
    """Make a dataset, not checked yet, of named arrays.

    Raises
    ------
    DataError
        When one of the four arrays, or the array of groups that was asked for, is missing.
    """
    wanted = [*ARRAYS, *([groups] if groups else [])]
    missing = [key for key in wanted if key not in found]
    if missing:
        raise DataError(
            f"{source}: must hold {', '.join(wanted)}; missing: {', '.join(missing)}, "
            f"there are: {', '.join(map(str, found)) or 'none'}"
        )
    arrays = {key: found[key] for key in ARRAYS}
    names = found.get("class_names")
    return Dataset(
        name=name,
        class_names=() if names is None else names,
        groups=found.get(groups or "groups"),
        **arrays,
    )


def _members(path: Path, groups: str | None) -> dict[str, Any]:
    """Read the arrays that matter; the others are there by name, as None."""
    wanted = {*ARRAYS, "class_names", groups}
    try:
        # Opened here, because NumPy leaves a file open that it cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            names = list(archive.files)
            found = {name: _member(archive, name) for name in names if name in wanted}
    except DataError as error:
        raise DataError(f"{path}: {error}") from error.__cause__
    # A damaged file fails anywhere from zipfile and zlib to the parser of array headers.
    except Exception as error:
        raise DataError(
            f"{path}: must be a whole .npz file, and it cannot be read "
            f"({type(error).__name__}); write it again with numpy.savez_compressed"
        ) from error
    return {name: None for name in names if name != "groups"} | found


def _member(archive: Any, name: str) -> Any:
    """Read one array; an array of objects is refused by its own name."""
    try:
        value = archive[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise DataError(
            f"{name} holds Python objects, which are never unpickled; "
            f"save it as an array of numbers or strings"
        ) from error
    # NumPy hands out the bytes of a member that does not begin like an array.
    if isinstance(value, bytes):
        raise DataError(f"{name} is no array; write it with numpy.savez_compressed")
    return value
