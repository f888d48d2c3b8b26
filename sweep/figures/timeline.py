"""Who did what when: the trials of every worker along the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from sweep.figures.canvas import ACCENT, GHOST, MUTED, SERIES, paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sweep.ledger.records import StudyRecord

COLOURS = {"COMPLETE": ACCENT, "PRUNED": GHOST, "FAIL": SERIES[1], "CUT": MUTED}


def timeline_frame(record: StudyRecord) -> pd.DataFrame:
    """One row a trial that a worker has taken.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``worker`` (its number, from 1, by its first trial), ``trial``, ``state``,
        ``from`` and ``to`` (seconds since the first trial began), by worker and time. Running
        trials, and those cut from outside, whose end nobody saw, are left out.
    """
    seen = [t for t in record.trials if t.worker and t.started and t.finished and t.state != "CUT"]
    seen.sort(key=lambda t: (t.started, t.number))
    began = min((t.started for t in seen if t.started), default=None)
    numbers = {name: n for n, name in enumerate(dict.fromkeys(t.worker for t in seen), start=1)}
    rows = [
        {
            "worker": numbers[t.worker],
            "trial": t.number,
            "state": t.state,
            "from": (t.started - began).total_seconds(),
            "to": (t.finished - began).total_seconds(),
        }
        for t in seen
        if t.started and t.finished and began
    ]
    frame = pd.DataFrame(rows, columns=["worker", "trial", "state", "from", "to"])
    return frame.sort_values(["worker", "from"], kind="stable").reset_index(drop=True)


def draw_timeline(frame: pd.DataFrame) -> Figure:
    """Draw :func:`timeline_frame`: a row for each worker, a bar for each trial."""
    from matplotlib.ticker import MaxNLocator

    count = int(frame["worker"].max())
    figure, axes = paper(420, max(110, min(360, 70 + 26 * count)), score="worker", x="seconds")
    for state, colour in COLOURS.items():
        own = frame[frame["state"] == state]
        if len(own):
            width = own["to"] - own["from"]
            axes.barh(own["worker"], width, 0.72, own["from"], color=colour, linewidth=0)
    axes.set_ylim(count + 0.6, 0.4)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
    axes.grid(visible=False)
    return figure
