"""What to say of scores that another run of the same study would not give again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def unrepeatable(record: StudyRecord) -> str:
    """Return the sentence that a model which is not repeatable needs; empty for any other."""
    said = (split.unrepeatable for trial in record.trials for split in trial.splits)
    reasons = sorted(set(filter(None, said)))
    if not reasons:
        return ""
    return (
        f"The model is not repeatable: {'; '.join(reasons)}. Another run of this study gives "
        "other scores."
    )
