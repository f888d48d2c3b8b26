"""Section ``failures``: the cells whose last trial failed, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.ledger.reading import latest_by_key
from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.support.text import counted
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.report.report_data import ReportData


def failures(data: ReportData) -> Table | None:
    """Return the cells whose last attempt failed, with reasons; None where there are none."""
    record = data.record
    failed = [t for t in latest_by_key(record.trials).values() if t.state == "FAIL"]
    order = parameter_names(record)
    rows = [(text.settings_line(t.params, order), t.reason or "no reason") for t in failed]
    if not rows:
        return None
    verb = "failed at its last attempt" if len(rows) == 1 else "failed at their last attempts"
    caption = f"{len(rows):,} of {counted(record.planned, 'cell')} {verb}."
    return table(caption, {"settings": False, "reason": False}.items(), rows)
