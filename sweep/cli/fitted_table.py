"""A table of studies that keeps to the terminal's width: columns go, numbers stay whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.cli.leaderboard import natural_width

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rich.table import Table

NAME = "study"
"""The one column that may be cut."""


def fitted(
    lines: Sequence[Mapping[str, str]],
    width: int,
    *,
    hidden: Sequence[str] = (),
    right: Collection[str] = (),
) -> Table:
    """Draw studies, one a line.

    Parameters
    ----------
    lines : sequence of mapping of str to str
        Cells by column; one column is ``study``.
    width : int
        Columns of the terminal.
    hidden : sequence of str
        Columns that a narrow terminal does without, first to last.
    right : collection of str
        Columns that are set flush right.
    """
    tables = (_table(lines, hidden[:count], right) for count in range(len(hidden) + 1))
    return next((t for t in tables if natural_width(t) <= width), _table(lines, hidden, right))


def _table(
    lines: Sequence[Mapping[str, str]], hidden: Sequence[str], right: Collection[str]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    names = [name for name in lines[0] if name not in hidden]
    for name in names:
        justify = "right" if name in right else "left"
        # Only what may wrap gets narrower; the cells of that column are cut all the same.
        table.add_column(name, no_wrap=name != NAME, justify=justify, overflow="ellipsis")  # type: ignore[arg-type]
    for line in lines:
        cells = (line[name] for name in names)
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") for cell in cells))
    return table
