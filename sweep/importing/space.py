"""The search space of an imported study, from the values that were tried."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

from sweep.spaces import Choices, FloatRange, IntRange, encode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.spaces import Dimension

FEW = 10
"""Distinct numbers of a parameter up to which they are choices; more are a range."""
DECADES = 1000.0
"""Highest by lowest value from which a range is taken for a logarithmic one."""
LARGEST = 2**53


def space_of(
    params: Sequence[Mapping[str, Any]], known: Mapping[str, Dimension] | None = None
) -> dict[str, Dimension]:
    """Return the space that some candidates were drawn from.

    Parameters
    ----------
    params : sequence of mapping
        Parameters of each candidate, as plain values.
    known : mapping of str to dimension, optional
        What the tool itself says of a parameter.

    Returns
    -------
    dict of str to dimension
        Of a whole grid choices; otherwise numbers of more than ten values are a range from the
        lowest to the highest, logarithmic where these are positive and a thousandfold apart.
    """
    values: dict[str, list[Any]] = {}
    for each in params:
        for name, value in each.items():
            values.setdefault(name, []).append(value)
    distinct = {name: _distinct(held) for name, held in values.items()}
    whole = len(params) == prod(map(len, distinct.values()))
    said = known or {}
    return {
        name: said[name] if name in said else _dimension(held, whole=whole)
        for name, held in distinct.items()
    }


def holds(dimension: Dimension, values: Sequence[Any]) -> bool:
    """Return whether a dimension that a tool names has all the values that were tried."""
    if isinstance(dimension, Choices):
        known = {repr(value) for value in dimension.values}
        distinct = len({str(value) for value in dimension.values}) == len(dimension.values)
        return distinct and all(repr(value) in known for value in values)
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    inside = all(dimension.low <= value <= dimension.high for value in numbers)
    return len(numbers) == len(values) and inside


def unmixed(params: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return parameters in which no column mixes truth values with numbers: 1 and True are one."""
    kinds: dict[str, set[bool]] = {}
    for each in params:
        for name, value in each.items():
            if isinstance(value, bool | int | float):
                kinds.setdefault(name, set()).add(isinstance(value, bool))
    mixed = {name for name, held in kinds.items() if len(held) > 1}
    return [
        {n: str(v) if n in mixed and isinstance(v, bool) else v for n, v in each.items()}
        for each in params
    ]


def _distinct(values: Sequence[Any]) -> list[Any]:
    found: dict[Any, Any] = {}
    for value in values:
        found.setdefault(encode(value), value)
    return list(found.values())


def _dimension(values: Sequence[Any], *, whole: bool) -> Dimension:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if whole or len(numbers) < len(values) or len(values) <= FEW or not _is_safe(numbers):
        return Choices(tuple(values))
    low, high = min(numbers), max(numbers)
    log = low > 0 and high / low >= DECADES
    if all(isinstance(each, int) for each in numbers):
        return IntRange(int(low), int(high), log=log)
    return FloatRange(float(low), float(high), log=log)


def _is_safe(numbers: Sequence[float]) -> bool:
    return max(map(abs, numbers)) <= LARGEST
