"""Section ``importances``: how much each parameter mattered, as the run computed it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep import figures
from sweep.analysis.importance_text import importance_note
from sweep.report import text
from sweep.report.blocks import Plot, frame_table
from sweep.tables import importances_frame

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData


def importances(data: ReportData) -> Plot | None:
    """Return the section: the stored importances as a figure; None where there are none."""
    return importances_plot(data.record)


def importances_plot(record: StudyRecord) -> Plot | None:
    """Return the stored importances as a figure; None where there are none."""
    held, data = record.importances, importances_frame(record)
    if held is None or data.empty:
        return None
    first = data.iloc[0]
    words = f"{text.clean(first['parameter'])} has the largest share, {first['importance']:.2f}."
    svg = figures.to_svg(figures.draw_importances(data), "i-", "Importances", words)
    caption = f"Importances by {held.evaluator} over {held.n:,} complete candidates."
    return Plot(
        "importances", "Importances", svg, importance_note(record), frame_table(caption, data)
    )


def no_importances_note(record: StudyRecord) -> str:
    """Return why there are no importances; empty where there are, or nothing is searched."""
    if record.importances is not None and record.importances.values:
        return ""
    return importance_note(record) if record.settings.space.dimensions else ""
