"""Importances in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.cli.text import clean

if TYPE_CHECKING:
    from sweep.ledger.outcomes import ImportanceRecord
    from sweep.study.answers.status import StudyStatus


def importance_lines(study: StudyStatus) -> list[str]:
    """Return the shares, and below them evaluator, n and caution; or why there are none."""
    held = study.importances
    if held is None and study.status != "finished":
        return []
    shares = "" if held is None else _shares(held)
    head = [f"importances: {shares}"] if shares else []
    return [*head, clean(study.importance_note)]


def _shares(held: ImportanceRecord) -> str:
    ordered = sorted(held.values.items(), key=lambda share: (-share[1], share[0]))
    return ", ".join(f"{clean(name)} {share:.2f}" for name, share in ordered)
