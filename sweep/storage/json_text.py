"""JSON as the ledger stores it: results in one canonical form, read by a fast parser.

The digest of a trial is that of canonical JSON. A result that is stored so is checked by the digest
of its text, without parsing and encoding it again.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from sweep.storage.attributes import RESULT

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
"""Return canonical JSON: keys sorted, no spaces."""


def stored_text(key: str, value: Any) -> str:
    """Return an attribute of a trial as the ledger stores it: a result in canonical form."""
    return canonical(value) if key == RESULT else json.dumps(value)


def loads(text: str) -> Any:
    """Return what a JSON text holds.

    Raises
    ------
    ValueError
        If it is not valid.
    """
    try:
        return from_json(text)
    except ValueError:  # a lone surrogate, which Python's own parser takes
        return json.loads(text)
