"""The only place where a study's test set is opened; the ledger records every opening."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep.ledger.outcomes import Opening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.search.sealed_data import SealedTest

    Scores = tuple[float, Mapping[str, float | None]]
    Score = Callable[[Any, Any], Scores]


def open_test_set(
    sealed: SealedTest, ledger: Ledger, record: StudyRecord, chosen: Candidate, score: Score
) -> tuple[Opening, float]:
    """Open the test set for the chosen, refitted configuration.

    The ledger records the opening before a row is read, so that one that fails counts too.

    Parameters
    ----------
    sealed : SealedTest
        The test rows.
    ledger : Ledger
        Records the opening.
    record : StudyRecord
        The study; openings that an older version recorded with the winner only are written anew.
    chosen : Candidate
        The configuration.
    score : callable
        ``score(x_test, y_test)`` returns the score, and those by further scorers.

    Returns
    -------
    tuple of Opening and float
        The opening as first recorded, and the score.
    """
    for earlier in record.openings:
        ledger.note_opening(record.name, earlier)
    now = datetime.now().astimezone().isoformat(timespec="milliseconds")
    opening = Opening(now, dict(chosen.params))
    ledger.note_opening(record.name, opening)
    value, others = score(*sealed._break_seal())
    ledger.note_opening(record.name, replace(opening, score=value, other_scores=others))
    return opening, value
