"""Rules that wait until a factory of the person's own is loaded: what it does not take itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.canonical_values import double_problems
from sweep.spec.parameter_rules import optimizer_problems
from sweep.spec.section_rules import value_problems

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sweep.spaces import Space
    from sweep.spec.problems import Problem


def training_problems(
    params: Mapping[str, Any], space: Space, own: Collection[str] = ()
) -> Iterator[Problem]:
    """Find training parameters that cannot have that value, alone or beside the others.

    Parameters
    ----------
    params : mapping of str to value
        The parameters of ``[model]``.
    space : mapping of str to dimension
        The search space.
    own : collection of str
        Those that the factory takes itself: it alone knows what they may be.
    """
    yield from value_problems(params, space, own)
    yield from optimizer_problems(params, space, own)
    yield from double_problems(space, {"optimizer"}.difference(own))
