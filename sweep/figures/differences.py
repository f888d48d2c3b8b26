"""Differences to the best candidate with their intervals, and the margin as a band."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from sweep.figures.canvas import ACCENT, FG, GHOST, MUTED, paper, shorten

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

LINE = 30
"""Height in pixels of a line with its name."""

Difference = tuple[str, float, float, float]
"""A candidate's name; how far it is behind the best: lowest, measured, highest."""


def draw_differences(rows: Sequence[Difference], margin: float | None = None) -> Figure:
    """Draw a dot with its interval for each candidate, its name above it.

    Parameters
    ----------
    rows : sequence of Difference
        One a candidate, from the top; infinite ends reach the edge of the figure.
    margin : float, optional
        A difference that does not matter: a band around zero.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`; what is worse than the best is on the right.
    """
    figure, axes = paper(420, 74 + LINE * max(len(rows), 1), x="behind the best (right: worse)")
    reach = _reach(rows, margin)
    if margin is not None:
        axes.axvspan(-margin, margin, color=GHOST, alpha=0.35, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.9, linestyle=(0, (1, 2)))
    for place, (name, low, behind, high) in enumerate(rows):
        axes.plot([max(low, -reach), min(high, reach)], [place, place], color=ACCENT, linewidth=2)
        axes.plot(behind, place, "o", color=ACCENT, markersize=6, mew=0)
        label = shorten(name, 48)
        axes.text(-reach, place - 0.3, label, color=FG, fontsize=11, va="bottom")
    axes.set_ylim(len(rows) - 0.5, -0.9)
    axes.set_xlim(-reach, reach)
    axes.set_yticks([])
    axes.grid(visible=False)
    return figure


def _reach(rows: Sequence[Difference], margin: float | None) -> float:
    """Return how far the axis goes to either side."""
    ends = [abs(end) for _, *held in rows for end in held if isfinite(end)]
    return 1.1 * max([*ends, 1.5 * (margin or 0)], default=0) or 1.0
