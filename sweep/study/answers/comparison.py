"""Several studies side by side: what each has found, and how it differs from one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.tables import pairs_frame, plain_rows, studies_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.records import StudyRecord


@dataclass(frozen=True)
class Comparison:
    """Studies side by side.

    Attributes
    ----------
    studies : list of dict
        One for each study, as :func:`sweep.tables.studies_frame` has it.
    baseline : str
        The study that the others are compared with.
    differences : list of dict
        One for each other study, as :func:`sweep.tables.pairs_frame` has it.
    """

    studies: list[dict[str, Any]]
    baseline: str
    differences: list[dict[str, Any]]


def comparison(records: Sequence[StudyRecord], baseline: StudyRecord) -> Comparison:
    """Compare studies.

    Parameters
    ----------
    records : sequence of StudyRecord
        The studies.
    baseline : StudyRecord
        The one of them that the others are compared with.
    """
    rows, gaps = studies_frame(records), pairs_frame(records, baseline)
    return Comparison(plain_rows(rows), baseline.name, plain_rows(gaps))


def plain_comparison(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON."""
    return {
        "studies": found.studies,
        "baseline": found.baseline,
        "differences": found.differences,
    }
