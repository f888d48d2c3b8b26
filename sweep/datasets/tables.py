"""Read a CSV file as a dataset: labels beside pictures in files, or features in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.csv_rows import RowProblems, opened
from sweep.datasets.dataset import Dataset
from sweep.datasets.feature_rows import feature_rows
from sweep.datasets.folders import check_fraction
from sweep.datasets.image_files import shown
from sweep.datasets.labels import some
from sweep.datasets.picture_rows import read_rows
from sweep.datasets.resizing import asked_size
from sweep.datasets.sampling import split_test, split_test_groups
from sweep.datasets.table_columns import find_columns
from sweep.datasets.table_rows import TableRows, as_labels, read_table_rows
from sweep.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from sweep.datasets.mapped_store import Memory
    from sweep.datasets.picture_rows import PictureOptions
    from sweep.datasets.table_columns import ColumnNames


def read_table(
    path: Path,
    name: str,
    asked: ColumnNames,
    options: PictureOptions,
    memory: Memory,
    test_fraction: float,
    seed: int,
) -> Dataset:
    """Read a table whose rows are pictures in files beside it, or features.

    Parameters
    ----------
    path : Path
        The CSV file, its first row the names of the columns.
    name : str
        Name of the dataset.
    asked : ColumnNames
        Names of the columns that the study gives.
    options : PictureOptions
        Size, color and the like of pictures.
    memory : Memory
        Where rows are kept.
    test_fraction : float
        Share of the rows that becomes test rows, stratified and by whole groups, where no row says
        that it is one.
    seed : int
        Seed of that draw.

    Returns
    -------
    Dataset
        Not checked yet.

    Raises
    ------
    DataError
        With everything that is wrong with the columns, with the rows, or with the pictures.
    """
    check_fraction(test_fraction)
    asked_size(options.image_size)
    where, problems = shown(path), RowProblems(path)
    with opened(path) as rows:
        _, header = next(rows, (1, [""]))
        columns = find_columns(where, header, asked)
        if columns.features and not options.are_default:
            raise DataError(
                f"image_size, color, resize: only for pictures in files, and {where} has no column "
                "of paths; leave them out, or name it in [data] path"
            )
        with feature_rows(path, columns, memory) as features:
            found = read_table_rows(rows, columns, path.parent, problems, features.append)
            problems.refuse()
    if not found.labels:
        raise DataError(f"{where}: must have rows below its header, got none")
    y = as_labels(where, found.labels)
    train, test, parts_note = _parts(where, found, y, test_fraction, seed)
    groups = np.array(found.groups, np.str_) if found.groups else None
    if columns.features:
        x, note = features.rows()
        x_train, x_test = x[train], x[test]
    else:
        read = read_rows(found.files, [train, test], options, memory)
        (x_train, x_test), note = read.parts, read.note
    notes = [columns.note(), parts_note, note, _shared_groups(groups, train, test)]
    return Dataset(
        name, x_train, y[train], x_test, y[test], (),
        groups=None if groups is None else groups[train],
        notes=tuple(each for each in notes if each),
    )  # fmt: skip


def _parts(
    where: str, found: TableRows, y: NDArray[Any], test_fraction: float, seed: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], str]:
    """Return training and test rows, and a note on rows that are neither."""
    everything = np.arange(len(y))
    parts = np.array(found.parts or ["train"] * len(y))
    train, val, test = (everything[parts == each] for each in ("train", "validation", "test"))
    if not len(train):
        raise DataError(f"{where}: must have training rows, and column split has none")
    if len(test):
        left = f"{len(val):,} validation rows are left out" if len(val) else ""
        return train, test, left
    if len(val):
        return train, val, "test rows are the validation rows"
    _check_splittable(where, y)
    if found.groups:
        train, test = split_test_groups(where, y, np.array(found.groups), test_fraction, seed)
    else:
        train, test = split_test(y, test_fraction, seed)
    return train, test, "test rows are a part of the table, drawn by test_fraction"


def _check_splittable(where: str, y: NDArray[Any]) -> None:
    """Refuse classes with one row: a split needs one on either side."""
    labels, counts = np.unique(y, return_counts=True)
    if len(single := labels[counts == 1]):
        raise DataError(
            f"{where}: a class needs at least 2 rows, one to train and one to test on, and these "
            f"have 1: {some(single.tolist())}; add rows, or say in a column split which are which"
        )


def _shared_groups(
    groups: NDArray[Any] | None, train: NDArray[np.intp], test: NDArray[np.intp]
) -> str:
    """Return a note on groups of which the table puts rows in both parts."""
    if groups is None or not len(both := np.intersect1d(groups[train], groups[test])):
        return ""
    return (
        f"{len(both):,} groups have training rows and test rows, by the table's own split: "
        f"{some(both.tolist())}"
    )
