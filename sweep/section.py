"""What a person's own part of a report is: a title, a table, a caption, and perhaps a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

ROWS = 1000
"""Rows of a table that a report takes."""

PICTURE_BYTES = 300_000
"""Bytes of SVG that a report takes."""


@dataclass(frozen=True, eq=False)
class Section:
    """A part of a report, returned by a function that ``[report] sections`` names.

    The function gets two data frames, ``frame`` (:func:`sweep.tables.candidates_frame`) and
    ``folds`` (:func:`sweep.tables.folds_frame`).

    Attributes
    ----------
    title : str
        Its heading.
    frame : DataFrame
        What is shown; a picture's data.
    caption : str
        What the rows are, how many, in which units.
    figure : matplotlib Figure, optional
        Drawn on white.
    """

    title: str
    frame: pd.DataFrame
    caption: str
    figure: Any = None


@dataclass(frozen=True)
class SectionRecord:
    """A section as the ledger holds it: text and a picture, no code.

    Attributes
    ----------
    reference : str
        The function, ``"module:function"``.
    title, caption : str
        As the function gave them.
    columns : tuple of str
        Titles.
    rows : tuple of tuple of str or number
        Cells.
    svg : str
        A picture, empty where there is none.
    reason : str
        Why there is no section: what the function raised.
    """

    reference: str
    title: str = ""
    caption: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Any, ...], ...] = ()
    svg: str = ""
    reason: str = ""


def recorded(reference: str, made: Any) -> SectionRecord:
    """Turn what a function returned into what the ledger holds.

    Raises
    ------
    TypeError
        If it is no :class:`Section`.
    ValueError
        If its table or picture is too large for a report.
    """
    if not isinstance(made, Section):
        raise TypeError(f"must return a sweep.Section, got {type(made).__name__}")
    if len(made.frame) > ROWS:
        raise ValueError(f"frame: at most {ROWS:,} rows, got {len(made.frame):,}")
    if not made.frame.columns.is_unique:
        raise ValueError(f"frame: names of columns must differ, got {list(made.frame.columns)}")
    svg = _svg(made.figure)
    if len(svg) > PICTURE_BYTES:
        raise ValueError(f"figure: at most {PICTURE_BYTES:,} bytes of SVG, got {len(svg):,}")
    rows = made.frame.astype(object).where(made.frame.notna(), None)
    cells = tuple(tuple(map(_plain, row)) for row in rows.itertuples(index=False))
    columns = tuple(map(str, made.frame.columns))
    return SectionRecord(reference, str(made.title), str(made.caption), columns, cells, svg)


def _plain(value: Any) -> Any:
    held = value.item() if hasattr(value, "item") else value
    return held if held is None or isinstance(held, bool | int | float | str) else str(held)


def _svg(figure: Any) -> str:
    if figure is None:
        return ""
    import io

    import matplotlib as mpl

    sink = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "sweep"}):
        figure.savefig(sink, format="svg", metadata={"Date": None})
    return sink.getvalue()
