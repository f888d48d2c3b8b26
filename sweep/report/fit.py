"""Section ``fit``: the best candidate, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep import figures
from sweep.analysis import ranked
from sweep.report import text
from sweep.report.answer import scoring
from sweep.report.blocks import Key, Plot, frame_table
from sweep.support.text import counted
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.report.report_data import ReportData


def fit(data: ReportData) -> list[Plot]:
    """Return loss and accuracy of the best candidate: training rows against held-out ones."""
    record = data.record
    best = next(iter(ranked(record)), None)
    if best is None:
        return []
    frame = figures.fit_frame(data.folds, best.trial.number)
    if len(frame) < 2:
        return []
    legend = (Key(1, "held-out rows, after the epoch"), Key(2, "training rows, during the epoch"))
    settings = text.settings_line(best.trial.params, parameter_names(record))
    note = f"{settings}; mean over {counted(len(best.trial.splits), 'fit')}."
    name = scoring(record)
    plots = []
    for training, held_out, title in (
        ("loss", "test_loss", "Loss"),
        ("accuracy", "test_score", "Accuracy" if name == "accuracy" else f"Accuracy and {name}"),
    ):
        shown = frame[["epoch", training, held_out]]
        if shown[held_out].isna().all():
            continue
        drawn = figures.draw_fit(frame, training, held_out, title.lower())
        svg = figures.to_svg(drawn, f"f{training[0]}-", title, "Training and held-out, by epoch.")
        titles = {training: f"training {training}", held_out: f"held-out {held_out[5:]}"}
        table = frame_table("Of the best candidate, after each epoch.", shown, titles)
        plots.append(Plot(f"fit-{training}", title, svg, note, table, legend))
    return plots
