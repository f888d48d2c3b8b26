"""A pivot on a terminal: a heat map that cuts no number, in as many blocks as that takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.cli.leaderboard import natural_width
from sweep.cli.text import clean, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from sweep.tables import Pivot

COLD, WARM = (23, 37, 84), (250, 204, 21)
"""Ends of the colour scale: dark blue, yellow."""
BRIGHT = 140


def drawn(table: Pivot, value: str, width: int) -> list[RenderableType]:
    """Draw the means of one column as a heat map, ready to print.

    Parameters
    ----------
    table : Pivot
        Means and counts.
    value : str
        One of the columns that were averaged.
    width : int
        Columns of the terminal. What does not fit beside each other stands below each other.
    """
    from rich.text import Text

    means, texts = table.means(value), table.shown(value)
    low, high = float(means.min().min()), float(means.max().max())
    styles = means.map(lambda mean: _heat(mean, low, high))
    by = ", ".join(map(clean, table.mean.columns.names[1:]))
    parts: list[RenderableType] = [Text(f"{clean(value)} (n) by {by}")] if by else []
    while texts.shape[1]:
        count = _fitting(texts, width)
        parts += [_block(texts.iloc[:, :count], styles.iloc[:, :count]), ""]
        texts, styles = texts.iloc[:, count:], styles.iloc[:, count:]
    return parts


def _fitting(texts: pd.DataFrame, width: int) -> int:
    """Return how many of the first columns fit beside the index; one at least."""
    base, used, count = natural_width(_block(texts.iloc[:, :0])), 0, 0
    for place in range(texts.shape[1]):
        used += natural_width(_block(texts.iloc[:, [place]])) - base
        if base + used > width:
            break
        count += 1
    return max(1, count)


def _block(texts: pd.DataFrame, styles: pd.DataFrame | None = None) -> Table:
    from rich.table import Table
    from rich.text import Text

    out = Table(box=None, pad_edge=False, header_style="bold")
    for name in texts.index.names:
        out.add_column(Text(clean(name)), justify="right", overflow="fold", style="bold")
    for place, key in enumerate(texts.columns):
        widest = max((len(cell) for cell in texts.iloc[:, place]), default=0) + 2
        head = Text(_head(key))
        fixed = len(head) <= widest  # else its head may fold, down to its cells
        out.add_column(head, justify="right", overflow="fold", no_wrap=fixed, min_width=widest)
    for place, key in enumerate(texts.index):
        cells = texts.iloc[place]
        own = [""] * len(cells) if styles is None else styles.iloc[place]
        row = [_cell(cell, style) for cell, style in zip(cells, own, strict=True)]
        out.add_row(*(Text(setting(part)) for part in _tuple(key)), *row)
    return out


def _cell(text: str, style: str) -> Text:
    from rich.text import Text

    return Text(text if text == "-" else f" {text} ", style=style, no_wrap=True)


def _head(key: Any) -> str:
    return ", ".join(map(setting, _tuple(key)))


def _heat(mean: float, low: float, high: float) -> str:
    if mean != mean:  # noqa: PLR0124 - NaN
        return ""
    share = (mean - low) / (high - low or 1.0)
    mixed = [round(a + (b - a) * share) for a, b in zip(COLD, WARM, strict=True)]
    light = 0.3 * mixed[0] + 0.6 * mixed[1] + 0.1 * mixed[2]
    return f"{'black' if light > BRIGHT else 'white'} on rgb({','.join(map(str, mixed))})"


def _tuple(key: Any) -> Sequence[Any]:
    return key if isinstance(key, tuple) else (key,)
