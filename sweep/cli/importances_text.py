"""Importances in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.cli.text import clean

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def importance_lines(record: StudyRecord) -> list[str]:
    """Return the shares, and below them evaluator, n and caution; or why there are none."""
    from sweep.analysis.importance_text import importance_note

    if record.importances is None and record.status != "finished":
        return []
    shares = "" if record.importances is None else _shares(record)
    head = [f"importances: {shares}"] if shares else []
    return [*head, clean(importance_note(record))]


def _shares(record: StudyRecord) -> str:
    from sweep.tables import importances_frame

    frame = importances_frame(record)
    rows = zip(frame["parameter"], frame["importance"], strict=True)
    return ", ".join(f"{clean(name)} {share:.2f}" for name, share in rows)
