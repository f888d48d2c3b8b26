"""Rows of an array in a file: read where they are needed, never all at once."""

from __future__ import annotations

import math
import os
import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError
from sweep.support.npz_archives import GB, free_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

PIECE = 16 * 2**20
"""Bytes that are read at a time."""


class ArrayFile:
    """A file that holds nothing but the rows of an array, one after the other.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of the array.
    dtype : str
        Of its numbers, in native byte order.

    Raises
    ------
    DataError
        If it is not there, or not as long as these rows are.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], dtype: str) -> None:
        self.path, self.shape, self.dtype = path, shape, np.dtype(dtype)
        self.row_bytes = math.prod(shape[1:]) * self.dtype.itemsize
        try:
            self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise self._gone(error.strerror or "") from error
        weakref.finalize(self, os.close, self._fd)
        if os.fstat(self._fd).st_size != shape[0] * self.row_bytes:
            raise self._gone("it has another length")

    def __reduce__(self) -> tuple[Any, ...]:
        """Hand another process the name of the file, which it opens."""
        return ArrayFile, (self.path, self.shape, self.dtype.str)

    def read(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        """Return some rows, in the order given; neighbours in the file are read together."""
        found = np.empty((len(rows), *self.shape[1:]), self.dtype)
        if not found.size:
            return found
        target = found.reshape(-1).view(np.uint8).data
        order = np.argsort(rows, kind="stable")  # a disk is fastest from its beginning to its end
        breaks = np.flatnonzero((np.diff(rows[order]) != 1) | (np.diff(order) != 1)) + 1
        starts = np.concatenate([[0], breaks, [len(rows)]])
        for first, stop in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True):
            place, count = int(order[first]), stop - first
            part = target[place * self.row_bytes : (place + count) * self.row_bytes]
            self._fill(part, int(rows[place]) * self.row_bytes)
        return found

    def _fill(self, part: memoryview, offset: int) -> None:
        while part:
            done = os.preadv(self._fd, [part], offset)
            if not done:
                raise self._gone("it has become shorter")
            part, offset = part[done:], offset + done

    def _gone(self, why: str) -> DataError:
        return DataError(f"{self.path}: cannot be read as rows ({why}); remove it and run again")


class MappedRows:
    """Rows of an :class:`ArrayFile`, which behave as an array of which rows are taken.

    An index of row numbers gives other ``MappedRows`` and reads nothing; a slice, or a single
    number, reads. :func:`numpy.asarray` reads everything where the memory is enough.

    Parameters
    ----------
    file : ArrayFile
        The file.
    rows : ndarray of int, optional
        Which of its rows, in which order; default: all.
    dtype : dtype, optional
        What numbers are converted to when they are read.
    row_shape : tuple of int, optional
        Another shape of a row.
    """

    def __init__(
        self,
        file: ArrayFile,
        rows: NDArray[np.intp] | None = None,
        dtype: DTypeLike | None = None,
        row_shape: tuple[int, ...] | None = None,
    ) -> None:
        self._file = file
        self._rows = np.arange(file.shape[0]) if rows is None else rows
        self.dtype: np.dtype[Any] = np.dtype(file.dtype if dtype is None else dtype)
        self._row_shape = file.shape[1:] if row_shape is None else row_shape

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self._rows), *self._row_shape)

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 1 + len(self._row_shape)

    @property
    def size(self) -> int:
        """Number of numbers."""
        return math.prod(self.shape)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row in memory."""
        return math.prod(self._row_shape) * self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes that all rows would take."""
        return len(self) * self.row_bytes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        """Take rows by their numbers or by a mask, or read a slice or a single row."""
        if isinstance(key, tuple):
            if len(key) != 2 or key[1] is not Ellipsis:
                raise TypeError(f"rows on the disk are indexed by row alone, got {key!r:.60}")
            key = key[0]
        if isinstance(key, slice):
            return self.read(np.arange(len(self))[key])
        places = np.asarray(key)
        if places.ndim == 0:
            return self.read(places.reshape(1))[0]
        return MappedRows(self._file, self._rows[places], self.dtype, self._row_shape)

    def read(self, places: NDArray[np.intp]) -> NDArray[Any]:
        """Return the rows at some places as an array."""
        found = self._file.read(self._rows[places])
        return found.astype(self.dtype, copy=False).reshape(len(found), *self._row_shape)

    def pieces(self, multiple: int = 1) -> Iterator[NDArray[Any]]:
        """Yield all rows in order, about :data:`PIECE` bytes at a time, a multiple of some rows."""
        rows = max(1, PIECE // (multiple * max(1, self.row_bytes))) * multiple
        for first in range(0, len(self), rows):
            yield self[first : first + rows]

    def reshape(self, *shape: int) -> MappedRows:
        """Return the same rows, each in another shape; a single -1 stands for a whole row."""
        row = tuple(math.prod(self._row_shape) if side == -1 else side for side in shape[1:])
        if shape[0] != len(self) or math.prod(row) != math.prod(self._row_shape):
            raise ValueError(f"rows of shape {self._row_shape} do not fit into {shape}")
        return MappedRows(self._file, self._rows, self.dtype, row)

    def astype(self, dtype: DTypeLike) -> MappedRows:
        """Return the same rows, converted when they are read."""
        return MappedRows(self._file, self._rows, dtype, self._row_shape)

    def min(self) -> Any:
        """Return the smallest number; NaN where there is one."""
        return self._ends[0]

    def max(self) -> Any:
        """Return the largest number; NaN where there is one."""
        return self._ends[1]

    @cached_property
    def _ends(self) -> tuple[Any, Any]:
        ends = [(piece.min(), piece.max()) for piece in self.pieces()]
        return np.min([low for low, _ in ends]), np.max([high for _, high in ends])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything, where that takes at most half of the free memory.

        Raises
        ------
        DataError
            If it takes more.
        """
        free = free_memory()
        if self.nbytes > free / 2:
            raise DataError(
                f"{self.nbytes / GB:.3g} GB of rows are on the disk, and this step needs them all "
                f"in memory, of which {free / GB:.3g} GB are free; take fewer rows (train_rows), "
                "or a machine with more memory"
            )
        found = self.read(np.arange(len(self)))
        return found if dtype is None else found.astype(dtype)
