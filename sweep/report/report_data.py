"""What the sections of a report are built from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.report.curve_data import curve_folds
from sweep.tables import candidates_frame, distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sweep.ledger.pictures import Pictures
    from sweep.ledger.records import StudyRecord


@dataclass(frozen=True)
class ReportData:
    """A study and its tables, computed once for all sections.

    Attributes
    ----------
    record : StudyRecord
        The study.
    candidates : DataFrame
        Its :func:`sweep.tables.candidates_frame`.
    measured : DataFrame
        Of candidates with the same parameters one.
    folds : DataFrame
        Its :func:`sweep.tables.folds_frame`; see :func:`sweep.report.curve_data.curve_folds`.
    trials : tuple of int
        Numbers of its measured trials, ascending.
    pivots : sequence of str or None
        Pivots to show in place of those of the study file.
    pictures : Pictures or None
        The study's pictures.
    """

    record: StudyRecord
    candidates: pd.DataFrame
    measured: pd.DataFrame
    folds: pd.DataFrame
    trials: tuple[int, ...]
    pivots: Sequence[str] | None = None
    pictures: Pictures | None = None


def report_data(
    record: StudyRecord, pivots: Sequence[str] | None = None, pictures: Pictures | None = None
) -> ReportData:
    """Return the tables of a study."""
    candidates, (folds, trials) = candidates_frame(record), curve_folds(record)
    return ReportData(record, candidates, distinct(candidates), folds, trials, pivots, pictures)
