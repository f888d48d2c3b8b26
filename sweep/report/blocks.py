"""The blocks that sections are made of: tables, plots, heat maps; the template lays them out."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

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
        What the rows are, how many, and their units.
    head : tuple of str
        Column titles.
    rows : tuple of tuple of str
        Cells.
    numeric : tuple of bool
        Which columns are aligned right.
    """

    kind: ClassVar[str] = "table"
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

    kind: ClassVar[str] = "plot"
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

    kind: ClassVar[str] = "heat map"
    name: str
    title: str
    caption: str
    corner: str
    across: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Heat, ...]], ...]


def table(caption: str, columns: Iterable[tuple[str, bool]], rows: list[tuple[Any, ...]]) -> Table:
    """Build a table; ``columns`` gives each title, and whether the column is numeric."""
    heads = tuple(columns)  # titles may be equal, so no mapping
    cells = tuple(tuple(text.clean(cell) for cell in row) for row in rows)
    return Table(caption, tuple(title for title, _ in heads), cells, tuple(n for _, n in heads))


def frame_table(
    caption: str,
    frame: pd.DataFrame,
    titles: Mapping[Any, str] | None = None,
    count: int | None = None,
) -> Table:
    """Build a table of a frame: numbers with four significant digits, 100 rows at most.

    ``count`` says how many rows there are, where the frame holds only the first of them.
    """
    count = len(frame) if count is None else count
    if count > ROWS:
        caption = f"{caption} The first {ROWS} rows of {count:,}."
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


def _cell(value: Any) -> str:
    if is_missing(value):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else text.clean(value)
