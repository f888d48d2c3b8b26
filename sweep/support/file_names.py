"""Names of files: a safe file name for a study, checked identifiers, ``~`` expanded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import LedgerError

if TYPE_CHECKING:
    import os

LENGTH = 60
TAKEN = {
    *("index", "con", "prn", "aux", "nul"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}
"""Reserved names: the list of all reports, and Windows's names of devices."""

_PLAIN = re.compile(r"(?!.*--)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_UID = re.compile(r"[A-Za-z0-9-]{1,64}")
_PART = re.compile(r".* / (outer [0-9]+ of|repeat) [0-9]+", re.DOTALL)


def slug(name: str) -> str:
    """Return a safe file name for a study's name; different names give different file names.

    A plain name stays unchanged: at most 60 lower-case letters, digits, ``_`` and single hyphens.
    Any other gets two hyphens and a digest, which no plain name has; so does one with upper-case
    letters, because some file systems ignore case.
    """
    if _PLAIN.fullmatch(name) and len(name) <= LENGTH and name not in TAKEN:
        return name
    digest = _sha256(name.encode("utf-8", "surrogatepass"))
    return f"{_readable(name)}--{digest[:16]}"


def older_slug(name: str) -> str:
    """Return the file name that older versions gave to a study; two could share one."""
    plain = _readable(name)
    if plain == name:
        return plain
    return f"{plain}-{_sha256(name.encode('utf-8', 'surrogatepass'))[:8]}"


def _readable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:LENGTH] or "study"


def checked_uid(uid: object) -> str:
    """Return a study's ``uid`` if it is safe as a folder's name; it may be empty.

    Raises
    ------
    LedgerError
        If it is not, so that it could lead to another folder.
    """
    if uid == "" or (isinstance(uid, str) and _UID.fullmatch(uid)):
        return uid
    raise LedgerError(
        f"the uid of a study must be 1 to 64 letters, digits and hyphens, got {ascii(uid)[:80]}: "
        "somebody has changed the ledger, and no file is read, written or removed by that uid; "
        "run the study anew under another --name"
    )


def outer_name(study: str, number: int, of: int) -> str:
    """Return the name of an outer fold's own study in the ledger; lists do not show it."""
    return f"{study} / outer {number} of {of}"


def repeat_name(study: str, number: int) -> str:
    """Return the name of the study that holds a further repeat of another; lists do not show it."""
    return f"{study} / repeat {number}"


def is_part_name(name: str) -> bool:
    """Return whether a name has a form that is reserved for outer folds and further repeats."""
    return _PART.fullmatch(name) is not None


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` and ``~name`` expanded to home folders, as a shell does."""
    given = Path(path)
    try:
        return given.expanduser()
    except RuntimeError:  # no such user, or without a home folder
        return given


def _sha256(name: bytes) -> str:
    from hashlib import sha256  # loads OpenSSL, which is slow, and most commands need no digest

    return sha256(name).hexdigest()
