"""In which arithmetic a study's candidates were fitted, and what to say where there are several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.ranking import ranked

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def precisions(record: StudyRecord) -> list[str]:
    """Return the precisions that the ranked candidates were fitted in, sorted.

    ``float32`` where the study file says nothing; the file's own where nothing is ranked yet.
    None for an estimator whose fits sweep does not make itself.
    """
    spec = record.settings
    if not spec.budget:
        return []
    found = {str(spec.settled(candidate.params)["precision"]) for candidate in ranked(record)}
    return sorted(found or {str(spec.settled({})["precision"])})


def mixture(record: StudyRecord) -> str:
    """Return the sentence that a comparison across precisions needs; empty where there is one."""
    found = precisions(record)
    if len(found) < 2:
        return ""
    return (
        f"Fits in {' and in '.join(found)} stand side by side: a part of a difference between "
        "them may be the arithmetic's, not the settings'."
    )


def arithmetic(record: StudyRecord) -> str:
    """Say in which precision the study was fitted, and its winner where that is another."""
    said, refitted = ", ".join(precisions(record)), record.winner and record.winner.precision
    return said if not refitted or refitted == said else f"{said}; winner refitted in {refitted}"
