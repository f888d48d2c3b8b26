"""Read ``.npz`` files in Keras's layout, without unpickling."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.checks import check_shapes
from sweep.datasets.dataset import Dataset
from sweep.datasets.last_file import last_file
from sweep.datasets.mapped_rows import PIECE
from sweep.datasets.mapped_store import Memory, digest_of_files, key_of, mapped_note
from sweep.errors import DataError
from sweep.support.npz_archives import ArchiveError, array_blocks, array_headers, read_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from sweep.datasets.mapped_rows import MappedRows
    from sweep.support.npz_archives import Header

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
"""The arrays that a dataset must have."""

PIXELS = ("x_train", "x_test")
"""Those of them that may stay on the disk."""


def read_npz(
    path: Path, name: str, groups: str | None = None, memory: Memory | None = None
) -> Dataset:
    """Read ``x_train``, ``y_train``, ``x_test``, ``y_test``, and ``class_names`` if there.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name of the dataset.
    groups : str, optional
        Name of the array with the group of each training row.
    memory : Memory, optional
        Where pixels are kept; default: in memory.

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
    with _told(path):
        mapped, note = _mapped(path, name, memory or Memory())
    wanted = (groups, bool(mapped))
    found = last_file.read(path, wanted, lambda: _members(path, name, groups, mapped))
    dataset = from_mapping({**found, **mapped}, name, str(path), groups)
    return replace(dataset, notes=(note,)) if note else dataset


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
            f"{source}: must hold {', '.join(wanted)}; missing: {', '.join(missing)}; "
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


def _members(
    path: Path, name: str, groups: str | None, mapped: Mapping[str, MappedRows]
) -> dict[str, Any]:
    """Return the needed arrays by name but for those on the disk; all others as None."""
    wanted = {*ARRAYS, "class_names", *([groups] if groups else [])} - mapped.keys()
    with _told(path):
        names, found = read_arrays(
            path, wanted, lambda arrays: _check_shapes({**arrays, **mapped}, name)
        )
        return {name: None for name in names if name != "groups"} | found


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say of any error which file cannot be read."""
    try:
        yield
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


def _mapped(path: Path, name: str, memory: Memory) -> tuple[dict[str, MappedRows], str]:
    """Return pixels that are kept on the disk, by name, and a note; nothing for small ones."""
    if memory.folder is None and memory.asked is None:
        return {}, ""
    headers = array_headers(path, ARRAYS)
    size = sum(headers[key].size for key in PIXELS if key in headers)
    if not memory.maps(size) or not all(key in headers for key in ARRAYS):
        return {}, ""
    _check_shapes({key: header.stand_in() for key, header in headers.items()}, name)
    digest = digest_of_files([path])
    found = {key: _on_disk(path, key, headers[key], digest, memory) for key in PIXELS}
    return found, mapped_note(size, memory.asked)


def _on_disk(path: Path, key: str, header: Header, digest: str, memory: Memory) -> MappedRows:
    """Return an array on the disk, in native byte order; it is written there if it is not yet."""
    if header.fortran:
        raise ArchiveError(
            f"{key} lies column by column, and can only be read whole; write the file again from "
            "numpy.ascontiguousarray"
        )
    place = key_of("npz", digest, key)
    if (known := memory.find(place)) is not None:
        return known[0]
    native = np.dtype(np.uint8) if header.dtype.kind == "b" else header.dtype.newbyteorder("=")
    with memory.writing(place, header.size) as writer:
        for block in array_blocks(path, key, PIECE):
            writer.append(block.astype(native, copy=False))
    return memory.written(place)


def _check_shapes(arrays: dict[str, Any], name: str) -> None:
    """Refuse arrays, before their data is read, if shapes and types show no images with labels."""
    if all(key in arrays for key in ARRAYS):
        check_shapes(name, *(arrays[key] for key in ("x_train", "y_train", "x_test", "y_test")))
