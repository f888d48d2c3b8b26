"""Section ``limits``: the candidates that a limit of the study took out, with reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.support.text import counted
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.report.report_data import ReportData


def limits(data: ReportData) -> Table | None:
    """Return the candidates that a constraint took out, with reasons; None where there are none."""
    record = data.record
    excluded = [c for c in record.candidates if c.trial.state in ("PRUNED", "INFEASIBLE")]
    order = parameter_names(record)
    rows = [
        (text.settings_line(c.params, order), c.trial.reason) for c in excluded if c.trial.reason
    ]
    if not rows:
        return None
    caption = f"{counted(len(rows), 'candidate')} past a limit of the study, not ranked."
    return table(caption, {"settings": False, "reason": False}.items(), rows)
