"""What is said of importances, wherever they are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def importance_note(record: StudyRecord) -> str:
    """Return evaluator, n and caution of the stored importances, or why there are none.

    Parameters
    ----------
    record : StudyRecord
        The study; nothing is computed here.

    Returns
    -------
    str
        Sentences.
    """
    held = record.importances
    if held is None:
        return "No importances in the ledger: a run computes them when a study ends; run it again."
    if not held.values:
        return f"No importances: {held.reason}."
    left = f" Left out: {', '.join(held.left_out)}." if held.left_out else ""
    complete = record.tally.rows.get("COMPLETE", 0)
    grown = "" if held.complete == complete else f" Computed when {held.complete:,} were complete."
    return f"{held.evaluator} over {held.n:,} complete candidates. {held.caution}{left}{grown}"
