"""Read the rows of a CSV file one by one, and gather what is wrong with them."""

from __future__ import annotations

import csv
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from sweep.datasets.image_files import shown
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIXES = (".csv", ".tsv")
"""Suffixes of tables, in any case."""

DELIMITERS = ",;\t|"
MOST_COLUMNS = 200_000
"""More than a color picture of 256 x 256 pixels has."""
LONGEST_LINE = 2**24
FIRST = 10
"""Rows that a message names of each kind of problem."""
LONGEST = 60
"""Characters of a cell that a message shows."""


class RowProblems:
    """What is wrong with the rows of a table: of each kind the first rows, and how many there are.

    Parameters
    ----------
    path : Path
        The table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first: dict[str, list[str]] = {}
        self._count: dict[str, int] = {}

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self._count)

    def add(self, rule: str, row: int, value: str = "") -> None:
        """Note that a row, counted from 1 for the header, breaks a rule."""
        first = self._first.setdefault(rule, [])
        if len(first) < FIRST:
            first.append(f"row {row} ({printable(value)})" if value else f"row {row}")
        self._count[rule] = self._count.get(rule, 0) + 1

    def refuse(self) -> None:
        """Raise an error with every kind of problem, if there is any.

        Raises
        ------
        DataError
        """
        if not self._count:
            return
        lines = []
        for rule, first in self._first.items():
            more = self._count[rule] - len(first)
            rest = f" and {more:,} more" if more else ""
            lines.append(f"{rule}: {', '.join(first)}{rest}")
        rows = "1 kind of problem" if len(lines) == 1 else f"{len(lines)} kinds of problems"
        head = f"{shown(self._path)}: {rows} in its rows, where row 1 is the header"
        raise DataError("\n  ".join([head, *lines]))


def printable(text: str) -> str:
    """Return a cell as a message shows it: on one line, not endless."""
    plain = "".join(c if c.isprintable() else "?" for c in text[: LONGEST + 1])
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 3]}..."


@contextmanager
def opened(path: Path) -> Iterator[Iterator[tuple[int, list[str]]]]:
    """Open a table: yield its rows with their numbers, the header as row 1; empty rows left out.

    UTF-8 or, with its mark, UTF-16; cells are separated by the one of comma, semicolon, tab and bar
    that the first line has most of; blanks around a cell do not count.

    Raises
    ------
    DataError
        If the file cannot be read as a table.
    """
    if not path.is_file():
        raise DataError(f"{shown(path)}: no such file")
    where = shown(path)
    with path.open("rb") as raw:
        wide = raw.read(2) in (b"\xff\xfe", b"\xfe\xff")
    try:
        with path.open(encoding="utf-16" if wide else "utf-8-sig", newline="") as file:
            yield _rows(where, file)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{where}: must be text in UTF-8, and byte {error.start:,} of a block is none; save it "
            "as CSV UTF-8"
        ) from error


def _rows(where: str, file: IO[str]) -> Iterator[tuple[int, list[str]]]:
    lines = _lines(where, file)
    first = next(lines, "")
    if not first.strip():
        raise DataError(f"{where}: must begin with a row that names the columns, got an empty line")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(_again(first, lines), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, 1):
            if len(cells) > MOST_COLUMNS:
                raise DataError(
                    f"{where}: must have at most {MOST_COLUMNS:,} columns, and row {number} has "
                    f"{len(cells):,}"
                )
            if cells:
                yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(
            f"{where}: cannot be read as a table after row {number} ({error}); look for a quote "
            "that is not closed there"
        ) from error


def _lines(where: str, file: IO[str]) -> Iterator[str]:
    """Yield lines; refuse one that is too long before it is read."""
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise DataError(
                f"{where}: must have lines of less than {LONGEST_LINE:,} characters, got a longer "
                "one"
            )
        if "\0" in line:
            raise DataError(
                f"{where}: must be text, and it holds a zero byte; save it as CSV UTF-8"
            )
        yield line


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
