"""Read what the ``dataset`` of a study names, from whichever kind of source it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sweep.datasets.builtin import read_builtin
from sweep.datasets.checks import checked
from sweep.datasets.folders import read_folder
from sweep.datasets.loader_function import read_reference
from sweep.datasets.mapped_store import Memory, mapped_note
from sweep.datasets.npz import read_npz
from sweep.datasets.picture_rows import PictureOptions
from sweep.datasets.sources import kind_of, path_of
from sweep.datasets.table_columns import ColumnNames
from sweep.datasets.tables import read_table
from sweep.errors import DataError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection
    from pathlib import Path

    from sweep.datasets.dataset import Dataset


@dataclass(frozen=True)
class Source:
    """What is read, and how; the fields are parameters of :func:`sweep.load_dataset`.

    Attributes
    ----------
    dataset : str
        Its name.
    folder : Path or None
        Folder of the study file.
    data_home : path or None
        Folder with ``mnist.npz`` and the like.
    allow : collection of str
        Modules that may be loaded.
    groups : str or None
        Name of the array of groups.
    columns : ColumnNames
        Of a table.
    pictures : PictureOptions
        Of pictures in files.
    memory : Memory
        Where rows are kept.
    test_fraction : float
        Share of test rows, where the source does not say which they are.
    seed : int
        Seed of that draw.
    """

    dataset: str
    folder: Path | None = None
    data_home: str | os.PathLike[str] | None = None
    allow: Collection[str] = ()
    groups: str | None = None
    columns: ColumnNames = field(default_factory=ColumnNames)
    pictures: PictureOptions = field(default_factory=PictureOptions)
    memory: Memory = field(default_factory=Memory)
    test_fraction: float = 0.2
    seed: int = 0


def read_source(source: Source) -> Dataset:
    """Return the whole dataset, checked.

    Raises
    ------
    DataError
        When the data are missing, damaged or break a rule, and for settings of another kind of
        source, which would be ignored.
    ReferenceError_
        When a ``"module:function"`` may not be, or cannot be, loaded.
    """
    kind = kind_of(source.dataset, source.folder)
    _check_settings(source, kind)
    if kind == "builtin":
        whole = read_builtin(source.dataset, source.data_home, source.groups)
        return on_disk(whole, source.memory)
    if kind == "reference":
        own = read_reference(source.dataset, source.groups, source.allow, source.folder)
        return on_disk(checked(own), source.memory)
    path, name = path_of(source.dataset, source.folder), source.dataset
    if kind == "npz":
        return checked(read_npz(path, name, source.groups, source.memory))
    how = (source.pictures, source.memory, source.test_fraction, source.seed)
    if kind == "table":
        return checked(read_table(path, name, source.columns, *how))
    return checked(read_folder(path, name, *how))


def on_disk(dataset: Dataset, memory: Memory) -> Dataset:
    """Return a dataset that is in memory with its rows on the disk, if they are to be there."""
    size = dataset.x_train.nbytes + dataset.x_test.nbytes
    if not memory.maps(size):
        return dataset
    train: Any = memory.keep(dataset.x_train)
    test: Any = memory.keep(dataset.x_test)
    notes = (*dataset.notes, mapped_note(size, memory.asked))
    return replace(dataset, x_train=train, x_test=test, notes=notes)


def _check_settings(source: Source, kind: str) -> None:
    """Refuse settings of another kind of source, which would otherwise be ignored silently."""
    name = source.dataset
    if kind not in ("folder", "table") and not source.pictures.are_default:
        raise DataError(
            f"image_size, color, resize: only for pictures in files, and {name} has none; "
            f"leave them out"
        )
    if kind != "table" and (given := source.columns.given()):
        raise DataError(
            f"{', '.join(given)}: only for the columns of a table (.csv), and {name} is none; "
            "leave them out"
        )
    if kind == "folder" and source.groups is not None:
        raise DataError(
            f"groups: a folder of pictures has no array {source.groups!r}; use an .npz, or a table "
            "with a column group"
        )
    if kind == "table" and source.groups is not None:
        raise DataError(
            f"groups: names an array, and {name} is a table; name its column: group = "
            f'"{source.groups}"'
        )
