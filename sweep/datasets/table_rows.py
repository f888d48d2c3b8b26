"""Read what the rows of a table say: labels, parts and groups, paths of pictures or features."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.folder_layout import PARTS
from sweep.datasets.image_files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from sweep.datasets.csv_rows import RowProblems
    from sweep.datasets.table_columns import Columns

BLOCK = 1024
"""Rows of features that are converted at a time."""
LONGEST_LABEL = 200
LONGEST_NUMBER = 16
"""Characters of a whole number with which it is text."""
PART_OF = {word: part for part, words in PARTS.items() for word in words}

CELLS = "must have as many cells as the header has names"
EMPTY = "{}: must not be empty"
LABEL = f"label: must be text on one line, of at most {LONGEST_LABEL} characters"
SPLIT = f"split: must be one of {', '.join(PART_OF)}"
OUTSIDE = "path: must lie inside the folder of the table, without .. or a beginning /"
PICTURE = f"path: must be a picture ({' '.join(SUFFIXES)})"
MISSING = "path: no such file"
TWICE = "path: must stand in one row alone"
NUMBER = "features must be finite numbers"
INDEX = "the column without a name must number the rows from 0 or 1; give it a name, or remove it"


@dataclass
class TableRows:
    """What the rows say, in their order.

    Attributes
    ----------
    labels, parts, groups : list of str
        The last two are empty where no column holds them; parts are ``"train"``, ``"validation"``
        and ``"test"``.
    files : list of Path
        Pictures; empty where rows are features.
    """

    labels: list[str] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)


def read_table_rows(
    rows: Iterable[tuple[int, list[str]]],
    columns: Columns,
    folder: Path,
    problems: RowProblems,
    keep: Callable[[NDArray[np.float32]], None],
) -> TableRows:
    """Read the rows of a table.

    Parameters
    ----------
    rows : iterable of (int, list of str)
        Numbers and cells of the rows, without the header.
    columns : Columns
        What the cells are.
    folder : Path
        The folder of the table, in which its pictures lie.
    problems : RowProblems
        Gathers what is wrong.
    keep : callable
        Takes the features of some rows at a time, in order, until there is a problem.
    """
    found, known = TableRows(), dict[str, int]()
    features, numbers = list[list[str]](), list[int]()
    for number, cells in rows:
        if len(cells) != len(columns.names):
            problems.add(CELLS, number, f"{len(cells):,} of {len(columns.names):,}")
            continue
        _read_words(found, columns, number, cells, problems)
        if columns.path is not None:
            _read_path(found, number, cells[columns.path], folder, known, problems)
            continue
        features.append([cells[place] for place in columns.features])
        numbers.append(number)
        if len(features) == BLOCK:
            _convert(features, numbers, columns, problems, keep)
            features, numbers = [], []
    if features:
        _convert(features, numbers, columns, problems, keep)
    return found


def _read_words(
    found: TableRows, columns: Columns, number: int, cells: list[str], problems: RowProblems
) -> None:
    """Read label, part and group of a row."""
    label = cells[columns.label]
    if not label:
        problems.add(EMPTY.format("label"), number)
    elif len(label) > LONGEST_LABEL or not label.isprintable():
        problems.add(LABEL, number, label)
    found.labels.append(label)
    if columns.split is not None:
        part = PART_OF.get(cells[columns.split].lower(), "")
        if not part:
            problems.add(SPLIT, number, cells[columns.split] or "empty")
        found.parts.append(part)
    if columns.group is not None:
        if not cells[columns.group]:
            problems.add(EMPTY.format("group"), number)
        found.groups.append(cells[columns.group])
    if columns.index is not None:
        wanted = {str(len(found.labels) - 1), str(len(found.labels))}
        if cells[columns.index] not in wanted:
            problems.add(INDEX, number, cells[columns.index])


def _read_path(
    found: TableRows, number: int, cell: str, folder: Path, known: dict[str, int],
    problems: RowProblems,
) -> None:  # fmt: skip
    """Read the path of a picture; a name that leads elsewhere is never looked up."""
    if not cell:
        problems.add(EMPTY.format("path"), number)
    elif not is_inside(cell):
        problems.add(OUTSIDE, number, cell)
    elif not cell.lower().endswith(SUFFIXES):
        problems.add(PICTURE, number, cell)
    else:
        place = str(PurePosixPath(cell))
        before = known.setdefault(place, number)
        if before != number:
            problems.add(TWICE, number, f"{cell}, first in row {before}")
        elif not _is_file(folder / place):
            problems.add(MISSING, number, cell)
        found.files.append(folder / place)


def is_inside(cell: str) -> bool:
    """Return whether a path is relative and stays in its folder, on any system."""
    windows = PureWindowsPath(cell)
    outward = windows.drive or windows.root or ".." in windows.parts
    return not outward and cell.isprintable()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that is too long
        return False


def _convert(
    features: list[list[str]],
    numbers: list[int],
    columns: Columns,
    problems: RowProblems,
    keep: Callable[[NDArray[np.float32]], None],
) -> None:
    """Convert features to numbers; name each cell that is none."""
    with np.errstate(over="ignore"):
        try:
            block = np.array(features, np.float64).astype(np.float32)
        except ValueError:
            block = np.full((1, 1), np.nan, np.float32)
    if np.isfinite(block).all():
        if not problems:
            keep(block)
        return
    for number, cells in zip(numbers, features, strict=True):
        for place, cell in zip(columns.features, cells, strict=True):
            if not _is_finite(cell):
                problems.add(NUMBER, number, f"{columns.names[place]}: {cell or 'empty'}")


def _is_finite(cell: str) -> bool:
    with np.errstate(over="ignore"):
        try:
            return bool(np.isfinite(np.float32(float(cell))))
        except ValueError:
            return False


def as_labels(where: str, labels: list[str]) -> NDArray[Any]:
    """Return labels as numbers where each is a number as Python writes it, else as text.

    ``"07"`` is text: it may be a name.

    Raises
    ------
    DataError
        For numbers with a fraction: only classification is supported.
    """
    from sweep.datasets.labels import some
    from sweep.errors import DataError

    if all(label.isascii() and label.removeprefix("-").isdigit() for label in set(labels)):
        known = {label: int(label) for label in set(labels) if len(label) < LONGEST_NUMBER}
        if all(str(known.get(label)) == label for label in set(labels)):
            return np.array([known[label] for label in labels], np.int64)
    parts = [label for label in sorted(set(labels)) if _is_fraction(label)]
    if len(parts) > 20 and all(map(_is_finite, labels)):
        raise DataError(
            f"{where}: labels must be classes, and these are numbers with a fraction: "
            f"{some(parts)}; only classification is supported"
        )
    return np.array(labels, np.str_)


def _is_fraction(label: str) -> bool:
    return _is_finite(label) and not float(label).is_integer()
