"""The importances of the parameters, as bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.figures.canvas import ACCENT, FG, MUTED, paper, shorten

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LINE = 30
"""Height in pixels of a bar with its name."""


def draw_importances(data: pd.DataFrame) -> Figure:
    """Draw a bar for each parameter, its name above it and its share behind it.

    Parameters
    ----------
    data : DataFrame
        From :func:`sweep.tables.importances_frame`.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(420, 74 + LINE * max(len(data), 1), x="share of all parameters")
    places = range(len(data))
    axes.barh(places, data["importance"], height=0.34, color=ACCENT)
    for place, (_, row) in zip(places, data.iterrows(), strict=True):
        name = shorten(row["parameter"], 44)
        axes.text(0, place - 0.3, name, color=FG, fontsize=11, va="bottom")
        share = f" {row['importance']:.2f}"
        axes.text(row["importance"], place, share, color=MUTED, fontsize=11, va="center")
    axes.set_ylim(len(data) - 0.5, -0.9)
    axes.set_xlim(0, 1.1)
    axes.set_yticks([])
    axes.grid(visible=False)
    return figure
