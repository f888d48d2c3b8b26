"""The arrays of the file that was read last, for a process that reads one again and again."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from pathlib import Path

    Members = dict[str, Any]

SETTLED_SECONDS = 2.0
"""A file that was changed so short a time ago may change again without another time stamp."""
LARGEST = 2**28
"""Bytes of arrays that are kept."""


class LastFile:
    """Keep what was read of one file, until the file or the question is another.

    Nothing is kept before :meth:`enable`: a command reads its data once.
    """

    def __init__(self) -> None:
        self._enabled = False
        self._held: tuple[Hashable, Members] | None = None
        self._lock = threading.Lock()

    def enable(self) -> None:
        """Keep from now on: this process serves many studies."""
        self._enabled = True

    def read(self, path: Path, wanted: Hashable, read: Callable[[], Members]) -> Members:
        """Return the members of a file, from memory where it is the one that was read last.

        Parameters
        ----------
        path : Path
            The file.
        wanted : hashable
            What of it is read.
        read : callable
            Reads it. Its arrays become read-only where they are kept.
        """
        if not self._enabled:
            return read()
        key = (wanted, _identity(path))
        with self._lock:
            if self._held is not None and self._held[0] == key:
                return dict(self._held[1])
        found = read()
        if key == (wanted, _identity(path)) and _is_settled(path) and _size(found) <= LARGEST:
            for array in _arrays(found):
                array.flags.writeable = False
            with self._lock:
                self._held = (key, found)
        return dict(found)


def _identity(path: Path) -> Hashable:
    """Return what changes with a file: which one it is, its size, its times."""
    found = path.stat()
    return (
        str(path), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
    )  # fmt: skip


def _is_settled(path: Path) -> bool:
    found = path.stat()
    return time.time() - max(found.st_mtime, found.st_ctime) > SETTLED_SECONDS


def _size(found: Members) -> int:
    return sum(array.nbytes for array in _arrays(found))


def _arrays(found: Members) -> list[Any]:
    return [each for each in found.values() if each is not None]


last_file = LastFile()
"""That of this process."""
