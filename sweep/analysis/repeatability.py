"""What to say of scores that another run of the same study would not give again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.ledger.fit_columns import may_have

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def unrepeatable(record: StudyRecord) -> str:
    """Return the sentence that a model which is not repeatable needs; empty for any other."""
    told = (t.splits for t in record.trials if may_have(t.splits, "unrepeatable"))
    said = (split.unrepeatable for splits in told for split in splits)
    reasons = sorted(set(filter(None, said)))
    if not reasons:
        return ""
    return (
        f"The model is not repeatable: {'; '.join(reasons)}. Another run of this study gives "
        "other scores."
    )
