"""Read ``.npz`` files without unpickling, and only after a check of their headers.

A small compressed file can have a very large array. The header has its shape and type, so a file
that does not fit into memory is refused before its arrays are read.
"""

from __future__ import annotations

import math
import os
import resource
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy

from sweep.support.container_limits import memory_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

LONGEST_HEADER = 10_000
"""Longest header of an array in bytes, as in NumPy."""

MOST_MEMBERS = 10_000
LARGEST_DIRECTORY = 2**22
"""Most members and bytes of a file's directory, which zipfile reads whole: 4 MiB has about 60,000
members."""

COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
READERS: dict[int, Any] = {1: npy.read_array_header_1_0, 2: npy.read_array_header_2_0}
GB = 2**30


class ArchiveError(ValueError):
    """Raised for a file that has other members than arrays, or needs too much memory."""


class Header(NamedTuple):
    """The header of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool = False

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return math.prod(self.shape) * self.dtype.itemsize

    def stand_in(self) -> np.ndarray:
        """Return an array of this shape and type that needs no memory: one number, broadcast."""
        return np.broadcast_to(np.zeros((), self.dtype), self.shape)


def read_arrays(
    path: Path,
    wanted: Collection[str] | None = None,
    check: Callable[[dict[str, np.ndarray]], None] | None = None,
) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read arrays of an ``.npz`` file.

    Parameters
    ----------
    path : Path
        The file.
    wanted : collection of str, optional
        Names of the arrays to read, if they exist; default: all.
    check : callable, optional
        Called before the arrays are read, with stand-ins of the same shapes and types.

    Returns
    -------
    names : list of str
        Names of all arrays.
    arrays : dict of str to ndarray

    Raises
    ------
    ArchiveError
        If a member is not an array, has Python objects or another length than its header says, or
        if the arrays need more than half of the free memory.
    """
    with path.open("rb") as file:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = {each.filename.removesuffix(".npy"): each for each in archive.infolist()}
            chosen = {n: m for n, m in members.items() if wanted is None or n in wanted}
            headers = {name: _header(archive, name, each) for name, each in chosen.items()}
            _check_memory(headers)
            if check is not None:
                check({name: header.stand_in() for name, header in headers.items()})
            return list(members), {n: _array(archive, each) for n, each in chosen.items()}


def array_headers(path: Path, wanted: Collection[str]) -> dict[str, Header]:
    """Return the headers of those arrays of an ``.npz`` file, checked; no array is read.

    Other members of the file may be anything.

    Raises
    ------
    ArchiveError
        As :func:`read_arrays` does.
    """
    with path.open("rb") as file:
        _check_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = {each.filename.removesuffix(".npy"): each for each in archive.infolist()}
            chosen = {name: each for name, each in members.items() if name in wanted}
            return {name: _header(archive, name, each) for name, each in chosen.items()}


def array_blocks(path: Path, name: str, size: int) -> Iterator[np.ndarray]:
    """Yield the rows of an array of an ``.npz`` file in C order, about ``size`` bytes a time."""
    with zipfile.ZipFile(path) as archive:
        member = next(m for m in archive.infolist() if m.filename.removesuffix(".npy") == name)
        with archive.open(member) as stream:
            shape, dtype, _ = _read_header(stream, name)
            row = math.prod(shape[1:]) * dtype.itemsize
            rows = max(1, size // max(1, row))
            for first in range(0, shape[0], rows):
                count = min(rows, shape[0] - first)
                data = stream.read(count * row)
                yield np.frombuffer(data, dtype).reshape(count, *shape[1:])


def free_memory() -> int:
    """Return the bytes that this process can still use, by the machine's memory and its limits."""
    return max(0, min(_limits()))


def _limits() -> Iterator[int]:
    yield os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        yield next(int(each.split()[1]) * 1024 for each in lines if "MemAvailable" in each)
    if (of_container := memory_limit()) is not None:
        yield of_container
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        yield limit
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY:
        yield limit - _data_taken()


def _data_taken() -> int:
    """Return the bytes that count for the limit on data; 0 where Linux does not say."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
        return next(int(each.split()[1]) * 1024 for each in lines if each.startswith("VmData"))
    return 0


def directory_size(file: IO[bytes]) -> tuple[int, int]:
    """Return how many members a zip file's directory says it has, and its bytes; 0 for no zip."""
    end: Any = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    file.seek(0)
    return (end[4], end[5]) if end else (0, 0)


def _check_directory(file: IO[bytes]) -> None:
    """Refuse a directory with far more entries than an archive of arrays has."""
    members, size = directory_size(file)
    if members > MOST_MEMBERS or size > LARGEST_DIRECTORY:
        raise ArchiveError(
            f"it must hold at most {MOST_MEMBERS} arrays, and its table of contents names {members}"
        )


def _header(archive: zipfile.ZipFile, name: str, member: zipfile.ZipInfo) -> Header:
    if member.compress_type not in COMPRESSIONS:
        raise ArchiveError(f"{name} is compressed otherwise than by numpy.savez_compressed")
    with archive.open(member) as stream:
        header = _read_header(stream, name)
        if header.dtype.hasobject:
            raise ArchiveError(
                f"{name} holds Python objects, which are never unpickled; save it as an array of "
                "numbers or strings"
            )
        if stream.tell() + header.size != member.file_size:
            raise ArchiveError(
                f"{name} must be as long as its header says: {header.dtype} numbers of shape "
                f"{header.shape} are {header.size} bytes, and "
                f"{member.file_size - stream.tell()} are there; write the file again with "
                "numpy.savez_compressed"
            )
    return header


def _read_header(stream: IO[bytes], name: str) -> Header:
    """Return an array's header; its length is checked before it is read."""
    began = stream.read(12)
    if not began.startswith(npy.MAGIC_PREFIX) or len(began) < 12:
        raise ArchiveError(f"{name} is no array; write it with numpy.savez_compressed")
    width = 2 if began[6] == 1 else 4
    if int.from_bytes(began[8 : 8 + width], "little") > LONGEST_HEADER:
        raise ArchiveError(
            f"{name} must have a header of at most {LONGEST_HEADER} bytes; write the file again "
            "with numpy.savez_compressed"
        )
    stream.seek(0)
    major, _ = npy.read_magic(stream)
    if major not in READERS:  # version 3 exists only for fields with Unicode names
        raise ArchiveError(f"{name} must be an array of numbers or strings; it has fields")
    shape, fortran, dtype = READERS[major](stream, max_header_size=LONGEST_HEADER)
    if any(side < 0 for side in shape):
        raise ArchiveError(f"{name} must have a shape of numbers from 0, got {shape}")
    return Header(shape, dtype, bool(fortran))


def _check_memory(headers: dict[str, Header]) -> None:
    needed, free = sum(header.size for header in headers.values()), free_memory()
    if needed <= free / 2:
        return
    largest = max(headers, key=lambda name: headers[name].size)
    shape, dtype, _ = headers[largest]
    raise ArchiveError(
        f"its arrays must take at most half of the memory that is free, {free / 2 / GB:.3g} of "
        f"{free / GB:.3g} GB, and need {needed / GB:.3g} GB ({largest}: {dtype} of shape {shape}); "
        "keep fewer rows in it, save pixels as uint8, or use a machine with more memory"
    )


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as stream:
        found: np.ndarray = npy.read_array(stream, allow_pickle=False)
    return found
