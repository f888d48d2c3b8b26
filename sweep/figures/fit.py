"""One candidate's fit, epoch by epoch: training rows against held-out rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import DASHES, SERIES, paper, whole_ticks

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def fit_frame(folds: pd.DataFrame, trial: int) -> pd.DataFrame:
    """Return the means over the splits of one trial, epoch by epoch.

    Parameters
    ----------
    folds : DataFrame
        From :func:`sweep.tables.folds_frame`.
    trial : int
        Number of the trial.

    Returns
    -------
    DataFrame
        One row per epoch, means over splits and seeds: ``epoch``, ``loss`` and ``accuracy``
        (training rows, during the epoch), ``test_loss`` and ``test_score`` (held-out rows, after
        it).
    """
    own = folds[folds["trial"] == trial]
    columns = ["loss", "accuracy", "test_loss", "test_score"]
    return own.groupby("epoch")[columns].mean().reset_index()


def draw_fit(frame: pd.DataFrame, training: str, held_out: str, title: str) -> Figure:
    """Draw two columns of :func:`fit_frame`: training rows dashed, held-out rows solid.

    Parameters
    ----------
    frame : DataFrame
        From :func:`fit_frame`.
    training, held_out : str
        Columns.
    title : str
        Title of the vertical axis.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(score=title, x="epoch")
    for column, place in ((held_out, 0), (training, 1)):
        known = frame[frame[column].notna()]
        dots = "o" if len(known) <= 1 else None
        style = {"color": SERIES[place], "linestyle": DASHES[place], "marker": dots}
        axes.plot(known["epoch"], known[column], linewidth=2, **style)
    whole_ticks(axes)
    return figure
