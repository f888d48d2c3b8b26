"""Open an Optuna storage so that many processes may share it safely."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
import warnings
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.names import slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optuna.storages import RDBStorage

HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 60
LOCK_SECONDS = 60.0
"""How long a process waits for another's write to an SQLite ledger."""


def default_url(start: Path | None = None) -> str:
    """Return the address of the current project's ledger, ``.sweep/ledger.db``.

    The project is the nearest folder at or above ``start`` that holds ``.sweep`` or a
    ``pyproject.toml``; without one it is ``start`` itself.
    """
    here = (start or Path.cwd()).resolve()
    marked = (f for f in (here, *here.parents) if (f / ".sweep").is_dir() or _is_project(f))
    return f"sqlite:///{next(marked, here) / '.sweep' / 'ledger.db'}"


def storage_url(given: str | None = None) -> str:
    """Return the ledger's address: given, else ``SWEEP_STORAGE``, else the project's own file.

    A plain path is taken as an SQLite file.
    """
    url = given or os.environ.get("SWEEP_STORAGE") or default_url()
    return url if "://" in url else f"sqlite:///{Path(url).resolve()}"


def ledger_folder(url: str) -> Path:
    """Return the folder beside the ledger where files that belong to it lie."""
    path = sqlite_path(url)
    return path.parent if path else Path(default_url()[len("sqlite:///") :]).parent


def artifacts_folder(url: str, name: str, uid: str = "") -> Path:
    """Return the folder with a study's weights and pictures.

    Ledgers in one folder may each have a study of that name, and a removed ledger leaves its
    files: the study's own ``uid`` tells them apart. Studies of older versions have none.
    """
    return ledger_folder(url) / "artifacts" / slug(name) / uid


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite address, None for another database."""
    return Path(url[len("sqlite:///") :]) if url.startswith("sqlite:///") else None


def open_storage(url: str, *, create: bool = True, write: bool = True) -> RDBStorage:
    """Open the ledger at ``url``.

    SQLite transactions begin with ``BEGIN IMMEDIATE``, so that taking a cell is atomic between
    processes; other databases get a small pool that checks its connections.

    Parameters
    ----------
    url : str
        A database address as SQLAlchemy reads it.
    create : bool
        Make the file where there is none; otherwise that is an error.
    write : bool
        False makes no tables, and lets SQLite itself refuse every change.

    Raises
    ------
    LedgerError
        If it cannot be opened, is no ledger, or comes from another version of Optuna.
    """
    path = sqlite_path(url)
    try:
        if path is not None:
            _check_file(path, create=create, write=write)
        return _open(url, path, write=write)
    except LedgerError:
        raise
    except Exception as error:
        raise _translated(error, shown_url(url)) from error


@contextmanager
def one_at_a_time(url: str, part: str = "lock") -> Iterator[None]:
    """Keep other processes of this machine out of the same part of their work on an SQLite ledger.

    The lock is the operating system's: it is gone with the process that held it.
    """
    path = sqlite_path(url)
    if path is None:
        yield
        return
    with path.with_name(f"{path.name}.{part}").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def shown_url(url: str) -> str:
    """Return the address as it may be shown: without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    path = sqlite_path(url)
    if path is not None:
        return str(path)
    scheme, _, rest = url.partition("://")
    if rest.count("@") > 1:  # an unescaped @ in the password: nothing before the last is shown
        return f"{scheme}://***@{rest.rpartition('@')[2].partition('?')[0]}"
    try:
        return make_url(url).set(query={}).render_as_string(hide_password=True)
    except ArgumentError:
        return "(an address that cannot be read)"


def _open(url: str, path: Path | None, *, write: bool) -> RDBStorage:
    import optuna
    from sqlalchemy import event

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    arguments: dict[str, Any] = {"pool_pre_ping": True, "pool_size": 2, "max_overflow": 2}
    if path is not None and write:
        arguments = {"connect_args": {"timeout": LOCK_SECONDS}}
    elif path is not None:
        arguments = {"creator": lambda: _connect_to_read(path)}
    storage = _with_patience(
        lambda: optuna.storages.RDBStorage(
            url,
            engine_kwargs=arguments,
            heartbeat_interval=HEARTBEAT_SECONDS,
            grace_period=GRACE_SECONDS,
            skip_table_creation=not write,
        )
    )
    if path is not None:
        storage.engine.dispose()
        event.listen(storage.engine, "connect", _leave_transactions_to_us)
        event.listen(storage.engine, "begin", _begin_immediate if write else _begin)
    return storage


def _connect_to_read(path: Path) -> sqlite3.Connection:
    """Connect for queries alone; what a writer that died left half-done is still rolled back."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=LOCK_SECONDS,
        check_same_thread=False,
    )
    connection.execute("PRAGMA query_only = ON")
    return connection


def _with_patience(make: Callable[[], RDBStorage], tries: int = 5) -> RDBStorage:
    """Try again where two processes make the tables of a new ledger at once."""
    for _ in range(tries - 1):
        try:
            return make()
        except Exception as error:
            if "already exists" not in str(error) and "IntegrityError" not in type(error).__name__:
                raise
            time.sleep(0.1)
    return make()


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN")


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()


def _check_file(path: Path, *, create: bool, write: bool) -> None:
    if path.is_dir():
        raise LedgerError(f"{path}: the ledger must be a file, this is a folder")
    if not path.exists() and not create:
        raise LedgerError(
            f"{path}: there is no ledger here yet; `sweep run FILE` makes one, or name another "
            "with --storage or SWEEP_STORAGE"
        )
    if path.exists() and path.stat().st_size:
        _check_tables(path)
    elif not write:
        raise LedgerError(f"{path}: this ledger is empty; `sweep run FILE` fills it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LedgerError(f"{path.parent}: cannot make the ledger's folder: {error}") from error


def _check_tables(path: Path) -> None:
    """Refuse a database of another program before anything is written into it."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as ledger:
        names = {name for (name,) in ledger.execute("SELECT name FROM sqlite_master")}
    if names and "version_info" not in names:
        raise LedgerError(
            f"{path}: this database belongs to another program; it was left as it is; name "
            "another with --storage"
        )


def _translated(error: Exception, shown: str) -> LedgerError:
    text = str(error)
    if "file is not a database" in text or "malformed" in text:
        return LedgerError(
            f"{shown}: this file is not a ledger, or it is damaged; it was left as it is; name "
            "another with --storage"
        )
    if "unable to open" in text or "readonly" in text or "Permission" in text:
        return LedgerError(f"{shown}: the ledger cannot be opened for writing; check its rights")
    if "no longer compatible" in text or "upgrade" in text:
        return LedgerError(f"{shown}: the ledger was made by another version of Optuna")
    if isinstance(error, ImportError | ModuleNotFoundError):
        return LedgerError(f"{shown}: the driver of this database is not installed ({error})")
    return LedgerError(f"{shown}: the ledger cannot be opened ({type(error).__name__})")
