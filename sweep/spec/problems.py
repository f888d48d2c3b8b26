"""Problems of a study file: where, and what; pydantic's findings in plain words."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pydantic import ValidationError
    from pydantic.fields import FieldInfo

CLOSE = 0.7
"""How alike two names are, from 0 to 1, before one is taken for a slip of the other."""

LONGEST = 60
"""Characters of a received value that a message shows."""


@dataclass(frozen=True)
class Problem:
    """One problem: its place (``("search", "cv")``) and the rule, the value, the remedy."""

    place: tuple[str, ...]
    message: str


def shown(value: Any) -> str:
    """Write a received value as the study file does, shortened and without control characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=lambda each: type(each).__name__)
    except RecursionError:
        text = "tables or lists without end"
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Say ``", did you mean x?"`` when a known name is close, else list the known ones."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=CLOSE)
    if close:
        return f", did you mean {close[0]}?"
    return f"; there are: {', '.join(names)}" if names else ""


def translated(
    section: str,
    fields: Mapping[str, FieldInfo],
    error: ValidationError,
    raw: Mapping[str, Any],
    place: tuple[str, ...] = (),
) -> list[Problem]:
    """Turn what pydantic found in one section into problems, one for each key.

    Parameters
    ----------
    section : str
        Name of the section.
    fields : mapping of str to FieldInfo
        The section's fields; each one's description completes "must be ...".
    error : ValidationError
        What pydantic found.
    raw : mapping
        The section as it was received.
    place : tuple of str
        Keys between the section and ``raw``.
    """
    found: dict[str, str] = {}
    for each in error.errors(include_url=False):
        key = str(each["loc"][0]) if each["loc"] else ""
        found.setdefault(key, _message(key, each, fields, raw))
    return [Problem((section, *place, key), message) for key, message in found.items()]


def _message(
    key: str, each: Mapping[str, Any], fields: Mapping[str, FieldInfo], raw: Mapping[str, Any]
) -> str:
    if each["type"] == "extra_forbidden":
        return f"unknown key{did_you_mean(key, fields)}"
    if each["type"] == "value_error":
        return str(each["ctx"]["error"])
    rule = fields[key].description if key in fields else "something else"
    return f"is required: {rule}" if key not in raw else f"must be {rule}, got {shown(raw[key])}"
