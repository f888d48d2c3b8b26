"""``[space]``: from plain values to dimensions, and back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sweep.errors import StudyFileError
from sweep.spaces import (
    Choices,
    Dimension,
    FloatRange,
    IntRange,
    Space,
    encode,
    grid_values,
    ordered,
    same,
    text,
)
from sweep.spec.number_types import is_number, is_whole
from sweep.spec.problems import Problem, did_you_mean, shown

KINDS = ("choices", "int", "float")
OF_RANGES = ("end", "high", "low", "max", "max_value", "min", "min_value", "start", "stop")
KEYS = (*KINDS, "step", "log", "when")
FORMS = "[16, 32], { int = [3, 7] }, { float = [0.0, 0.5] } or { choices = [16, 32] }"
MOST_STEPS = 1_000_000
LARGEST = 2**53
"""Past it a float no longer tells neighbouring whole numbers apart, and samplers use floats."""


class _BadDimensionError(ValueError):
    """One dimension breaks a rule; its text says which."""


def parse_space(raw: Mapping[str, Any], fixed: Mapping[str, Any]) -> tuple[Space, list[Problem]]:
    """Read ``[space]``.

    Parameters
    ----------
    raw : mapping
        The section as received.
    fixed : mapping
        The parameters of ``[model]``, for a remedy where a condition names one.

    Returns
    -------
    space : mapping of str to dimension
        Those that could be read.
    problems : list of Problem
        Everything that breaks a rule.
    """
    space: dict[str, Dimension] = {}
    problems: list[Problem] = []
    for name, value in raw.items():
        try:
            space[name] = parse(value)
        except _BadDimensionError as error:
            problems.append(Problem(("space", name), str(error)))
    problems += _conditions(space, set(raw), fixed)
    return space, problems or _circles(space)


def _range_of(key: str) -> str:
    """Say how a range is written where another library's words stand, else which keys there are."""
    if key not in OF_RANGES:
        return did_you_mean(key, KEYS)
    return "; a range is { int = [32, 512], step = 32 } or { float = [1e-4, 1e-2], log = true }"


def parse(value: Any) -> Dimension:
    """Read one dimension: a list of choices, or a table."""
    if isinstance(value, list):
        return Choices(_choices(value))
    if not isinstance(value, Mapping):
        raise _BadDimensionError(f"must be {FORMS}, got {shown(value)}")
    for key in value:
        if key not in KEYS:
            raise _BadDimensionError(
                f"unknown key {json.dumps(str(key), ensure_ascii=False)}{_range_of(key)}"
            )
    kinds = [kind for kind in KINDS if kind in value]
    if len(kinds) != 1:
        raise _BadDimensionError(f"must have one of choices, int, float, got {shown(value)}")
    return _READERS[kinds[0]](value)


def plain_dimension(dimension: Dimension) -> Any:
    """Write a dimension back as the plain values that :func:`parse` reads."""
    when = {"when": {k: list(v) for k, v in dimension.when.items()}} if dimension.when else {}
    if isinstance(dimension, Choices):
        return {"choices": list(dimension.values), **when} if when else list(dimension.values)
    kind = "int" if isinstance(dimension, IntRange) else "float"
    step = {} if dimension.step in (None, 1) else {"step": dimension.step}
    log = {"log": True} if dimension.log else {}
    return {kind: [dimension.low, dimension.high], **step, **log, **when}


def _read_choices(table: Mapping[str, Any]) -> Choices:
    for key in ("step", "log"):
        if key in table:
            raise _BadDimensionError(f"choices take no {key}, got {shown(table)}")
    return Choices(_choices(table["choices"]), _when(table))


def _choices(values: Any) -> tuple[Any, ...]:
    if not isinstance(values, list) or not values:
        raise _BadDimensionError(f"a list of choices must hold at least one, got {shown(values)}")
    earlier: set[Any] = set()
    for value in values:
        if isinstance(value, Mapping):
            raise _BadDimensionError(f"a choice must be a value or a list, got {shown(value)}")
        if encode(value) in earlier:
            raise _BadDimensionError(f"choices must differ, got {shown(value)} twice")
        earlier.add(encode(value))
    return tuple(values)


def _read_int(table: Mapping[str, Any]) -> IntRange:
    low, high = _ends(table, "int")
    step, log = table.get("step", 1), _log(table, low)
    if not is_whole(step) or step < 1:
        raise _BadDimensionError(f"step must be a whole number from 1, got {shown(step)}")
    if "step" in table:
        _fits(step, high - low)
    return IntRange(low, high, step, log, _when(table))


def _read_float(table: Mapping[str, Any]) -> FloatRange:
    low, high = (float(end) for end in _ends(table, "float"))
    step, log = table.get("step"), _log(table, low)
    if step is not None and not (is_number(step) and step > 0):
        raise _BadDimensionError(f"step must be a number above 0, got {shown(step)}")
    if step is not None:
        _fits(step, high - low)
    return FloatRange(low, high, None if step is None else float(step), log, _when(table))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Dimension]] = {
    "choices": _read_choices,
    "int": _read_int,
    "float": _read_float,
}


def _fits(step: float, length: float) -> None:
    if not length / MOST_STEPS <= step <= length:
        rule = f"step must fit between low and high, 1 to {MOST_STEPS} times"
        raise _BadDimensionError(f"{rule}, got {shown(step)}")


def _ends(table: Mapping[str, Any], kind: str) -> tuple[Any, Any]:
    ends, right = table[kind], is_whole if kind == "int" else is_number
    if not isinstance(ends, list) or len(ends) != 2 or not all(map(right, ends)):
        what = "two whole numbers" if kind == "int" else "two numbers"
        raise _BadDimensionError(f"{kind} must be [low, high], {what}, got {shown(ends)}")
    if not ends[0] < ends[1]:
        raise _BadDimensionError(f"low must be below high, got {shown(ends)}")
    if max(map(abs, ends)) > LARGEST:
        raise _BadDimensionError(f"the ends must lie within {LARGEST}, got {shown(ends)}")
    return ends[0], ends[1]


def _log(table: Mapping[str, Any], low: float) -> bool:
    log = table.get("log", False)
    if not isinstance(log, bool):
        raise _BadDimensionError(f"log must be true or false, got {shown(log)}")
    if log and "step" in table:
        raise _BadDimensionError(f"log and step exclude each other, got {shown(table)}")
    if log and low <= 0:
        raise _BadDimensionError(f"log needs low above 0, got {shown(low)}")
    return log


def _when(table: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    when = table.get("when", {})
    if not isinstance(when, Mapping) or ("when" in table and not when):
        raise _BadDimensionError(f'when must be like {{ optimizer = "sgd" }}, got {shown(when)}')
    lists = {parent: v if isinstance(v, list) else [v] for parent, v in when.items()}
    for parent, values in lists.items():
        if not values:
            raise _BadDimensionError(f"when.{parent} must hold at least one value, got []")
    return {parent: tuple(values) for parent, values in lists.items()}


def _conditions(space: Space, names: set[str], fixed: Mapping[str, Any]) -> Iterator[Problem]:
    for name, dimension in space.items():
        for parent, values in dimension.when.items():
            place = ("space", name, "when", parent)
            if parent in space:
                yield from _reachable(place, space[parent], values)
            elif parent not in names:
                remedy = did_you_mean(parent, names - {name})
                remedy = (
                    ", it is fixed in [model]; leave the condition out"
                    if parent in fixed
                    else remedy
                )
                yield Problem(place, f'no parameter "{parent}" in [space]{remedy}')


def _reachable(
    place: tuple[str, ...], parent: Dimension, values: tuple[Any, ...]
) -> Iterator[Problem]:
    for value in values:
        if not takes(parent, value):
            yield Problem(place, f"must be a value of {text(parent)}, got {shown(value)}")


def takes(parent: Dimension, value: Any) -> bool:
    """Whether a dimension has that value."""
    if isinstance(parent, Choices):
        return any(same(value, choice) for choice in parent.values)
    if not is_number(value) or not parent.low <= value <= parent.high:
        return False
    if isinstance(parent, IntRange):
        return is_whole(value) and (value - parent.low) % parent.step == 0
    return parent.step is None or value in grid_values(parent)


def _circles(space: Space) -> list[Problem]:
    try:
        ordered(space)
    except StudyFileError as error:
        place, _, message = error.problems[0].partition(": ")
        return [Problem(tuple(place.split(".", 1)), message)]
    return []
