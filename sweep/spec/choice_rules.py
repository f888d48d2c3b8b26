"""Rules for how the winner is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.problems import Problem, shown
from sweep.spec.scorers import first_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def choice_problems(search: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what ``choose`` cannot go together with; defaults are filled in."""
    choose = search.get("choose", "best")
    scoring = first_of(search)
    if choose != "best" and search.get("validation") is not None and scoring != "accuracy":
        yield Problem(
            ("search", "choose"),
            f"needs several splits, or accuracy, to tell candidates apart, got {shown(choose)} "
            f"with one split scored by {shown(scoring)}; say cv = 5 in place of validation",
        )
