"""The one place where the test set of a study is opened, and the ledger told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep.ledger.outcomes import Opening

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.search.sealed_data import SealedTest

    Score = Callable[[Any, Any], float]


def open_test_set(
    sealed: SealedTest, ledger: Ledger, record: StudyRecord, chosen: Candidate, score: Score
) -> tuple[Opening, float]:
    """Open the test set for a configuration that is chosen and refitted.

    The ledger knows of it before a row is read: an opening that fails half-way counts too.

    Parameters
    ----------
    sealed : SealedTest
        The test rows.
    ledger : Ledger
        Keeps the list of openings.
    record : StudyRecord
        The study; openings that an older version noted with the winner alone are kept.
    chosen : Candidate
        The configuration.
    score : callable
        ``score(x_test, y_test) -> float``.

    Returns
    -------
    tuple of Opening and float
        What the ledger holds of it, and the score.
    """
    for earlier in record.openings:
        ledger.note_opening(record.name, earlier)
    now = datetime.now().astimezone().isoformat(timespec="milliseconds")
    opening = Opening(now, dict(chosen.params))
    ledger.note_opening(record.name, opening)
    said = score(*sealed._break_seal())
    ledger.note_opening(record.name, replace(opening, score=said))
    return opening, said
