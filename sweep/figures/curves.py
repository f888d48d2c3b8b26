"""Learning curves: held-out score and training loss, epoch by epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.figures.canvas import DASHES, GHOST, SERIES, draw_level, paper, whole_ticks

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def curves_frame(folds: pd.DataFrame, more: Sequence[str] = ()) -> pd.DataFrame:
    """Return the means over the splits of each trial, epoch by epoch.

    Parameters
    ----------
    folds : DataFrame
        From :func:`sweep.tables.folds_frame`.
    more : sequence of str
        Further columns of it.

    Returns
    -------
    DataFrame
        Columns ``trial``, ``epoch``, ``state``, ``test_score``, ``train_score``, ``loss``, those of
        ``more``; rows by trial, then epoch.
    """
    columns = ["test_score", "train_score", "loss", *more]
    means = folds.groupby(["trial", "epoch", "state"], sort=True)[columns]
    return means.mean().reset_index()


def draw_curves(
    folds: pd.DataFrame, top: Sequence[int], score: str = "score", column: str = "test_score"
) -> Figure:
    """Draw held-out score against epoch.

    Parameters
    ----------
    folds : DataFrame
        From :func:`sweep.tables.folds_frame`.
    top : sequence of int
        Up to five trial numbers to draw in colour: the mean over splits as a thick line, each split
        as a thin one. The others are grey, pruned ones dashed.
    score : str
        Name of the scorer.
    column : str
        The column that holds its scores.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    return _draw(folds, top, column, f"held-out {score}")


def draw_loss(folds: pd.DataFrame, top: Sequence[int], guessing: float | None = None) -> Figure:
    """Draw training loss against epoch, like :func:`draw_curves`.

    Parameters
    ----------
    folds : DataFrame
        From :func:`sweep.tables.folds_frame`.
    top : sequence of int
        Up to five trial numbers to draw in colour.
    guessing : float, optional
        The loss of equal probabilities, drawn as a line if a trial comes near it.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure = _draw(folds, top, "loss", "training loss")
    highest = folds["loss"].max()
    if guessing is not None and highest > 0.7 * guessing:
        draw_level(figure.axes[0], guessing, "guessing")
    return figure


def _draw(folds: pd.DataFrame, top: Sequence[int], column: str, title: str) -> Figure:
    figure, axes = paper(score=title, x="epoch")
    means = curves_frame(folds)
    if column not in means:
        means = curves_frame(folds, [column])
    others = means[~means["trial"].isin(list(top))]
    for pruned, line in ((False, "-"), (True, (0, (3, 2)))):
        rows = others[(others["state"] == "PRUNED") == pruned]
        axes.plot(*_joined(rows, column, ["trial"]), color=GHOST, linewidth=0.9, linestyle=line)
    known = others[others[column].notna()]
    single = known[~known["trial"].duplicated(keep=False)]  # one epoch makes no line
    axes.plot(single["epoch"], single[column], "o", color=GHOST, markersize=3)
    for place, trial in reversed(list(enumerate(top[: len(SERIES)]))):
        _top(axes, folds[folds["trial"] == trial], means[means["trial"] == trial], column, place)
    whole_ticks(axes)
    return figure


def _top(axes: Axes, splits: pd.DataFrame, mean: pd.DataFrame, column: str, place: int) -> None:
    colour = SERIES[place]
    fits = ["split", "seed"]
    if len(splits.drop_duplicates(fits)) > 1:
        axes.plot(*_joined(splits, column, fits), color=colour, linewidth=0.7, alpha=0.45)
    known = mean[mean[column].notna()]
    dots = "o" if len(known) <= 1 else None
    axes.plot(
        known["epoch"],
        known[column],
        color=colour,
        linewidth=2,
        linestyle=DASHES[place],
        marker=dots,
    )


def _joined(rows: pd.DataFrame, column: str, by: list[str]) -> tuple[Any, Any]:
    """Return many lines as one with gaps, so that the SVG has one path for all."""
    x: list[float] = []
    y: list[float] = []
    for _, line in rows[rows[column].notna()].groupby(by, sort=True):
        x += [*line["epoch"], np.nan]
        y += [*line[column], np.nan]
    return np.array(x, dtype=float), np.array(y, dtype=float)
