"""Rules of ``[search]`` that need the search space: samplers, fixed first trials, warm starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sweep.spaces import Choices, Dimension, Space, same, text
from sweep.spec.dimensions import takes
from sweep.spec.methods import IMPORTED, METHODS, find_method
from sweep.spec.problems import Problem, did_you_mean, shown
from sweep.spec.sections import OBJECTIVES

if TYPE_CHECKING:
    from collections.abc import Iterator


def sampler_problems(search: Mapping[str, Any], space: Space) -> Iterator[Problem]:
    """Find what a sampler cannot do."""
    method, objectives = find_method(search.get("method")), search.get("objectives")
    several = isinstance(objectives, list | tuple) and len(objectives) > 1
    if several and method and method.one_objective:
        yield Problem(
            ("search", "objectives"),
            f'method = "{method.name}" takes one objective, got {shown(objectives)}; '
            'take method = "nsga2", "tpe" or "gp"',
        )
    for key in ("pruner", "split_pruner"):
        if several and search.get(key) not in (None, "none"):
            yield Problem(
                ("search", key),
                f"a pruner compares one number, got objectives = {shown(objectives)}; "
                f"leave {key} out",
            )
    ranges = any(map(_free_range, space.values()))
    if method and method.needs_free_range and space and not ranges:
        yield Problem(
            ("search", "method"),
            f'"{method.name}" learns ranges without a condition, and [space] has none; '
            'take method = "tpe"',
        )


def imported_problems(search: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what stands in a ledger for another tool's search, and in no study file."""
    if search.get("method") == IMPORTED.name:
        yield Problem(
            ("search", "method"), f'must be one of: {", ".join(METHODS)}, got "{IMPORTED.name}"'
        )
    objectives = search.get("objectives")
    names = objectives if isinstance(objectives, list | tuple) else ()
    if any(name not in OBJECTIVES for name in names):
        yield Problem(
            ("search", "objectives"),
            f'must be "score" first, then any of: {", ".join(OBJECTIVES[1:])}, '
            f"got {shown(objectives)}",
        )


def count_problems(search: Mapping[str, Any]) -> Iterator[Problem]:
    """Find more fixed first trials than there are trials."""
    start, trials = search.get("start"), search.get("trials")
    if isinstance(start, list | tuple) and isinstance(trials, int) and len(start) > trials:
        yield Problem(
            ("search", "trials"),
            f"must be at least the number of [[search.start]] tables, {len(start)}, got {trials}",
        )


def _free_range(dimension: Dimension) -> bool:
    return not isinstance(dimension, Choices) and not dimension.when


def start_problems(start: Any, space: Space) -> Iterator[Problem]:
    """Find fixed first trials that do not lie in the search space."""
    for number, table in enumerate(start if isinstance(start, list | tuple) else ()):
        for name, value in table.items() if isinstance(table, Mapping) else ():
            if problem := _start_problem(name, value, table, space):
                yield Problem(("search", f"start[{number}]", name), problem)


def _start_problem(name: str, value: Any, table: Mapping[str, Any], space: Space) -> str | None:
    if name not in space:
        return f"no parameter of that name in [space]{did_you_mean(name, space)}"
    dimension = space[name]
    if not takes(dimension, value):
        return f"must be a value of {text(dimension)}, got {shown(value)}"
    for parent, values in dimension.when.items():
        if parent in table and not any(same(table[parent], each) for each in values):
            allowed = " or ".join(map(shown, values))
            return f"applies when {parent} = {allowed}, got {shown(table[parent])}; leave it out"
    return None


def start_from_problems(search: Mapping[str, Any], name: Any) -> Iterator[Problem]:
    """Find warm starts that nothing would learn from, and a study that begins from itself."""
    place, names = ("search", "start_from"), search.get("start_from")
    if not isinstance(names, list | tuple) or not names:
        return
    method = find_method(search.get("method"))
    # A grid has a message of its own, in section_rules.
    if method and not method.is_grid and method.warm_start == "none":
        yield Problem(
            place,
            f'method = "{method.name}" learns from no trial, so start_from must be left out, '
            f'got {shown(names)}; or take method = "tpe"',
        )
    elif name in names:
        yield Problem(place, f"must name other studies, got this one: {shown(name)}")
    elif len({*map(str, names)}) < len(names):
        yield Problem(place, f"must name each study once, got {shown(names)}")
