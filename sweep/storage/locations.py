"""Addresses of ledgers, folders of their files, and addresses without passwords for messages."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote, unquote

from sweep.errors import LedgerError
from sweep.support.file_names import checked_uid, expanded, older_slug, slug
from sweep.support.file_writing import real
from sweep.support.redaction import REMEDY, mistyped, remember

MAPPED = "mapped-rows"
HEARTBEAT_SECONDS = 15
GRACE_SECONDS = 60
_with_files: set[str] = set()
"""Ledgers whose files lie beside them wherever those of others are."""


def here() -> Path:
    """Return the current folder.

    Raises
    ------
    LedgerError
        If it has been deleted.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        raise LedgerError(
            "the current folder is no longer there; change to one that is (`cd`), and run the same "
            "command again"
        ) from None


def default_url(start: Path | None = None) -> str:
    """Return the address of the current project's ledger, ``.sweep/ledger.db``.

    The project is the nearest folder at or above ``start`` that holds ``.sweep`` or a
    ``pyproject.toml``; without one it is ``start`` itself.
    """
    folder = (start or here()).resolve()
    marked = (f for f in (folder, *folder.parents) if (f / ".sweep").is_dir() or _is_project(f))
    return sqlite_url(next(marked, folder) / ".sweep" / "ledger.db")


def storage_url(given: str | None = None) -> str:
    """Return the ledger's address: ``given``, else the environment's, else the project's own file.

    A plain path means an SQLite file.

    Raises
    ------
    LedgerError
        If ``SWEEP_STORAGE_FILE`` names no file with an address, or if an address is mistyped.
    """
    url = given or os.environ.get("SWEEP_STORAGE") or _from_file() or default_url()
    if mistyped(url):
        remember(url)
        raise LedgerError(f"the ledger's address: {REMEDY}")
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):  # SQLAlchemy's default is psycopg2; sweep's extra has psycopg
            return f"postgresql+psycopg://{url.removeprefix(short)}"
    if "://" not in url:
        return sqlite_url(real(expanded(url)))
    scheme, _, rest = url.partition("://")
    if not scheme.startswith("sqlite"):
        return url
    if len(rest) < 2 or rest.startswith("/:memory:"):
        raise LedgerError(f"{url}: a ledger in memory would be lost at once; name a file")
    url = f"sqlite://{rest.partition('?')[0]}"
    path = sqlite_path(url)
    return url if path is None or path == expanded(path) else sqlite_url(expanded(path))


def sqlite_url(path: Path) -> str:
    """Return the SQLite address of a file, with special characters escaped."""
    return f"sqlite:///{quote(str(path), safe='/ ')}"


def _from_file() -> str:
    """Return the first line of the file that ``SWEEP_STORAGE_FILE`` names; empty without one."""
    name = os.environ.get("SWEEP_STORAGE_FILE")
    if not name:
        return ""
    try:
        lines = expanded(name).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise LedgerError(f"SWEEP_STORAGE_FILE: {name} cannot be read: {why}") from error
    if not lines or not lines[0].strip() or "\0" in lines[0]:
        raise LedgerError(
            f"SWEEP_STORAGE_FILE: {name} must have the ledger's address in its first line"
        )
    return lines[0].strip()


def ledger_folder(url: str) -> Path:
    """Return the folder of an SQLite ledger's file; for a server, the project's ledger folder."""
    path = sqlite_path(url)
    return (path or sqlite_path(default_url()) or Path()).parent


def artifacts_folder(url: str, name: str, uid: str = "") -> Path:
    """Return the folder with a study's weights and pictures.

    Two ledgers in one folder may each have a study of that name, and a deleted ledger leaves its
    files behind: the study's ``uid`` tells them apart. Studies of older versions have no ``uid``,
    or their folder is named by :func:`older_slug`. ``SWEEP_ARTIFACTS`` names a folder that every
    machine sees, instead of the one beside the ledger.

    Raises
    ------
    LedgerError
        If the ``uid`` is not a plain name; see :func:`sweep.support.file_names.checked_uid`.
    """
    root, own = artifacts_root(url), checked_uid(uid)
    older = root / older_slug(name) / own
    return older if not own or older.is_dir() else root / slug(name) / own


def artifacts_root(url: str) -> Path:
    """Return the folder with the weights and pictures of a ledger's studies."""
    named = os.environ.get("SWEEP_ARTIFACTS")
    if not named or url in _with_files:
        return ledger_folder(url) / "artifacts"
    shared = expanded(named)
    if shared.exists() and not shared.is_dir():
        raise LedgerError(f"SWEEP_ARTIFACTS: {shared} is no folder; name one, or none")
    return shared


def mapped_folder(url: str) -> Path:
    """Return the folder with the rows of datasets that are read from the disk."""
    return artifacts_root(url) / MAPPED


def keep_files_beside(url: str) -> None:
    """Have a ledger's files looked for beside it, whatever ``SWEEP_ARTIFACTS`` says: a copy's."""
    _with_files.add(url)


def make_artifacts_root(url: str) -> None:
    """Create the folder for the weights and pictures of a ledger's studies.

    Raises
    ------
    LedgerError
        If it cannot be created or written to.
    """
    folder = artifacts_root(url)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        why = "" if os.access(folder, os.W_OK) else "it may not be written"
    except OSError as error:
        why = f"it cannot be made: {error.strerror}"
    if why:
        setting = "SWEEP_ARTIFACTS: " if os.environ.get("SWEEP_ARTIFACTS") else ""
        raise LedgerError(
            f"{setting}{folder} must be a folder for weights and pictures, but {why}; mend that, "
            "or name another with SWEEP_ARTIFACTS"
        )


def sqlite_path(url: str) -> Path | None:
    """Return the file of an SQLite address, None for another database."""
    return Path(unquote(url[len("sqlite:///") :])) if url.startswith("sqlite:///") else None


def shown_url(url: str) -> str:
    """Return the address without its password, for messages."""
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
    except (ArgumentError, ValueError):
        return "(an address that cannot be read)"


def _is_project(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()
