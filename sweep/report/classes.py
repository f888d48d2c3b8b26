"""Names and shapes as several sections write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def class_names(record: StudyRecord, size: int) -> list[str]:
    """Return the names of a number of classes; numbers where the record has no names."""
    names = list(record.data.classes[:size])
    return names + [str(n) for n in range(len(names), size)]


def shape_text(shape: tuple[int, ...]) -> str:
    """Return ``28 × 28``."""  # noqa: RUF002 - the sign of the field
    return " × ".join(map(str, shape)) or "1"  # noqa: RUF001 - the sign of the field
