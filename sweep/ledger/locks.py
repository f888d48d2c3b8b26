"""Keep other processes out of the same part of their work on a ledger."""

from __future__ import annotations

import fcntl
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sweep.ledger.storage import sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

    from sweep.ledger.studies import Studies


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
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    elif ledger.storage.engine.name == "postgresql":
        with _advisory(ledger.storage.engine, zlib.crc32(f"sweep {part} {name}".encode())):
            yield
    else:
        yield


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
