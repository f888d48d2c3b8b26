"""The kinds of dimensions of a search space."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

from sweep.errors import StudyFileError

When: TypeAlias = Mapping[str, tuple[Any, ...]]
Params: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Choices:
    """A list of values: None, bool, number, text, or a list of these.

    Attributes
    ----------
    values : tuple
        The choices, in the order of the study file.
    when : mapping of str to tuple
        The parameter applies only where each of these parameters has one of these values.
    """

    values: tuple[Any, ...]
    when: When = field(default_factory=dict)


@dataclass(frozen=True)
class IntRange:
    """Whole numbers from ``low`` to ``high``, both included.

    Attributes
    ----------
    low, high : int
        The ends.
    step : int
        Distance between neighbours, counted from ``low``.
    log : bool
        Sample the logarithm uniformly.
    when : mapping of str to tuple
        As in :class:`Choices`.
    """

    low: int
    high: int
    step: int = 1
    log: bool = False
    when: When = field(default_factory=dict)


@dataclass(frozen=True)
class FloatRange:
    """Real numbers from ``low`` to ``high``, both included.

    Attributes
    ----------
    low, high : float
        The ends.
    step : float or None
        Distance between neighbours, counted from ``low``; None for any number in the range.
    log : bool
        Sample the logarithm uniformly.
    when : mapping of str to tuple
        As in :class:`Choices`.
    """

    low: float
    high: float
    step: float | None = None
    log: bool = False
    when: When = field(default_factory=dict)


Dimension: TypeAlias = Choices | IntRange | FloatRange
Space: TypeAlias = Mapping[str, Dimension]


def ordered(space: Space) -> list[str]:
    """Return the names in an order in which parents of conditions come first, else as given."""
    done: list[str] = []
    left = list(space)
    while left:
        free = [name for name in left if not set(space[name].when) & set(left)]
        if not free:
            raise StudyFileError("study", [f"space.{left[0]}: conditions must not form a circle"])
        done.append(free[0])
        left.remove(free[0])
    return done


def applies(dimension: Dimension, params: Mapping[str, Any]) -> bool:
    """Return whether the parameters chosen so far meet the dimension's condition."""
    return all(
        parent in params and any(same(params[parent], value) for value in values)
        for parent, values in dimension.when.items()
    )


def same(one: Any, other: Any) -> bool:
    """Return whether values are equal, also in lists; ``1`` equals ``1.0`` but not ``True``."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def top(dimension: IntRange | FloatRange) -> Any:
    """Return the largest value that steps from ``low`` reach; Optuna warns about other ends."""
    if dimension.step is None or dimension.log:
        return dimension.high
    if isinstance(dimension, IntRange):
        return dimension.high - (dimension.high - dimension.low) % dimension.step
    low, step = Decimal(str(dimension.low)), Decimal(str(dimension.step))
    return float(low + (size(dimension) - 1) * step)


def size(dimension: Dimension) -> int:
    """Return the number of values of a dimension in a grid, without listing them."""
    if isinstance(dimension, Choices):
        return len(dimension.values)
    if isinstance(dimension, IntRange):
        return (dimension.high - dimension.low) // dimension.step + 1
    low, high, step = (Decimal(str(n)) for n in (dimension.low, dimension.high, dimension.step))
    return int((high - low) // step) + 1


def text(dimension: Dimension) -> str:
    """Return a dimension as in a study file."""
    if isinstance(dimension, Choices):
        return json.dumps(list(dimension.values))
    kind = "int" if isinstance(dimension, IntRange) else "float"
    step = "" if dimension.step in (None, 1) else f", step = {dimension.step}"
    log = ", log = true" if dimension.log else ""
    return f"{{{kind} = [{dimension.low}, {dimension.high}]{step}{log}}}"
