"""Arrays on the disk beside a ledger: each is written once, and found by what it was made of."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.mapped_rows import ArrayFile, MappedRows
from sweep.errors import DataError
from sweep.support.file_writing import write_file
from sweep.support.npz_archives import GB, free_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

MEMORY = ("mapped", "ram")
"""Where rows are: in a file, read where they are needed, or in memory."""

FORMAT = 1
"""Version of what is written; part of every key."""
ROWS, FACTS, PART = "rows", "facts.json", ".part"
RESERVE = 512 * 2**20
"""Bytes that stay free on the disk."""


@dataclass
class RowWriter:
    """Writes the rows of an array, some at a time.

    Attributes
    ----------
    facts : dict
        JSON-able facts on the rows, kept with them.
    """

    file: IO[bytes]
    facts: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = (0,)
    dtype: str = ""

    def append(self, block: NDArray[Any]) -> None:
        """Write some rows."""
        self.shape = (self.shape[0] + len(block), *block.shape[1:])
        self.dtype = block.dtype.str
        self.file.write(np.ascontiguousarray(block).reshape(-1).view(np.uint8).data)


@dataclass(frozen=True)
class Memory:
    """Where the rows of a dataset are kept.

    Attributes
    ----------
    asked : {"mapped", "ram"}, optional
        What the study says; default: in memory if they take at most half of what is free.
    folder : Path, optional
        Where arrays are written; without one all rows are in memory.
    limit : int, optional
        Bytes that a worker may take.
    """

    asked: str | None = None
    folder: Path | None = None
    limit: int | None = None

    def maps(self, size: int) -> bool:
        """Return whether rows of so many bytes are written to the disk.

        Raises
        ------
        DataError
            If they are to be, and there is no folder for them.
        """
        if self.asked == "mapped" and self.folder is None:
            raise DataError('memory: "mapped" needs a folder for the rows: name mapped_folder')
        if self.asked is not None or self.folder is None:
            return self.asked == "mapped"
        return size > min([free_memory(), *([self.limit] if self.limit else [])]) / 2

    def find(self, key: str) -> tuple[MappedRows, dict[str, Any]] | None:
        """Return rows that were written before, with their facts; None where none were."""
        place = self._place(key)
        with suppress(OSError, ValueError, KeyError, TypeError, DataError):
            kept = json.loads(place.with_name(FACTS).read_text("utf-8"))
            file = ArrayFile(place, tuple(kept["shape"]), kept["dtype"])
            with suppress(OSError):  # another user's
                os.utime(place)  # `sweep prune` removes what nothing has used for long
            return MappedRows(file), dict(kept["facts"])
        return None

    @contextmanager
    def writing(self, key: str, size: int) -> Iterator[RowWriter]:
        """Write rows; they are found by their key when all went well, and gone otherwise.

        Parameters
        ----------
        key : str
            See :func:`key_of`.
        size : int
            About how many bytes there will be.

        Raises
        ------
        DataError
            If the disk has no room, or cannot be written to.
        """
        place = self._place(key)
        part = place.with_name(f".{os.urandom(8).hex()}{PART}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            self._check_room(place.parent, size)
            with part.open("xb") as file:
                writer = RowWriter(file)
                yield writer
                file.flush()
                os.fsync(file.fileno())
            part.replace(place)
            kept = {"shape": writer.shape, "dtype": writer.dtype, "facts": writer.facts}
            write_file(place.with_name(FACTS), json.dumps(kept))
        except OSError as error:
            raise DataError(
                f"{place.parent}: rows cannot be kept there ({error.strerror}); make room, or name "
                "another folder with SWEEP_ARTIFACTS"
            ) from error
        finally:
            part.unlink(missing_ok=True)

    def _place(self, key: str) -> Path:
        if self.folder is None:
            raise AssertionError
        return self.folder / key / ROWS

    @staticmethod
    def _check_room(folder: Path, size: int) -> None:
        free = shutil.disk_usage(folder).free
        if size + RESERVE > free:
            raise DataError(
                f"{folder}: {size / GB:.3g} GB of rows must fit there, and {free / GB:.3g} GB are "
                "free; make room, or name another folder with SWEEP_ARTIFACTS"
            )

    def keep(self, rows: NDArray[Any]) -> MappedRows:
        """Write rows that are in memory, unless they were written before."""
        key = key_of("array", str(rows.dtype.str), str(rows.shape), digest_of_array(rows))
        if (found := self.find(key)) is None:
            with self.writing(key, rows.nbytes) as writer:
                writer.append(rows)
            return self.written(key)
        return found[0]

    def written(self, key: str) -> MappedRows:
        """Return rows that have just been written.

        Raises
        ------
        DataError
            If they are gone.
        """
        if (found := self.find(key)) is None:
            raise DataError(f"{self._place(key)}: was removed while it was written; run again")
        return found[0]


def mapped_note(size: int, asked: str | None) -> str:
    """Return a note that rows are read from the disk."""
    why = "" if asked else ": more than half of the memory that is free"
    much = f"{size / GB:.3g} GB" if size > GB / 10 else f"{size / 2**20:.3g} MB"
    return f'{much} of rows are read from the disk (memory = "mapped"){why}'


def key_of(kind: str, *parts: str) -> str:
    """Return the key of rows: a digest of everything that decides them."""
    text = json.dumps([FORMAT, kind, *parts])
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def digest_of_array(rows: NDArray[Any]) -> str:
    """Return the SHA-256 of an array's bytes."""
    return hashlib.sha256(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data).hexdigest()


def digest_of_files(paths: list[Path]) -> str:
    """Return a SHA-256 of the contents of files, in their order."""
    whole = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError:  # it is told with everything else that cannot be read
            whole.update(b"unreadable")
    return whole.hexdigest()
