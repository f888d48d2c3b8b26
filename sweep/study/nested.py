"""Nested cross-validation: the search repeated in each outer fold, its choice scored there."""

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
    """Refuse a nested study where a study of somebody's has the name of one of its outer folds.

    Raises
    ------
    LedgerError
        Naming the first.
    """
    for part in outer_folds(spec):
        if ledger.has(part.name) and ledger.header(part.name).get("part") != part.plain():
            raise LedgerError(
                f"the ledger names an outer fold of study {part.study!r} {part.name!r}, and holds "
                "another study of that name; delete that one (`sweep delete`), or give the nested "
                f"study another name: --name {part.study}-2"
            )


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
        candidate=candidate_identity(winner.params),
    )
