"""Keep other processes out of the same part of their work on a ledger."""

from __future__ import annotations

import fcntl
import time
import zlib
from contextlib import contextmanager, suppress
from typing import IO, TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.storage import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

    from sweep.ledger.studies import Studies


LOCK_SECONDS = 30.0
LOOK_SECONDS = 0.02


@contextmanager
def one_at_a_time(ledger: Studies, name: str, part: str) -> Iterator[None]:
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
    """
    path = sqlite_path(ledger.url)
    if path is not None:
        with path.with_name(f"{path.name}.{part}").open("a") as lock:
            _wait_for(lock, None if part == "finish" else LOCK_SECONDS)
            yield
    elif ledger.storage.engine.name == "postgresql":
        with _advisory(ledger.storage.engine, zlib.crc32(f"sweep {part} {name}".encode())):
            yield
    else:
        yield


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


@contextmanager
def _advisory(engine: Engine, key: int) -> Iterator[None]:
    from sqlalchemy import text
    from sqlalchemy.exc import SQLAlchemyError

    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
        try:
            yield
        finally:
            with suppress(SQLAlchemyError):  # a connection that is lost holds no lock
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": key})
