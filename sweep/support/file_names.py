"""Names as files: a study's name is no path as it stands, and ``~`` is the person's own folder."""

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
"""The list of all reports, and names that Windows keeps for devices."""

_PLAIN = re.compile(r"(?!.*--)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?")
_UID = re.compile(r"[A-Za-z0-9-]{1,64}")
_OUTER = re.compile(r".* / outer [0-9]+ of [0-9]+", re.DOTALL)


def slug(name: str) -> str:
    """Return a study's name as a safe file name; names that differ never share one.

    A plain name stays as it is: at most 60 small letters, digits, ``_`` and single hyphens. Any
    other gets two hyphens and a digest, which no plain name has; also one with capitals, because
    some file systems do not tell them from small letters.
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
    """Return a study's ``uid`` as a ledger holds it, to name a folder by; it may be empty.

    Raises
    ------
    LedgerError
        If it could name any other place.
    """
    if uid == "" or (isinstance(uid, str) and _UID.fullmatch(uid)):
        return uid
    raise LedgerError(
        f"the uid of a study must be 1 to 64 letters, digits and hyphens, got {ascii(uid)[:80]}: "
        "somebody has changed the ledger, and no file is read, written or removed by that uid; "
        "run the study anew under another --name"
    )


def outer_name(study: str, number: int, of: int) -> str:
    """Return the name of an outer fold's own study in the ledger, which no list shows."""
    return f"{study} / outer {number} of {of}"


def is_outer_name(name: str) -> bool:
    """Return whether a name is one that only outer folds may have."""
    return _OUTER.fullmatch(name) is not None


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path as a shell would: ``~`` and ``~name`` are folders of people, where known."""
    given = Path(path)
    try:
        return given.expanduser()
    except RuntimeError:  # no such person, or nobody knows where this one lives
        return given


def _sha256(name: bytes) -> str:
    from hashlib import sha256  # OpenSSL takes a while to load, and most commands need no name

    return sha256(name).hexdigest()
