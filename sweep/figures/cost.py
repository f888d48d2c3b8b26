"""What a score costs: seconds of fitting against held-out score."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import ACCENT, GHOST, log_axis, paper

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

DECADE = 20
"""Costs further apart than this factor are drawn on a logarithmic axis."""


def cost_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the complete candidates by cost, those worth their seconds marked.

    Parameters
    ----------
    frame : DataFrame
        From :func:`sweep.tables.candidates_frame`.

    Returns
    -------
    DataFrame
        Columns ``candidate``, ``seconds`` (of fitting one split, mean over splits), ``score``
        and ``front`` (True where nothing as cheap scores as high); rows by seconds.
    """
    known = frame[frame["mean_test_score"].notna() & frame["mean_fit_time"].notna()]
    names = {"mean_fit_time": "seconds", "mean_test_score": "score"}
    data = known[["candidate", *names]].rename(columns=names)
    data = data.sort_values(["seconds", "score"], ascending=[True, False]).reset_index(drop=True)
    before = data["score"].cummax().shift(fill_value=-float("inf"))
    return data.assign(front=data["score"] > before)


def draw_cost(data: pd.DataFrame, score: str = "score") -> Figure:
    """Draw :func:`cost_frame`: points, and a line through those worth their seconds.

    Parameters
    ----------
    data : DataFrame
        From :func:`cost_frame`.
    score : str
        Name of the scorer.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(score=f"held-out {score}", x="seconds of fitting one split")
    front, rest = data[data["front"]], data[~data["front"]]
    axes.plot(rest["seconds"], rest["score"], "o", color=GHOST, markersize=4.5, mew=0)
    axes.plot(front["seconds"], front["score"], color=ACCENT, linewidth=1, drawstyle="steps-post")
    axes.plot(front["seconds"], front["score"], "o", color=ACCENT, markersize=5.5, mew=0)
    low, high = data["seconds"].min(), data["seconds"].max()
    if len(data) and low > 0 and high / low > DECADE:
        log_axis(axes, low, high)
    return figure
