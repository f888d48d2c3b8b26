"""Keep other processes out of the same part of their work on a ledger."""

from __future__ import annotations

import fcntl
import time
import zlib
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.steady import again
from sweep.ledger.storage import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection, Engine

    from sweep.ledger.studies import Studies


LOCK_SECONDS = 30.0
LOOK_SECONDS = 0.02


@contextmanager
def one_at_a_time(ledger: Studies, name: str, part: str) -> Iterator[Callable[[], bool]]:
    """Wait until no other process is in that part of its work on a study, and keep others out.

    The lock is the operating system's, or PostgreSQL's: it is gone with the process that held it.

    Parameters
    ----------
    ledger : Studies
        Where the study is.
    name : str
        The study.
    part : str
        ``"cells"``, ``"rungs"`` or ``"finish"``.

    Yields
    ------
    callable
        Says whether others are still kept out: a lost connection to PostgreSQL lets them in.
    """
    path = sqlite_path(ledger.url)
    if path is not None:
        with path.with_name(f"{path.name}.{part}").open("a") as lock:
            _wait_for(lock, None if part == "finish" else LOCK_SECONDS)
            yield lambda: True
    elif ledger.storage.engine.name == "postgresql":
        with _advisory(ledger.storage.engine, zlib.crc32(f"sweep {part} {name}".encode())) as held:
            yield held
    else:
        yield lambda: True


def _wait_for(lock: IO[str], seconds: float | None) -> None:
    """Take a lock; a refit may take hours, everything else moments."""
    end = None if seconds is None else time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if end is not None and time.monotonic() > end:
                raise LedgerError(
                    f"{lock.name}: another process has held the ledger for {seconds:g} s; end it, "
                    "and run the same command again"
                ) from None
        time.sleep(LOOK_SECONDS)


HELD = """
    SELECT COUNT(*) FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objid = :key
"""


@contextmanager
def _advisory(engine: Engine, key: int) -> Iterator[Callable[[], bool]]:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    def locked() -> Connection:
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        except BaseException:
            connection.close()
            raise
        return connection

    def held() -> bool:
        with suppress(SQLAlchemyError):
            return bool(connection.execute(text(HELD), {"key": key}).scalar())
        return False

    with again(locked) as connection:
        try:
            yield held
        finally:
            with suppress(SQLAlchemyError):  # a connection that is lost holds no lock
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
