"""``--set section.key=value``: changes to a study file, from the command line."""

from __future__ import annotations

import copy
import tomllib
from typing import TYPE_CHECKING, Any

from sweep.spec.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_EXCLUDE = {
    ("search", "cv"): "validation",
    ("search", "validation"): "cv",
    ("model", "factory"): "estimator",
    ("model", "estimator"): "factory",
}
"""Saying one of them takes the other away: a person who sets one means it."""


def overridden(
    raw: Mapping[str, Any], changes: Iterable[str]
) -> tuple[dict[str, Any], set[tuple[str, ...]], list[Problem]]:
    """Apply changes such as ``search.cv=3`` to the sections of a study.

    Parameters
    ----------
    raw : mapping
        Sections as received; left as they are.
    changes : iterable of str
        Place, ``=``, and a TOML value; a bare word is text, nothing takes the key away.

    Returns
    -------
    sections : dict
        With the changes.
    places : set of tuple of str
        What was changed.
    problems : list of Problem
        Changes that could not be read.
    """
    sections: dict[str, Any] = {key: copy.deepcopy(value) for key, value in raw.items()}
    places: set[tuple[str, ...]] = set()
    problems: list[Problem] = []
    for change in changes:
        place, equals, text = change.partition("=")
        path = tuple(part.strip() for part in place.split("."))
        try:
            _put(sections, path, text.strip() if equals else None)
        except ValueError as error:
            problems.append(Problem(("--set",), f"{error}, got {shown(change)}"))
        places.add(path)
    return sections, places, problems


def value_of(text: str) -> Any:
    """Read a value as TOML; a bare word is text.

    Raises
    ------
    ValueError
        It begins like a list, a table or a quoted text, but is none.
    """
    try:
        found = tomllib.loads(f"value = {text}")
        if list(found) == ["value"]:
            return found["value"]
    except (ValueError, RecursionError):
        pass
    if text[:1] in ("[", "{", '"', "'") or not text.isprintable():
        raise ValueError("the value must be TOML (3, 0.5, true, adam, [16, 32])")
    return text


def _put(sections: dict[str, Any], path: tuple[str, ...], text: str | None) -> None:
    if text is None or len(path) < 2 or not all(path):
        raise ValueError("must be section.key=value (search.cv=3)")
    node = sections
    for part in path[:-1]:
        node = node.setdefault(part, {})
        if not isinstance(node, dict):
            raise ValueError(f"{part} holds a value, not keys")  # noqa: TRY004 - a value of the person's, not a type of ours
    if not text:
        node.pop(path[-1], None)
        return
    node[path[-1]] = value_of(text)
    if path in _EXCLUDE:
        node.pop(_EXCLUDE[path], None)
