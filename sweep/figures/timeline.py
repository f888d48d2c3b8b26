"""The trials of each worker on a time axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.figures.canvas import ACCENT, GHOST, SERIES, paper
from sweep.figures.sampling import sampled
from sweep.ledger.counts import ENDED

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.path import Path

    from sweep.ledger.records import StudyRecord

HEIGHT = 0.72  # of a row
COLOURS = {"COMPLETE": ACCENT, "PRUNED": GHOST, "INFEASIBLE": SERIES[3], "FAIL": SERIES[1]}
"""Colours of the bars, by the trial's state."""


def timeline_frame(record: StudyRecord) -> pd.DataFrame:
    """Return one row per finished trial, with its worker and its times.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``worker`` (its number, from 1, by its first trial), ``trial``, ``state``,
        ``from`` and ``to`` (seconds since the first trial began), by worker and time. Running and
        interrupted trials, which have no recorded end, are left out.
    """
    ended = [t for t in record.trials if t.state in ENDED]
    timed = [t for t in ended if t.worker and t.started and t.finished]
    timed.sort(key=lambda t: (t.started, t.number))
    began = min((t.started for t in timed if t.started), default=None)
    numbers = {name: n for n, name in enumerate(dict.fromkeys(t.worker for t in timed), start=1)}
    rows = [
        {
            "worker": numbers[t.worker],
            "trial": t.number,
            "state": t.state,
            "from": (t.started - began).total_seconds(),
            "to": (t.finished - began).total_seconds(),
        }
        for t in timed
        if t.started and t.finished and began
    ]
    frame = pd.DataFrame(rows, columns=["worker", "trial", "state", "from", "to"])
    return frame.sort_values(["worker", "from"], kind="stable").reset_index(drop=True)


def draw_timeline(frame: pd.DataFrame) -> Figure:
    """Draw :func:`timeline_frame`: a row for each worker, a bar for each trial."""
    from matplotlib.patches import PathPatch
    from matplotlib.ticker import MaxNLocator

    count = int(frame["worker"].max())
    figure, axes = paper(420, max(110, min(360, 70 + 26 * count)), score="worker", x="seconds")
    shown = sampled(frame)
    for state, colour in COLOURS.items():
        own = shown[shown["state"] == state]
        if len(own):
            axes.add_patch(PathPatch(_bars(own), facecolor=colour, linewidth=0))
    axes.set_xlim(0, 1.05 * frame["to"].max() or 1)
    axes.set_ylim(count + 0.6, 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.grid(visible=False)
    return figure


def _bars(own: pd.DataFrame) -> Path:
    """Return all bars as one path: one artist per bar would make large reports far slower."""
    from matplotlib.path import Path

    left, right = own["from"].to_numpy(), own["to"].to_numpy()
    top, bottom = own["worker"].to_numpy() - HEIGHT / 2, own["worker"].to_numpy() + HEIGHT / 2
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Path.make_compound_path_from_polys(np.stack([np.stack(c, -1) for c in corners], 1))
