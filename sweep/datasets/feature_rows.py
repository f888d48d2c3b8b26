"""Gather the features of a table, in memory or on the disk, while its rows are read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.mapped_store import digest_of_files, key_of, mapped_note

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from sweep.datasets.mapped_store import Memory, RowWriter
    from sweep.datasets.table_columns import Columns

PIXELS = (128, 255)
"""Largest of whole numbers from 0 with which they are taken for 8-bit pixels."""
BYTES = 2
"""Bytes of features at most for each byte of a table: a cell has a digit and a delimiter."""


class FeatureRows:
    """The features of a table, some rows at a time.

    Parameters
    ----------
    memory : Memory
        Where they are kept.
    key : str
        Where they are found on the disk; empty where they are kept in memory.
    writer : RowWriter or None
        Writes them to the disk; None where they are there, or in memory.
    """

    def __init__(self, memory: Memory, key: str, writer: RowWriter | None) -> None:
        self._memory, self._key, self._writer = memory, key, writer
        self._blocks: list[NDArray[np.float32]] = []
        self._low, self._high, self._whole = np.inf, -np.inf, True

    def append(self, block: NDArray[np.float32]) -> None:
        """Take some rows."""
        self._low, self._high = min(self._low, block.min()), max(self._high, block.max())
        self._whole = self._whole and bool((block == np.rint(block)).all())
        if self._writer is not None:
            self._writer.append(block)
        elif not self._key:
            self._blocks.append(block)

    def rows(self) -> tuple[Any, str]:
        """Return all rows, as 8-bit pixels where they are such, and a note."""
        low, high = PIXELS
        pixels = self._whole and self._low >= 0 and low <= self._high <= high
        notes = ["features are whole numbers up to 255: read as 8-bit pixels"] if pixels else []
        x: Any
        if self._key:
            x = self._memory.written(self._key)
            notes.append(mapped_note(x.nbytes, self._memory.asked))
        else:
            x = np.concatenate(self._blocks)
        return x.astype(np.uint8) if pixels else x, "; ".join(notes)


@contextmanager
def feature_rows(path: Path, columns: Columns, memory: Memory) -> Iterator[FeatureRows]:
    """Yield what takes the features of a table; on the disk they are written once.

    Parameters
    ----------
    path : Path
        The table.
    columns : Columns
        Which of its columns are features.
    memory : Memory
        Where they are kept.
    """
    size = BYTES * path.stat().st_size
    if not columns.features or not memory.maps(size):
        yield FeatureRows(memory, "", None)
        return
    key = key_of("features", digest_of_files([path]), str(columns.features))
    if memory.find(key) is not None:
        yield FeatureRows(memory, key, None)
        return
    with memory.writing(key, size) as writer:
        yield FeatureRows(memory, key, writer)
