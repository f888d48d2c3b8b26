"""Grids: all combinations of a space, and the cells that evaluate them."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyFileError
from sweep.spaces.dimensions import (
    Choices,
    Dimension,
    FloatRange,
    IntRange,
    Params,
    Space,
    applies,
    ordered,
    size,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

GRID_LIMIT = 100_000
"""Most candidates of a grid; more is a mistake, or needs a sampler."""

EPOCHS = "epochs"
"""The parameter whose values one fit can measure all; an estimator's may have another name."""


@dataclass(frozen=True)
class Cell:
    """One cell of work: candidates that differ only in ``epochs`` and share the same fits.

    Attributes
    ----------
    key : str
        Canonical JSON of ``params``: the cell's key in the ledger.
    params : dict
        The searched parameters without ``epochs``.
    epochs : tuple of int
        The epochs to score, ascending; the fit runs to the last.
    candidates : tuple of int
        The index of the candidate of each of ``epochs``.
    """

    key: str
    params: Params
    epochs: tuple[int, ...]
    candidates: tuple[int, ...]


def canonical(params: Mapping[str, Any]) -> str:
    """Return canonical JSON: sorted keys, no spaces.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    return json.dumps(params, sort_keys=True, separators=(",", ":"), allow_nan=False)


def grid_problems(space: Space) -> dict[str, str]:
    """Return why parameters cannot be in a grid: ``{name: rule and value}``; empty for none."""
    problems = {}
    for name, dimension in space.items():
        bare = isinstance(dimension, FloatRange) and dimension.step is None
        if not isinstance(dimension, Choices) and (dimension.log or bare):
            problems[name] = (
                f"a grid needs a list or a step, got {text(dimension)}; "
                'or take method = "tpe", which searches ranges'
            )
    if not problems and space and (n := math.prod(map(size, space.values()))) > GRID_LIMIT:
        name = max(space, key=lambda each: size(space[each]))
        problems[name] = (
            f"a grid must have at most {GRID_LIMIT} candidates, got {n}; "
            'take fewer values, or method = "random"'
        )
    return problems


def grid_candidates(space: Space) -> list[Params]:
    """Return all combinations, in the order of scikit-learn's ``ParameterGrid``.

    Names are sorted and the last varies fastest. A parameter is absent where its condition is not
    met; combinations that become equal by that appear once, at their first position.

    Raises
    ------
    StudyFileError
        For a range without step, a log range, or a grid above ``GRID_LIMIT``.
    """
    if problems := grid_problems(space):
        raise StudyFileError("study", [f"space.{n}: {why}" for n, why in problems.items()])
    names, order = sorted(space), ordered(space)
    rows = itertools.product(*(grid_values(space[name]) for name in names))
    combinations = (_applying(space, order, dict(zip(names, row, strict=True))) for row in rows)
    unique: dict[str, Params] = {}
    for params in combinations:
        unique.setdefault(canonical(params), params)
    return list(unique.values())


def grid_values(dimension: Dimension) -> tuple[Any, ...]:
    """Return the values of a dimension in a grid; a range needs a step."""
    if isinstance(dimension, Choices):
        return dimension.values
    if isinstance(dimension, IntRange):
        return tuple(range(dimension.low, dimension.high + 1, dimension.step))
    low, step = Decimal(str(dimension.low)), Decimal(str(dimension.step))
    return tuple(float(low + i * step) for i in range(size(dimension)))


def cells(
    candidates: Sequence[Mapping[str, Any]],
    epochs: int = 10,
    *,
    staged: Callable[[Mapping[str, Any]], bool] = lambda _: True,
    budget: str = EPOCHS,
) -> list[Cell]:
    """Group candidates that differ only in ``epochs`` into cells, in order of first appearance.

    Parameters
    ----------
    candidates : sequence of mapping
        As from :func:`grid_candidates`.
    epochs : int
        Epochs of a candidate without ``epochs`` of its own.
    staged : callable
        ``staged(candidate) -> bool``: whether the first epochs of its fit equal a shorter fit;
        otherwise it is a cell of its own.
    budget : str
        The parameter that plays the role of ``epochs``.
    """
    groups: dict[str, tuple[Params, dict[int, int]]] = {}
    for index, candidate in enumerate(candidates):
        params = {name: value for name, value in candidate.items() if name != budget}
        key = canonical(params if staged(candidate) else candidate)
        by_epochs = groups.setdefault(key, (params, {}))[1]
        by_epochs.setdefault(candidate.get(budget, epochs), index)
    return [
        Cell(key, params, tuple(sorted(found)), tuple(found[e] for e in sorted(found)))
        for key, (params, found) in groups.items()
    ]


def _applying(space: Space, order: Iterable[str], row: Params) -> Params:
    params: Params = {}
    for name in order:
        if applies(space[name], params):
            params[name] = row[name]
    return {name: params[name] for name in row if name in params}
