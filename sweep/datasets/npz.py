"""Read ``.npz`` files in Keras's layout, without unpickling."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from sweep.datasets.checks import check_shapes
from sweep.datasets.dataset import Dataset
from sweep.datasets.last_file import last_file
from sweep.errors import DataError
from sweep.support.npz_archives import ArchiveError, read_arrays

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
"""The arrays that a dataset must have."""


def read_npz(path: Path, name: str, groups: str | None = None) -> Dataset:
    """Read ``x_train``, ``y_train``, ``x_test``, ``y_test``, and ``class_names`` if there.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the dataset.
    groups : str, optional
        Name of the array with the group of each training row.

    Returns
    -------
    Dataset
        Not checked yet.

    Raises
    ------
    DataError
        When the file is missing or damaged, lacks an array, or contains Python objects: to load
        these it would have to unpickle them, which can run any code.
    """
    if not path.is_file():
        raise DataError(f"{name}: no such file: {path.absolute()}")
    found = last_file.read(path, groups, lambda: _members(path, name, groups))
    return from_mapping(found, name, str(path), groups)


def from_mapping(
    found: dict[str, Any], name: str, source: str, groups: str | None = None
) -> Dataset:
    """Return a dataset, not checked yet, from named arrays.

    Raises
    ------
    DataError
        When one of the four arrays, or the array of groups, is missing.
    """
    wanted = [*ARRAYS, *([groups] if groups else [])]
    missing = [key for key in wanted if key not in found]
    if missing:
        raise DataError(
            f"{source}: must hold {', '.join(wanted)}; missing: {', '.join(missing)}, "
            f"there are: {_some(found)}"
        )
    arrays = {key: found[key] for key in ARRAYS}
    names = found.get("class_names")
    return Dataset(
        name=name,
        class_names=() if names is None else names,
        groups=found.get(groups or "groups"),
        **arrays,
    )


def _some(found: dict[str, Any]) -> str:
    """Return the first names in an archive, for a message; there may be thousands."""
    names = [str(name)[:60] for name in islice(found, 20)]
    more = [f"{len(found) - len(names)} more"] if len(found) > len(names) else []
    return ", ".join([*names, *more]) or "none"


def _members(path: Path, name: str, groups: str | None) -> dict[str, Any]:
    """Return the needed arrays by name; all others as None."""
    wanted = {*ARRAYS, "class_names", *([groups] if groups else [])}
    try:
        names, found = read_arrays(path, wanted, lambda arrays: _check_shapes(arrays, name))
    except ArchiveError as error:
        raise DataError(f"{path}: {error}") from error.__cause__
    except DataError:
        raise
    # A damaged file fails anywhere from zipfile and zlib to the parser of array headers.
    except Exception as error:
        raise DataError(
            f"{path}: must be a whole .npz file, and it cannot be read "
            f"({type(error).__name__}); write it again with numpy.savez_compressed"
        ) from error
    return {name: None for name in names if name != "groups"} | found


def _check_shapes(arrays: dict[str, np.ndarray], name: str) -> None:
    """Refuse arrays, before their data is read, if shapes and types show no images with labels."""
    if all(key in arrays for key in ARRAYS):
        check_shapes(name, *(arrays[key] for key in ("x_train", "y_train", "x_test", "y_test")))
