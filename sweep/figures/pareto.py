"""Several objectives at once: the candidates that no other one dominates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import ACCENT, GHOST, log_axis, paper
from sweep.figures.cost import DECADE
from sweep.figures.sampling import sampled

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

AXES = {
    "parameters": "parameters",
    "fit_seconds": "seconds of fitting one split",
    "inference_ms": "milliseconds of predicting 1,000 rows",
}
"""Titles of the axes for the objectives that are minimized."""


def draw_pareto(data: pd.DataFrame, objective: str, score: str = "score") -> Figure:
    """Draw :func:`sweep.tables.objectives_frame`: score against one other objective.

    Parameters
    ----------
    data : DataFrame
        One row per complete candidate; the column ``pareto`` marks the Pareto set.
    objective : str
        The column of the horizontal axis.
    score : str
        Name of the scorer.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`; the Pareto set in colour.
    """
    figure, axes = paper(score=f"held-out {score}", x=AXES.get(objective, objective))
    front, rest = data[data["pareto"]], sampled(data[~data["pareto"]])
    axes.plot(rest[objective], rest["mean_test_score"], "o", color=GHOST, markersize=4.5, mew=0)
    axes.plot(front[objective], front["mean_test_score"], "o", color=ACCENT, markersize=5.5, mew=0)
    low, high = data[objective].min(), data[objective].max()
    if len(data) and low > 0 and high / low > DECADE:
        log_axis(axes, low, high)
    return figure
