"""Rules between parameters, held against every combination that a study can come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spaces.combinations import combinations
from sweep.spec.fit_parameters import ACTS, acts, ends_itself, ignored, settled
from sweep.spec.methods import is_grid
from sweep.spec.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sweep.spaces import Space


def optimizer_problems(
    fixed: Mapping[str, Any], space: Space, own: Collection[str] = ()
) -> Iterator[Problem]:
    """Find settings that an optimizer does not take, where a candidate can have both.

    Not of one that the factory makes: ``own`` are the parameters that it takes itself.
    """
    if "optimizer" in own:
        return
    found: dict[str, str] = {}
    names = {"optimizer", "momentum", "nesterov"}.difference(own)
    for params in combinations(space, names):
        if broken := ignored(settled(fixed, params)):
            found.setdefault(*broken)
    for name, message in found.items():
        yield Problem(("space" if name in space else "model", name), message)


def idle_problems(fixed: Mapping[str, Any], space: Space) -> Iterator[Problem]:
    """Find searched parameters that act on no candidate: all their values would be one."""
    for name, others in ACTS.items():
        if name not in space:
            continue
        possible = combinations(space, (name, *others))
        if not any(name in params and acts(name, settled(fixed, params)) for params in possible):
            message = f"acts only with {' or '.join(others)}, which no candidate has; leave it out"
            yield Problem(("space", name), message)


def pruner_problems(
    search: Mapping[str, Any], fixed: Mapping[str, Any], space: Space
) -> Iterator[Problem]:
    """Find fits that decide themselves when they end, under a pruner that would do so."""
    if search.get("pruner") in (None, "none") or is_grid(search.get("method")):
        return
    possible = combinations(space, ("early_stopping", "callbacks"))
    found = (ends_itself(settled(fixed, params)) for params in possible)
    for name in sorted({each for each in found if each}):
        yield Problem(
            ("search", "pruner"),
            f"a pruner decides after each epoch, so {name} must be left out; "
            'or say pruner = "none"',
        )
