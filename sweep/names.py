"""Study names as file names: a name never becomes a path as it stands."""

from __future__ import annotations

import hashlib
import re

LENGTH = 60


def slug(name: str) -> str:
    """Return a study's name as a safe file name; names that differ never share one."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:LENGTH] or "study"
    if plain == name:
        return plain
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
