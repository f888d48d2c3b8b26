"""Score against one parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.figures.canvas import ACCENT, MUTED, label_ticks, log_axis, number_ticks, paper
from sweep.figures.sampling import MARKS, sampled
from sweep.tables import PREFIX, are_numbers, is_continuous, ordered_values, plain_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 20
"""Ratio of the highest of a few numbers to the lowest from which their axis is logarithmic."""


def slice_frame(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the complete candidates to which a parameter applies.

    Parameters
    ----------
    frame : DataFrame
        From :func:`sweep.tables.candidates_frame`.
    name : str
        A parameter, without ``param_``.

    Returns
    -------
    DataFrame
        Columns ``candidate``, ``value``, ``score`` (mean over splits).
    """
    applies = frame[(frame["state"] == "COMPLETE") & frame[PREFIX + name].notna()]
    values = {"value": PREFIX + name, "score": "mean_test_score"}
    return pd.DataFrame(
        {"candidate": applies["candidate"]} | {k: applies[v] for k, v in values.items()}
    )


def draw_slice(
    data: pd.DataFrame, score: str = "score", *, ranged: bool = False, log: bool = False
) -> Figure:
    """Draw :func:`slice_frame`: numbers on an axis, choices side by side; a few with their means.

    Parameters
    ----------
    data : DataFrame
        From :func:`slice_frame`.
    score : str
        Name of the scorer.
    ranged : bool, default False
        Whether the space defines the parameter as a range.
    log : bool, default False
        Whether the axis of numbers is logarithmic; that of a few values is so too where the
        highest is many times the lowest.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(340, 220, score=f"held-out {score}")
    if is_continuous(data["value"], ranged=ranged):
        numbers, shown = data["value"].astype(float), sampled(data)
        places = shown["value"].astype(float)
        axes.plot(places, shown["score"], "o", color=ACCENT, markersize=4, markeredgewidth=0)
        if log and numbers.min() > 0:
            log_axis(axes, numbers.min(), numbers.max())
        else:
            axes.locator_params(axis="x", nbins=6)
        return figure
    if are_numbers(data["value"]):
        _draw_few_numbers(axes, data, log=log)
        return figure
    labels, own = ordered_values(data["value"]), data["value"].map(plain_label)
    for place, label in enumerate(labels):
        scores = data["score"][[v == label for v in own]]
        drawn = _shown(scores, len(data))
        axes.plot(place + _jitter(len(drawn)), drawn, "o", color=MUTED, ms=4, mew=0, alpha=0.75)
        axes.plot([place - 0.28, place + 0.28], [scores.mean()] * 2, color=ACCENT, linewidth=2)
    label_ticks(axes, labels)
    return figure


def _draw_few_numbers(axes: Axes, data: pd.DataFrame, *, log: bool) -> None:
    """Draw scores at each number, and their means, on an axis of numbers."""
    numbers = data["value"].astype(float)
    values = np.sort(numbers.unique())
    log = values[0] > 0 and (log or values[-1] >= WIDE * values[0])
    place = np.log10 if log else np.asarray
    at = place(values)
    room = min(np.diff(at).min(), (at[-1] - at[0]) / 4)
    for value, middle in zip(values, at, strict=True):
        scores = data["score"][numbers == value]
        shown = _shown(scores, len(data))
        around = middle + room * _jitter(len(shown))
        axes.plot(around, shown, "o", color=MUTED, ms=4, mew=0, alpha=0.75)
        ends = [middle - 0.28 * room, middle + 0.28 * room]
        axes.plot(ends, [scores.mean()] * 2, color=ACCENT, linewidth=2)
    number_ticks(axes, at.tolist(), [f"{value:.4g}" for value in values])


def _shown(scores: pd.Series[Any], count: int) -> pd.Series[Any]:
    """Return the scores of a value that are drawn: their share of all points."""
    if count <= MARKS:
        return scores
    return sampled(scores.to_frame(), max(1, MARKS * len(scores) // count))["score"]


def _jitter(count: int) -> np.ndarray[Any, Any]:
    """Return small horizontal shifts for points, the same every time."""
    return (np.arange(count) * 0.618 % 1 - 0.5) * (0.4 if count > 1 else 0)
