"""Wait for an SQLite ledger that another process writes, and say so."""

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
"""How long a process waits for another's write to an SQLite ledger."""

PAUSE_SECONDS = 0.05
OPEN_LOCKS = Path("/proc/locks")
"""Where Linux tells who has locked which file."""


class Connection(sqlite3.Connection):
    """A connection to a ledger that waits with its commit for those who read."""

    path = Path()

    def commit(self) -> None:
        """Commit, when nobody reads."""
        when_free(self.path, super().commit)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep out other processes that make a ledger in a folder, or put one in another's place."""
    held = os.open(folder, os.O_RDONLY)
    try:
        when_free(folder, lambda: fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB))
        yield
    finally:
        os.close(held)


def when_free(path: Path, act: Callable[[], T]) -> T:
    """Try again while the file is locked; say who has locked it where that takes long."""
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
    """Return which processes have locked a file, as far as this machine tells."""
    found: set[int] = set()
    with suppress(OSError, ValueError, IndexError):
        inode = str(path.stat().st_ino)
        held = (line.split() for line in OPEN_LOCKS.read_text().splitlines() if "->" not in line)
        found = {int(each[4]) for each in held if each[5].split(":")[-1] == inode}
    numbers = ", ".join(str(number) for number in sorted(found - {0, -1, os.getpid()}))
    return f"process {numbers}" if numbers else "another process"
