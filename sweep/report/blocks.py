"""The few shapes that a section may take; the template knows how each is set."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any

from sweep.report import text
from sweep.tables import is_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pandas as pd


ROWS = 100
"""Rows of a figure's data that a page lists; the leaderboard's CSV has every candidate."""


@dataclass(frozen=True)
class Table:
    """A plain table.

    Attributes
    ----------
    caption : str
        What, how many, which units.
    head : tuple of str
        Column titles.
    rows : tuple of tuple of str
        Cells.
    numeric : tuple of bool
        Which columns are set flush right.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]


@dataclass(frozen=True)
class Key:
    """One line of a legend: ``series`` 1 to 5, or 0 for the grey rest."""

    series: int
    label: str


@dataclass(frozen=True)
class Plot:
    """A figure: drawing, what it shows, its legend and its data."""

    name: str
    title: str
    svg: str
    note: str
    data: Table | None
    legend: tuple[Key, ...] = ()


@dataclass(frozen=True)
class Heat:
    """A shaded cell: large text, small lines under it, shade 0 to 9 or None, and a ring."""

    text: str
    notes: tuple[str, ...] = ()
    shade: int | None = None
    ringed: bool = False


@dataclass(frozen=True)
class HeatMap:
    """A shaded table: row titles (one or more levels), column titles, cells."""

    name: str
    title: str
    caption: str
    corner: str
    across: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Heat, ...]], ...]


def table(caption: str, columns: Iterable[tuple[str, bool]], rows: list[tuple[Any, ...]]) -> Table:
    """Build a table; ``columns`` are titles, which may be equal, and whether it holds numbers."""
    held = tuple(columns)
    cells = tuple(tuple(text.clean(cell) for cell in row) for row in rows)
    return Table(caption, tuple(title for title, _ in held), cells, tuple(n for _, n in held))


def frame_table(
    caption: str, frame: pd.DataFrame, titles: Mapping[Any, str] | None = None
) -> Table:
    """Build a table of a frame: numbers with four significant digits, 100 rows at most."""
    if len(frame) > ROWS:
        caption = f"{caption} The first {ROWS} rows of {len(frame):,}."
        frame = frame.head(ROWS)
    given = titles or {}
    names = (given.get(c, str(c)) for c in frame.columns)
    columns = zip(names, (_numeric(column) for _, column in frame.items()), strict=True)
    rows = [tuple(map(_cell, row)) for row in frame.astype(object).itertuples(index=False)]
    return table(caption, columns, rows)


def shades(values: list[float]) -> Callable[[float], int | None]:
    """Return a function from value to shade, 0 for the lowest to 9 for the highest."""
    known = [v for v in values if isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 0.0)

    def shade(number: float) -> int | None:
        if not isfinite(number):
            return None
        return 5 if high == low else round(9 * (number - low) / (high - low))

    return shade


def _numeric(column: pd.Series[Any]) -> bool:
    return all(is_missing(v) or (isinstance(v, Real) and not isinstance(v, bool)) for v in column)


def _cell(held: Any) -> str:
    if is_missing(held):
        return ""
    return f"{held:.4g}" if isinstance(held, float) else text.clean(held)
