"""Wait while another process locks an SQLite ledger, and say for whom."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sweep.storage.retries import causes
from sweep.storage.waiting_messages import Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

LOCK_SECONDS = 60.0
"""How long a process waits for the lock of an SQLite ledger."""

PAUSE_SECONDS = 0.05
OPEN_LOCKS = Path("/proc/locks")
"""Linux's table of file locks and their holders."""


class Connection(sqlite3.Connection):
    """A connection whose commit waits for readers: SQLite cannot commit while a process reads."""

    path = Path()

    def commit(self) -> None:
        """Commit as soon as no process reads."""
        when_free(self.path, super().commit)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder, so that one process at a time creates or replaces a ledger file in it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        when_free(folder, lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)


def when_free(path: Path, act: Callable[[], T]) -> T:
    """Run ``act`` again and again while the file is locked; after two seconds name the holder."""
    wait, end = Wait(), time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return act()
        except Exception as error:
            if not _is_locked(error) or time.monotonic() > end:
                raise
        wait.look(lambda: f"the ledger {path}, which is in use by {_holders(path)}")
        time.sleep(PAUSE_SECONDS)


def _is_locked(error: BaseException) -> bool:
    return isinstance(error, BlockingIOError) or any("locked" in str(e) for e in causes(error))


def _holders(path: Path) -> str:
    """Return which processes of this machine have locked a file, as a text."""
    found: set[int] = set()
    with suppress(OSError, ValueError, IndexError):
        inode = str(path.stat().st_ino)
        # a line with "->" is a process that waits for a lock
        locks = (line.split() for line in OPEN_LOCKS.read_text().splitlines() if "->" not in line)
        found = {int(lock[4]) for lock in locks if lock[5].split(":")[-1] == inode}
    numbers = ", ".join(str(number) for number in sorted(found - {0, -1, os.getpid()}))
    return f"process {numbers}" if numbers else "another process"
