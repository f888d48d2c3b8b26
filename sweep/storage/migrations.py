"""Migrate a ledger that an older Optuna made; the old file stays as a backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from sweep.errors import LedgerError
from sweep.storage.locations import shown_url, sqlite_path, sqlite_url
from sweep.storage.sqlite_waiting import alone_in, when_free
from sweep.storage.waiting_messages import FIRST_MESSAGE_SECONDS
from sweep.support.file_writing import real, take_place
from sweep.support.redaction import remember, shown_cause


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect to an SQLite ledger for reading.

    The file is opened read-write (``mode=rw``): SQLite must be able to roll back a transaction
    that a killed process left unfinished. ``query_only`` then forbids writes.
    """
    where = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(where, uri=True, timeout=FIRST_MESSAGE_SECONDS)
    connection.execute("PRAGMA query_only = ON")
    when_free(path, lambda: connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall())
    return connection


def revision(path: Path) -> str | None:
    """Return the schema version of an SQLite ledger; None where it has none."""
    try:
        with closing(connect_to_read(path)) as ledger:
            found = ledger.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return None
    return str(found[0]) if found else None


def is_older(path: Path) -> bool:
    """Return whether an SQLite ledger has an older schema that can be migrated."""
    return path.exists() and _is_before(revision(path))


def is_older_server(url: str) -> bool:
    """Return whether the ledger on a database server has an older schema that can be migrated.

    Raises
    ------
    LedgerError
        If the server cannot be reached, or has no ledger.
    """
    return _is_before(server_revision(url))


def server_revision(url: str) -> str:
    """Return the schema version of the ledger on a database server.

    Raises
    ------
    LedgerError
        If the server cannot be reached, or has no ledger.
    """
    import sqlalchemy

    from sweep.storage.error_messages import opening_error

    remember(url)
    version, query = None, "SELECT version_num FROM alembic_version"
    try:
        with sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool).connect() as connection:
            if sqlalchemy.inspect(connection).has_table("alembic_version"):
                version = connection.execute(sqlalchemy.text(query)).scalar()
    except Exception as error:  # noqa: BLE001 - each driver has its own
        raise opening_error(error, shown_url(url)) from shown_cause(error)
    if version is None:
        raise LedgerError(
            f"{shown_url(url)}: there is no ledger here yet; `sweep run FILE` makes one"
        )
    return str(version)


def is_current(path: Path) -> bool:
    """Return whether an SQLite ledger has the schema of this Optuna."""
    return revision(path) == _revisions()[0]


def _is_before(version: str | None) -> bool:
    latest, *older = _revisions()
    return version != latest and version in older


@cache
def _revisions() -> tuple[str, ...]:
    """Return the schema versions that Optuna knows, the latest first; their files are read once."""
    import optuna.storages._rdb as rdb
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(rdb.__file__).parent / "alembic"))
    return tuple(each.revision for each in ScriptDirectory.from_config(config).walk_revisions())


def upgrade(path: Path) -> Path | None:
    """Migrate an SQLite ledger; return the path of the backup.

    A copy is migrated and then replaces the ledger, with the same owner and permission bits; a
    link is followed. One process migrates, others wait: a second copy would lose what was written
    to the ledger after the first replacement.

    Returns
    -------
    Path or None
        None if another process has migrated it meanwhile.

    Raises
    ------
    LedgerError
        If it fails; the ledger is then as it was.
    """
    path = real(path)
    try:
        with alone_in(path.parent):
            version = revision(path)
            if not _is_before(version):
                return None
            return _upgraded(path, f"{path.name}.before-{version}")
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
        os.link(path, backup)  # a second name, not a copy: the old file is never absent
        take_place(copy, path)
    finally:
        copy.unlink(missing_ok=True)
    return backup


def upgrade_tables(url: str) -> None:
    """Migrate a database's tables in place, with Optuna's own migration."""
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
        cause = str(error).strip().splitlines()[0][:200]
        raise LedgerError(
            f"{shown_url(url)}: it could not be brought up to date ({cause})"
        ) from error
