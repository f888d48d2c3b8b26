"""Compare the space of a continued study with the stored one: only growth is allowed."""

from __future__ import annotations

import json

from sweep.spaces.dimensions import Choices, Dimension, Space, text
from sweep.spaces.grids import canonical, grid_values


def grown(old: Space, new: Space, *, grid: bool = True) -> list[str]:
    """Return one line for each change of a space that is not growth.

    Parameters
    ----------
    old, new : mapping of str to dimension
        The space in the ledger, and the one in the study file now.
    grid : bool
        In a grid more values, in any order, and a longer range are growth. A sampler's space
        (``grid=False``) must not change.
    """
    removed = [name for name in old if name not in new]
    added = [name for name in new if name not in old]
    allowed = _grew if grid else _equal
    changed = [name for name in old if name in new and not allowed(old[name], new[name])]
    return [
        f"space.{name}: was {_shown(old.get(name))}, now {_shown(new.get(name))}"
        for name in (*removed, *added, *changed)
    ]


def _grew(old: Dimension, new: Dimension) -> bool:
    if type(old) is not type(new) or _when(old) != _when(new):
        return False
    if isinstance(old, Choices) and isinstance(new, Choices):
        return set(map(json.dumps, old.values)) <= set(map(json.dumps, new.values))
    if old.log or new.log or old.step is None or new.step is None:  # type: ignore[union-attr]
        return _equal(old, new)
    return set(grid_values(old)) <= set(grid_values(new))


def _equal(old: Dimension, new: Dimension) -> bool:
    return _full(old) == _full(new)


def _shown(dimension: Dimension | None) -> str:
    return "left out" if dimension is None else _full(dimension)


def _full(dimension: Dimension) -> str:
    return text(dimension) + (f" when {_when(dimension)}" if dimension.when else "")


def _when(dimension: Dimension) -> str:
    return canonical({k: sorted(map(json.dumps, v)) for k, v in dimension.when.items()})
