"""Nested cross-validation: the search repeated in each outer fold, its choice scored there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sweep.ledger.outcomes import NestedRecord, OuterFold
from sweep.ledger.scores import candidate_with, mean_score
from sweep.spaces import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord


def record_nested(ledger: Ledger, name: str, parts: Sequence[StudyRecord]) -> str | None:
    """Write what the outer folds of a study found beside it.

    The score of a fold is that of the configuration chosen by its own search, refitted on its
    training rows, on rows that this search has not seen: the selection itself is estimated
    (S. Varma and R. Simon, "Bias in error estimation when using cross-validation for model
    selection", BMC Bioinformatics 7:91, 2006).

    Parameters
    ----------
    ledger : Ledger
        Where the study is.
    name : str
        The study.
    parts : sequence of StudyRecord
        Its outer folds, all seen through.

    Returns
    -------
    str or None
        Why there is no estimate, where there is none.
    """
    empty = [part.name for part in parts if part.winner is None]
    if empty:
        return f"no nested estimate: no trial is complete in {', '.join(empty)}"
    before = ledger.nested(name)
    folds, planned = tuple(map(_fold, parts)), parts[0].planned
    if before is None or (before.folds, before.planned) != (folds, planned):
        ended_at = datetime.now().astimezone().isoformat(timespec="seconds")
        ledger.set_nested(name, NestedRecord(folds, planned, ended_at))
    return None


def _fold(part: StudyRecord) -> OuterFold:
    winner = part.winner
    if winner is None:
        raise ValueError(part.name)
    chosen = candidate_with(part.candidates, winner.params)
    return OuterFold(
        score=winner.test_score,
        inner_score=mean_score(chosen) if chosen else None,
        params=dict(winner.params),
        train_rows=winner.train_rows,
        test_rows=winner.test_rows,
        candidate=identity(winner.params),
    )
