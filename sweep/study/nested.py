"""Nested cross-validation: repeat the search in each outer fold and score its choice there."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.outcomes import NestedRecord, OuterFold
from sweep.ledger.scores import candidate_with, mean_score
from sweep.search.outer_folds import outer_folds
from sweep.spaces import candidate_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec


def check_outer_names(ledger: Ledger, spec: StudySpec) -> None:
    """Refuse a nested study if another study has the name of one of its outer folds.

    Raises
    ------
    LedgerError
        Naming the first.
    """
    for fold in outer_folds(spec):
        if ledger.has(fold.name) and ledger.header(fold.name).get("part") != fold.plain():
            raise LedgerError(
                f"the ledger names an outer fold of study {fold.study!r} {fold.name!r}, and holds "
                "another study of that name; delete that one (`sweep delete`), or give the nested "
                f"study another name: --name {fold.study}-2"
            )


def record_nested(ledger: Ledger, name: str, folds: Sequence[StudyRecord]) -> str | None:
    """Record what the outer folds of a study found.

    The search of a fold chooses a configuration, which is refitted on the fold's training rows and
    scored on rows that this search has not seen. So the score includes the effect of the selection
    (S. Varma and R. Simon, "Bias in error estimation when using cross-validation for model
    selection", BMC Bioinformatics 7:91, 2006).

    Parameters
    ----------
    ledger : Ledger
        Where the study is.
    name : str
        The study.
    folds : sequence of StudyRecord
        Its outer folds, all finished.

    Returns
    -------
    str or None
        Why there is no estimate, if there is none.
    """
    empty, planned = [fold for fold in folds if fold.winner is None], folds[0].planned
    if empty:
        if any(map(_has_no_score, empty)):
            ledger.set_no_nested(name, planned)
        names = ", ".join(fold.name for fold in empty)
        return f"no nested estimate: no trial is complete in {names}"
    before, results = ledger.nested(name), tuple(map(_result, folds))
    if before is None or (before.folds, before.planned) != (results, planned):
        ended_at = datetime.now().astimezone().isoformat(timespec="seconds")
        ledger.set_nested(name, NestedRecord(results, planned, ended_at))
    return None


def _has_no_score(fold: StudyRecord) -> bool:
    """Return whether a fold has ended without a score; of another, the refit is still to come."""
    return fold.status == "finished" and not fold.tally.rows.get("COMPLETE")


def _result(fold: StudyRecord) -> OuterFold:
    winner = fold.winner
    if winner is None:
        raise ValueError(fold.name)
    chosen = candidate_with(fold.candidates, winner.params)
    return OuterFold(
        score=winner.test_score,
        inner_score=mean_score(chosen) if chosen else None,
        params=dict(winner.params),
        train_rows=winner.train_rows,
        test_rows=winner.test_rows,
        candidate=candidate_identity(winner.params),
        other_scores=dict(winner.other_scores),
    )
