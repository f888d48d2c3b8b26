"""Translate errors of databases and their drivers: what they mean for a ledger, and the remedy."""

from __future__ import annotations

import json

from sweep.errors import LedgerAwayError, LedgerError, StudyNotFoundError
from sweep.storage.retries import causes
from sweep.support.redaction import redacted

UNKNOWN = "sweep knows no such database; it takes sqlite:/// and postgresql://"

OPENING = (
    (
        ("not a database", "malformed", "decode to UTF-8"),
        (
            "this file is not a ledger, or it is damaged; it was left as it is; name another with "
            "--storage"
        ),
    ),
    (
        ("unable to open", "readonly", "Permission"),
        "the ledger cannot be opened for writing; check its rights",
    ),
    (("disk is full", "No space left"), "the disk is full; free some space and run it again"),
    (
        ("storage upgrade",),
        "an older version of Optuna made this ledger; `sweep migrate` brings it up to date",
    ),
    (
        ("updating optuna",),
        "a later version of Optuna made this ledger; please upgrade sweep; it was left as it is",
    ),
    (
        ("authentication failed", "no password supplied"),
        "the database server refuses this user or password",
    ),
    (
        ("pg_hba.conf", "support SSL", "not permitted to log in"),
        "the database server does not let this user in from here; see its pg_hba.conf and sslmode",
    ),
    (("FATAL:  role",), "there is no such user on this server; make it first (CREATE ROLE)"),
    (
        ("permission denied for",),
        "this user may not make or read tables there; grant it USAGE and CREATE on the schema",
    ),
    (
        ("no schema has been selected",),
        "there is no such schema in this database; make it first (CREATE SCHEMA)",
    ),
    (
        ("too many connections", "too many clients", "connection slots"),
        "the database server has no free connection; try again, or raise its max_connections",
    ),
    (
        ("refused", "could not translate", "failed to resolve", "timeout expired"),
        "the database server cannot be reached; check the address, and that it runs",
    ),
    (("load plugin",), UNKNOWN),
    (("locked",), "another process holds the ledger; try again"),
    (("FATAL:  database",), "there is no such database on this server; make it first"),
    (
        ("no such table", "does not exist"),
        "there is no ledger here yet; `sweep run FILE` makes one",
    ),
)
"""Error texts while a ledger is opened, and the messages for them; the first match counts."""

WORKING = (
    (("readonly",), "the ledger may not be written; check its rights"),
    (("disk is full",), "the disk is full; free some space and run the same command again"),
    (("locked",), "another process holds the ledger; try again"),
    (("malformed",), "the ledger is damaged; it was left as it is"),
    (("not a database",), "this file is not a ledger; it was left as it is"),
    (("no such ",), "this database belongs to another program; it was left as it is"),
)
"""Error texts while a ledger is read or written, and the messages for them."""
DELETED = "the study, or a part of it, was deleted meanwhile"


def opening_error(error: Exception, shown: str) -> LedgerError:
    """Return the error for a ledger that cannot be opened.

    Parameters
    ----------
    error : Exception
        Raised by SQLAlchemy, a driver or Optuna.
    shown : str
        The ledger's address without its password.
    """
    if isinstance(error, ImportError) and shown.startswith("postgresql"):
        extra = ': pip install ".[postgres]" in a checkout of sweep'
        return LedgerError(f"{shown}: the driver of this database is not installed{extra}")
    if isinstance(error, ImportError):
        return LedgerError(f"{shown}: {UNKNOWN}")
    text = " ".join(str(each) for each in causes(error))
    first = (redacted(str(error)).strip().splitlines() or ["no message"])[0]
    unknown = f"the ledger cannot be opened ({type(error).__name__}: {first})"
    return LedgerAwayError(f"{shown}: {_meaning(text, OPENING) or unknown}")


def working_error(error: BaseException, shown: str) -> LedgerError:
    """Return the error for a ledger that cannot be read or written; see :func:`opening_error`."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = str(getattr(cause, "orig", None) or cause).splitlines()[0]
    if "foreign key" in text.lower():
        return StudyNotFoundError(DELETED)
    unknown = f"the ledger cannot be read or written ({json.dumps(redacted(text))})"
    return LedgerAwayError(f"{shown}: {_meaning(text, WORKING) or unknown}")


def _meaning(text: str, table: tuple[tuple[tuple[str, ...], str], ...]) -> str | None:
    return next((meant for words, meant in table if any(word in text for word in words)), None)
