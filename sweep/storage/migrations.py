"""A ledger that an older Optuna made, brought up to date; the old one stays as a backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.storage.locations import shown_url, sqlite_path, sqlite_url
from sweep.storage.sqlite_waiting import alone_in, when_free
from sweep.storage.waiting_messages import TOLD_SECONDS
from sweep.support.file_writing import real, take_place
from sweep.support.redaction import remember, shown_cause

if TYPE_CHECKING:
    from collections.abc import Iterator


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect to an SQLite ledger that is only to be looked at.

    A write that a killed process left half done is rolled back, which a connection that may not
    write could not do.
    """
    where = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(where, uri=True, timeout=TOLD_SECONDS)
    connection.execute("PRAGMA query_only = ON")
    when_free(path, lambda: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall())
    return connection


def revision(path: Path) -> str | None:
    """Return the version of an SQLite ledger's tables; None where it says none."""
    try:
        with closing(connect_to_read(path)) as ledger:
            found = ledger.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return str(found[0]) if found else None


def is_older(path: Path) -> bool:
    """Return whether an SQLite ledger is of a version that can be brought up to date."""
    return path.exists() and _is_before(revision(path))


def is_older_server(url: str) -> bool:
    """Return whether a database server's ledger is of a version that can be brought up to date.

    Raises
    ------
    LedgerError
        If the server cannot be asked, or holds no ledger.
    """
    return _is_before(server_revision(url))


def server_revision(url: str) -> str:
    """Return the version of a ledger's tables on a database server.

    Raises
    ------
    LedgerError
        If the server cannot be asked, or holds no ledger.
    """
    import sqlalchemy

    from sweep.storage.error_messages import opening_error

    remember(url)
    held, version = None, "SELECT version_num FROM alembic_version"
    try:
        with sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect() as connection:
            if sqlalchemy.inspect(connection).has_table("alembic_version"):
                held = connection.execute(sqlalchemy.text(version)).scalar()
    except Exception as error:  # noqa: BLE001 - each driver has its own
        raise opening_error(error, shown_url(url)) from shown_cause(error)
    if held is None:
        raise LedgerError(
            f"{shown_url(url)}: there is no ledger here yet; `sweep run FILE` makes one"
        )
    return str(held)


def _is_before(held: str | None) -> bool:
    latest, *older = _revisions()
    return held != latest and held in older


def _revisions() -> Iterator[str]:
    """Return the versions that Optuna knows, the latest first."""
    import optuna.storages._rdb as rdb
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(rdb.__file__).parent / "alembic"))
    return (each.revision for each in ScriptDirectory.from_config(config).walk_revisions())


def upgrade(path: Path) -> Path | None:
    """Bring an SQLite ledger up to date; return the backup of how it was.

    The work is done on a copy, which takes the ledger's place when it is whole, with its owner
    and permission bits; a link is followed. One process does it, others wait: a second copy would
    lose what was written into the ledger since the first took its place.

    Returns
    -------
    Path or None
        None if another process has done it meanwhile.

    Raises
    ------
    LedgerError
        If it fails; the ledger is then as it was.
    """
    path = real(path)
    try:
        with alone_in(path.parent):
            held = revision(path)
            return _upgraded(path, f"{path.name}.before-{held}") if _is_before(held) else None
    except (LedgerError, OSError, sqlite3.Error) as error:
        raise LedgerError(
            f"{path}: it could not be brought up to date ({error}); it was left as it is"
        ) from error


def _upgraded(path: Path, name: str) -> Path:
    backup, copy = path.with_name(name), path.with_name(f"{path.name}.new")
    try:
        copy.unlink(missing_ok=True)
        with closing(connect_to_read(path)) as old, closing(sqlite3.connect(copy)) as new:
            old.backup(new)
        upgrade_tables(sqlite_url(copy))
        backup.unlink(missing_ok=True)
        os.link(path, backup)
        take_place(copy, path)
    finally:
        copy.unlink(missing_ok=True)
    return backup


def upgrade_tables(url: str) -> None:
    """Have Optuna bring a database's tables up to date, in place."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        storage = optuna.storages.RDBStorage(url, skip_compatibility_check=True)
        try:
            storage.upgrade()
        finally:
            storage.remove_session()
            storage.engine.dispose()
    except Exception as error:
        if sqlite_path(url) is None and not is_older_server(url):  # another process was faster
            return
        said = str(error).strip().splitlines()[0][:200]
        raise LedgerError(
            f"{shown_url(url)}: it could not be brought up to date ({said})"
        ) from error
