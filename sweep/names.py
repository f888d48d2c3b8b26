"""Names as files: a study's name is no path as it stands, and ``~`` is the person's own folder."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

LENGTH = 60


def slug(name: str) -> str:
    """Return a study's name as a safe file name; names that differ never share one."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:LENGTH] or "study"
    if plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path as a shell would: ``~`` and ``~name`` are folders of people, where known."""
    given = Path(path)
    try:
        return given.expanduser()
    except RuntimeError:  # no such person, or nobody knows where this one lives
        return given
