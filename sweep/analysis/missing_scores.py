"""Scores that could not be computed, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.ledger.scores import fit_score, several_scorers

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def missing_scores(record: StudyRecord) -> str:
    """Return which further scorers lack a score of a complete candidate; empty where none does."""
    said = []
    done = [c for c in record.candidates if c.trial.state == "COMPLETE"]
    of = f"{sum(len(c.trial.splits) for c in done)} fits"
    for name in several_scorers(record)[1:]:
        lacking = [
            sum(_lacks(fit_score(s, "test", name, c.epoch)) for s in c.trial.splits) for c in done
        ]
        if fits := sum(lacking):
            rows = sum(map(bool, lacking))
            said.append(
                f"{name} could not be computed in {fits} of {of}: {rows} of {len(done)} candidates "
                "have no mean of it."
            )
    return " ".join(said)


def _lacks(score: float | None) -> bool:
    return score is None or score != score  # noqa: PLR0124 - NaN
