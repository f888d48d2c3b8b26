"""Cost of a score: seconds of fitting, or weights, against held-out score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import ACCENT, GHOST, log_axis, paper
from sweep.figures.sampling import sampled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DECADE = 20
"""Costs further apart than this factor are drawn on a logarithmic axis."""


COSTS = {
    "seconds": ("mean_fit_time", "seconds of fitting one split"),
    "parameters": ("parameters", "parameters of the model"),
}
"""By name: the column of the table of candidates, and the title of the axis."""


def cost_frame(frame: pd.DataFrame, by: str = "seconds") -> pd.DataFrame:
    """Return the complete candidates by cost, and mark those on the Pareto front.

    Parameters
    ----------
    frame : DataFrame
        From :func:`sweep.tables.candidates_frame`.
    by : {"seconds", "parameters"}
        The cost.

    Returns
    -------
    DataFrame
        Columns ``candidate``, ``seconds`` (of fitting one split, mean over splits) or
        ``parameters`` (weights), ``score`` and ``front`` (True where no cheaper candidate scores
        as high); rows by cost.
    """
    column = COSTS[by][0]
    known = frame[frame["mean_test_score"].notna() & frame[column].notna()]
    names = {column: by, "mean_test_score": "score"}
    data = known[["candidate", *names]].rename(columns=names)
    data[by] = data[by].astype(float)
    data = data.sort_values([by, "score"], ascending=[True, False]).reset_index(drop=True)
    before = data["score"].cummax().shift(fill_value=-float("inf"))
    return data.assign(front=data["score"] > before)


def draw_cost(data: pd.DataFrame, score: str = "score", by: str = "seconds") -> Figure:
    """Draw :func:`cost_frame`: points, and a line through the Pareto front.

    Parameters
    ----------
    data : DataFrame
        From :func:`cost_frame`.
    score : str
        Name of the scorer.
    by : {"seconds", "parameters"}
        The cost.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(score=f"held-out {score}", x=COSTS[by][1])
    front, rest = data[data["front"]], sampled(data[~data["front"]])
    axes.plot(rest[by], rest["score"], "o", color=GHOST, markersize=4.5, mew=0)
    axes.plot(front[by], front["score"], color=ACCENT, linewidth=1, drawstyle="steps-post")
    axes.plot(front[by], front["score"], "o", color=ACCENT, markersize=5.5, mew=0)
    low, high = data[by].min(), data[by].max()
    if len(data) and low > 0 and high / low > DECADE:
        log_axis(axes, low, high)
    return figure
