"""Combinations of a few parameters, to check rules between them."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING, Any

from sweep.spaces.dimensions import Choices, Dimension, Params, Space, applies, ordered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COMBINATIONS_LIMIT = 10_000
"""Most combinations that are checked; a usual space has a few dozen."""


def ends(dimension: Dimension) -> tuple[Any, ...]:
    """Return the values that represent a dimension: its choices, or the ends of its range."""
    if isinstance(dimension, Choices):
        return dimension.values
    return (dimension.low, dimension.high)


def combinations(space: Space, names: Iterable[str]) -> Iterator[Params]:
    """Yield all combinations of some parameters, and of the parents that their conditions name.

    A parameter is absent where its condition is not met. A range is represented by its ends and the
    values that conditions name.

    Parameters
    ----------
    space : mapping of str to dimension
        The search space.
    names : iterable of str
        The parameters; names that the space does not have are ignored.

    Yields
    ------
    dict
        The searched ones of these parameters, as in a candidate.
    """
    inner = _with_parents(space, names)
    values = {name: [*ends(dimension), *_named(inner, name)] for name, dimension in inner.items()}
    order = ordered(inner)
    for row in islice(product(*(values[name] for name in order)), COMBINATIONS_LIMIT):
        chosen = dict(zip(order, row, strict=True))
        params: Params = {}
        for name in order:
            if applies(inner[name], params):
                params[name] = chosen[name]
        yield params


def _with_parents(space: Space, names: Iterable[str]) -> dict[str, Dimension]:
    found: dict[str, Dimension] = {}
    left = [name for name in names if name in space]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = space[name]
            left += [parent for parent in space[name].when if parent in space]
    return found


def _named(space: Space, parent: str) -> list[Any]:
    if isinstance(space[parent], Choices):
        return []
    return [value for each in space.values() for value in each.when.get(parent, ())]
