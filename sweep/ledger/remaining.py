"""What is left to be done of a study before it is at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.ledger.checksums import without_digest
from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.attributes import NESTED, NO_NESTED, RACE, SETTLED, STUDY, WINNER

if TYPE_CHECKING:
    from collections.abc import Mapping


def remaining(
    attributes: Mapping[str, Any], *, status: str, scored: bool, complete: int
) -> str:  # fmt: skip
    """Return what is left of a study: cells, repeats, the winner's refit, outer folds; or nothing.

    Parameters
    ----------
    attributes : mapping of str to value
        The study's user attributes.
    status : str
        As :func:`sweep.ledger.counts.status_of` has it.
    scored : bool
        Whether a candidate has a score.
    complete : int
        Its complete trials.

    Returns
    -------
    str
        ``"cells"``, ``"repeats"``, ``"refit"``, ``"outer folds"``, in this order, or ``""``.
    """
    if status != "finished":
        return "cells"
    search = StoredSearch(attributes[STUDY])
    race = _race(attributes)
    if search.margin and scored and (race.get("margin"), race.get("complete")) != (
        search.margin, complete,
    ):  # fmt: skip
        return "repeats"
    rule = choice_rule(search.choose, race.get("ended_at"))
    if search.refit and scored and not _is_settled(attributes, [complete, rule]):
        return "refit"
    if search.nested and not _has_nested(attributes, search.nested):
        return "outer folds"
    return ""


def choice_rule(choose: str, raced: str | None) -> str:
    """Return the rule of a choice: what the study file says, and when repeats have settled more."""
    return f"{choose}, {raced}" if raced else choose


def _race(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    plain, unchanged = without_digest(attributes.get(RACE))
    return plain or {} if unchanged else {}


def _is_settled(attributes: Mapping[str, Any], asked: list[Any]) -> bool:
    """Return whether the winner is the choice among all; an older version did not record that."""
    return WINNER in attributes and attributes.get(SETTLED, asked) == asked


def _has_nested(attributes: Mapping[str, Any], folds: int) -> bool:
    planned, found = attributes[STUDY]["planned"], attributes.get(NESTED)
    if isinstance(found, dict) and (found.get("planned"), len(found.get("folds", ()))) == (
        planned, folds,
    ):  # fmt: skip
        return True
    return bool(attributes.get(NO_NESTED) == planned)
