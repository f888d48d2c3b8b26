"""Section ``parameters``: the score against each parameter, and all parameters together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep import figures
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Plot, Table, frame_table
from sweep.report.parallel_coordinates import Parallel, parallel
from sweep.spaces import FloatRange, IntRange
from sweep.tables import PREFIX, ranges

if TYPE_CHECKING:
    import pandas as pd

    from sweep.ledger.records import StudyRecord
    from sweep.report.report_data import ReportData


@dataclass(frozen=True)
class Parameters:
    """One plot for each parameter, their data, and all parameters in one drawing."""

    slices: list[Plot]
    table: Table | None
    parallel: Parallel | None


def parameters(data: ReportData) -> Parameters | None:
    """Return the section; None where no parameter took more than one value."""
    plots, together = slices(data.record, data.measured), parallel(data.record, data.measured)
    if not plots and together is None:
        return None
    table = slices_table(data.record, data.measured) if plots else None
    return Parameters(plots, table, together)


def slices(record: StudyRecord, frame: pd.DataFrame) -> list[Plot]:
    """Return one plot for each parameter that took more than one value."""
    names = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    plots = [_slice(record, frame, name, f"x{n}-") for n, name in enumerate(names)]
    return [plot for plot in plots if plot is not None]


def slices_table(record: StudyRecord, frame: pd.DataFrame) -> Table:
    """Return the data of all slices: the complete candidates."""
    names = [c for c in frame.columns if c.startswith(PREFIX)]
    data = frame.loc[frame["state"] == "COMPLETE", ["candidate", *names, "mean_test_score"]]
    titles = {name: text.clean(name.removeprefix(PREFIX)) for name in names}
    titles["mean_test_score"] = f"held-out {scoring(record)}"
    caption = f"The points of these figures: {len(data):,} complete candidates."
    return frame_table(caption, data, titles)


def _slice(record: StudyRecord, frame: pd.DataFrame, name: str, prefix: str) -> Plot | None:
    data = figures.slice_frame(frame, name)
    if len({str(v) for v in data["value"]}) < 2:
        return None
    dimension = record.settings.space.dimensions.get(name)
    log = isinstance(dimension, IntRange | FloatRange) and dimension.log
    title, score = text.clean(name), scoring(record)
    words = f"Held-out {score} of {len(data)} candidates against {title}."
    drawn = figures.draw_slice(data, score, ranged=name in ranges(record), log=log)
    svg = figures.to_svg(drawn, prefix, title, words)
    left = int((frame["state"] == "COMPLETE").sum()) - len(data)
    note = f"n = {len(data):,}" + (f"; does not apply to {left:,} more" if left else "")
    note += ", logarithmic axis" if log else ""
    few = figures.sample_note(len(data))
    return Plot(f"slice-{prefix}", title, svg, f"{note}.{few}" if few else note, None)
