"""What is left to be done of a study before it is at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.attributes import NESTED, NO_NESTED, SETTLED, STUDY, WINNER

if TYPE_CHECKING:
    from collections.abc import Mapping


def remaining(
    attributes: Mapping[str, Any], *, status: str, scored: bool, complete: int
) -> str:  # fmt: skip
    """Return what is left of a study: cells, the refit of its winner, outer folds; or nothing.

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
        ``"cells"``, ``"refit"``, ``"outer folds"``, in this order, or ``""``.
    """
    if status != "finished":
        return "cells"
    search = StoredSearch(attributes[STUDY])
    if search.refit and scored and not _is_settled(attributes, [complete, search.choose]):
        return "refit"
    if search.nested and not _has_nested(attributes, search.nested):
        return "outer folds"
    return ""


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
