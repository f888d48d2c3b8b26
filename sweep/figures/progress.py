"""Several studies: the best so far, against seconds or fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import DASHES, SERIES, paper

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_progress(frame: pd.DataFrame, by: str, score: str = "score") -> Figure:
    """Draw :func:`sweep.tables.progress_frame`: one line per study.

    Parameters
    ----------
    frame : DataFrame
        From :func:`sweep.tables.progress_frame`, of up to five studies.
    by : {"seconds", "fits"}
        The column of the horizontal axis.
    score : str
        Name of the scorer.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    titles = {"seconds": "seconds since the first trial", "fits": "fits that have ended"}
    figure, axes = paper(score=f"best held-out {score} so far", x=titles[by])
    end = frame[by].max()
    for place, (_, own) in enumerate(frame.groupby("study", sort=False)):
        last = own.iloc[-1]
        line, dashes = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
        style = {"color": line, "linewidth": 2, "linestyle": dashes}
        axes.step([*own[by], end], [*own["best"], last["best"]], where="post", **style)
        axes.plot(own[by].iloc[:1], own["best"].iloc[:1], marker="o", color=line, markersize=4)
    return figure
