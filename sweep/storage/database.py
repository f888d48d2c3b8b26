"""Open an Optuna storage so that many processes may share it safely."""

from __future__ import annotations

import os
import sqlite3
import time
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from sweep.errors import LedgerError
from sweep.storage.error_messages import opening_error
from sweep.storage.locations import (
    GRACE_SECONDS,
    HEARTBEAT_SECONDS,
    shown_url,
    sqlite_path,
    sqlite_url,
)
from sweep.storage.migrations import connect_to_read, is_current, is_older, server_revision, upgrade
from sweep.storage.retries import add_retries, retry, until_there, wait_for_server
from sweep.storage.sqlite_waiting import Connection, alone_in, when_free
from sweep.storage.waiting_messages import FIRST_MESSAGE_SECONDS
from sweep.support.file_writing import real, take_place
from sweep.support.redaction import remember, shown_cause

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from optuna.storages import RDBStorage

T = TypeVar("T")
ABSENT = ("Connection refused",)
"""Error texts which mean that no server runs there: waiting is useless."""

_expected: set[str] = set()
"""Ledgers on servers that this process has opened, or that it was told of."""

HEADER = b"SQLite format 3\x00"


def open_storage(url: str, *, create: bool = True, reading: bool = False) -> RDBStorage:
    """Open the ledger at ``url``.

    SQLite transactions begin with ``BEGIN IMMEDIATE``, so that a worker claims a cell atomically;
    other databases get a small pool that checks its connections.

    Parameters
    ----------
    url : str
        A database address as SQLAlchemy reads it.
    create : bool
        Create missing tables, and migrate an older SQLite ledger after a backup; without it, both
        are errors.
    reading : bool
        Open read-only: this also works without write permission.

    Raises
    ------
    LedgerError
        If it cannot be opened, is not a ledger, or was written by another version of Optuna.
    """
    remember(url)
    path = sqlite_path(url)
    if path is None:
        _check_address(url)
    try:
        if path is None:
            storage = _open_server(url, create=create)
        else:
            storage = when_free(path, lambda: _open_file(path, url, create=create))
            _begin_explicitly(storage, path, reading=reading)
    except LedgerError:
        raise
    except Exception as error:  # noqa: BLE001 - each driver has its own
        raise opening_error(error, shown_url(url)) from shown_cause(error)
    add_retries(storage)
    return storage


def expect(url: str) -> None:
    """Wait for a server, where it is away, whenever this process opens a ledger there.

    Who started this process had it open: the server is restarted, or will be.
    """
    _expected.add(url)


def _open_server(url: str, *, create: bool) -> RDBStorage:
    patient = url in _expected
    if not create:  # Optuna would leave a connection open where there is no ledger
        _tried(lambda: server_revision(url), patient=patient)
    storage = _tried(lambda: _open(url, _POOLED, create=create), patient=patient)
    wait_for_server(storage.engine)
    expect(url)
    return storage


def _tried(act: Callable[[], T], *, patient: bool) -> T:
    return until_there(act) if patient else retry(act, but=ABSENT)


def _open_file(path: Path, url: str, *, create: bool) -> RDBStorage:
    _check_file(path, create=create)
    if create and is_older(path):
        upgrade(path)
    if _is_empty(path):
        _make(path)
    return _open(url, _PATIENT, create=False, checked=is_current(path))


_PATIENT = {"connect_args": {"timeout": FIRST_MESSAGE_SECONDS, "factory": Connection}}
_POOLED = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 2}


def _check_address(url: str) -> None:
    """Refuse an ambiguous address: part of the password could be read, and shown, as the host."""
    place, _, query = url.partition("?")
    if place.count("@") > 1 or "@" in query:
        raise LedgerError(
            "the ledger's address: the only @ must be the one before the host; in a user, password "
            "or setting write @ as %40, : as %3A, / as %2F, ? as %3F and % as %25"
        )


def _make(path: Path) -> None:
    """Create a new ledger under a temporary name and move it into place when it is complete.

    Where it replaces an empty file, it keeps that file's owner and permission bits; a link is
    followed.
    """
    path = real(path)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        _open(sqlite_url(unfinished), {}, create=True).engine.dispose()
        with alone_in(path.parent):
            if _is_empty(path):  # no other process has created it meanwhile
                take_place(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
        unfinished.with_name(f"{unfinished.name}-journal").unlink(missing_ok=True)


def _open(
    url: str, arguments: dict[str, Any], *, create: bool, checked: bool = False
) -> RDBStorage:
    """Open it with Optuna, which reads all its revisions to compare versions unless ``checked``."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return _with_patience(
        lambda: optuna.storages.RDBStorage(
            url,
            engine_kwargs=arguments,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            skip_table_creation=not create,
            skip_compatibility_check=checked,
        )
    )


def _with_patience(make: Callable[[], RDBStorage], tries: int = 5) -> RDBStorage:
    """Try again: two processes that create the tables of a new ledger at once can collide."""
    for _ in range(tries - 1):
        try:
            return make()
        except Exception as error:
            if "already exists" not in str(error) and "IntegrityError" not in type(error).__name__:
                raise
            time.sleep(0.1)
    return make()


def _begin_explicitly(storage: RDBStorage, path: Path, *, reading: bool) -> None:
    """Make each transaction of an SQLite ledger take the write lock at its start, or only read."""
    from sqlalchemy import event

    def connected(connection: Connection, _record: Any) -> None:
        connection.isolation_level = None  # sqlite3 would begin transactions itself, and deferred
        connection.path = path
        if reading:
            connection.execute("PRAGMA query_only = ON")

    def begin(connection: Any) -> None:
        when_free(path, lambda: _begin(connection, reading=reading))

    storage.engine.dispose()  # connections opened before have no listener
    event.listen(storage.engine, "connect", connected)
    event.listen(storage.engine, "begin", begin)


def _begin(connection: Any, *, reading: bool) -> None:
    """Begin a transaction and take its lock now, so that no later statement has to wait."""
    if not reading:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        return
    connection.exec_driver_sql("BEGIN")
    try:  # a plain BEGIN takes the read lock only with the first query
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1")
    except BaseException:
        connection.connection.rollback()
        raise


def _is_empty(path: Path) -> bool:
    return not path.exists() or not path.stat().st_size


def _check_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise LedgerError(f"{path}: the ledger must be a file, this is a folder")
    if path.exists() and not path.is_file():
        raise LedgerError(
            f"{path}: the ledger must be an ordinary file, this is a device or a pipe; name "
            "another with --storage or SWEEP_STORAGE"
        )
    if not path.exists() and not create:
        raise LedgerError(
            f"{path}: there is no ledger here yet; `sweep run FILE` makes one, or name another "
            "with --storage or SWEEP_STORAGE"
        )
    if not _is_empty(path):
        _check_tables(path)
    elif not create:
        raise LedgerError(f"{path}: the ledger is an empty file: there is nothing to read in it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{path.parent}: cannot make the ledger's folder: {error}") from error


def _check_tables(path: Path) -> None:
    """Refuse another program's database before anything is written to it."""
    with path.open("rb") as file:
        if file.read(len(HEADER)) != HEADER:
            raise LedgerError(
                f"{path}: this file is not a ledger, or its beginning is damaged; it was left as "
                "it is; name another with --storage"
            )
    with closing(connect_to_read(path)) as ledger:
        names = {name for (name,) in ledger.execute("SELECT name FROM sqlite_master")}
    if "version_info" not in names:
        raise LedgerError(
            f"{path}: this database belongs to another program; it was left as it is; name "
            "another with --storage"
        )


def check_whole(url: str) -> None:
    """Check that the file of an SQLite ledger is not damaged, before anything is written to it.

    Raises
    ------
    LedgerError
        If it is damaged; the message names the remedy.
    """
    path = sqlite_path(url)
    if path is None or _is_empty(path):
        return
    try:
        with closing(connect_to_read(path)) as ledger:
            (found,) = ledger.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise opening_error(error, str(path)) from error
    if found != "ok":
        raise LedgerError(
            f"{path}: the ledger is damaged ({_last_line(found)}); nothing was written to it. What "
            "can be read, `sweep list` and `sweep show` read; continue with a backup, or with what "
            f"`sqlite3 {path.name} .recover` finds in a copy"
        )


def _last_line(text: str) -> str:
    """Return the last line of SQLite's report, without its prefix."""
    return text.strip().splitlines()[-1].removeprefix("*** in database main ***").strip()
