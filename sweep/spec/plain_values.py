"""From what a person hands in to plain values: text, truth values, numbers, lists, tables."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sweep.spec.problems import Problem, shown
from sweep.spec.python_values import plain, remedy

DEEPEST = 8
"""Tables and lists inside each other; a study file needs four."""
_LARGEST_INT = 2**63 - 1


def cleaned(raw: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
    """Copy the sections as plain values, and find what is none.

    Returns
    -------
    sections : dict
        Tuples have become lists; keys whose value is None are left out of sections; what breaks
        a rule stands as text, so that reading can go on.
    problems : list of Problem
        Values that a study file cannot hold, each with its place.
    """
    problems: list[Problem] = []
    sections: dict[str, Any] = {}
    for name, table in raw.items():
        if table is None:
            continue
        if not isinstance(table, Mapping):
            problems.append(
                Problem((str(name),), f"must be a section ([{name}]), got {shown(table)}")
            )
            continue
        given = {key: value for key, value in table.items() if value is not None}
        sections[str(name)] = _copy(given, (str(name),), problems)
    return sections, problems


def _copy(value: Any, place: tuple[str, ...], problems: list[Problem]) -> Any:
    if len(place) > DEEPEST:
        problems.append(Problem(place[:2], f"must not nest deeper than {DEEPEST} levels"))
        return shown(value)
    if rule := remedy(place, value):
        problems.append(Problem(place[:2], rule))
        return shown(type(value).__name__)
    value = plain(value)
    if isinstance(value, Mapping):
        return {str(k): _copy(v, (*place, str(k)), problems) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(v, (*place, str(n)), problems) for n, v in enumerate(value)]
    if rule := _broken(value):
        problems.append(Problem(place[:2], f"{rule}, got {shown(value)}"))
        return shown(value)
    return value


def _broken(value: Any) -> str | None:
    """Say which rule a single value breaks."""
    if type(value) not in (bool, int, float, str):
        return "must be text, a number, true or false, a list or a table"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if isinstance(value, int) and abs(value) > _LARGEST_INT:
        return "must fit into 64 bits"
    return None
