"""Read folders of class folders, in the order of Keras's ``image_dataset_from_directory``."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.csv_rows import SUFFIXES as TABLES
from sweep.datasets.dataset import Dataset
from sweep.datasets.folder_layout import find_layout, is_hidden, subfolders
from sweep.datasets.image_files import SUFFIXES, all_of, shown
from sweep.datasets.picture_rows import read_rows
from sweep.datasets.resizing import asked_size
from sweep.datasets.sampling import split_test
from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sweep.datasets.mapped_store import Memory
    from sweep.datasets.picture_rows import PictureOptions


@dataclass(frozen=True)
class _Listing:
    """The pictures of one folder of class folders, sorted by path."""

    files: tuple[Path, ...]
    labels: NDArray[Any]
    names: tuple[str, ...]


def read_folder(
    folder: Path,
    name: str,
    options: PictureOptions,
    memory: Memory,
    test_fraction: float,
    seed: int,
) -> Dataset:
    """Read pictures, each from the folder of its class.

    The folder contains class folders, or train/test folders (``train``, ``val``, ``test``, ...)
    with the same class folders in each.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Name of the dataset.
    options : PictureOptions
        Size, color and the like.
    memory : Memory
        Where rows are kept.
    test_fraction : float
        Without a test folder: the share of the rows, stratified, that becomes test rows.
    seed : int
        Seed of that draw.

    Returns
    -------
    Dataset
        ``uint8`` pixels; not checked yet. Its notes say which folders were used, and how pictures
        were resized.

    Raises
    ------
    DataError
        For ambiguous folders, for a single class, and for files that cannot be read as pictures,
        all by name.
    """
    asked_size(options.image_size)  # refused before anything is read
    layout = find_layout(folder)
    if layout.test is None:
        check_fraction(test_fraction)
        listing = _list(layout.train)
        _check_splittable(layout.train, listing)
        rows, held_out = split_test(listing.labels, test_fraction, seed)
    else:
        listing, trained = _list_both(folder, layout.train, layout.test)
        rows, held_out = np.arange(trained), np.arange(trained, len(listing.files))
    read, y = read_rows(listing.files, [rows, held_out], options, memory), listing.labels
    return Dataset(
        name, read.parts[0], y[rows], read.parts[1], y[held_out], listing.names,
        notes=tuple(note for note in (layout.note, read.note) if note),
    )  # fmt: skip


def _list_both(folder: Path, train: Path, test: Path) -> tuple[_Listing, int]:
    """Return one listing of training and then test pictures, and the number of training ones."""
    first, second = _list(train), _list(test)
    if first.names != second.names:
        raise DataError(
            f"{folder}: {train.name} and {test.name} must hold the same class folders, got "
            f"{', '.join(first.names)} and {', '.join(second.names)}"
        )
    labels = np.concatenate([first.labels, second.labels])
    return _Listing(first.files + second.files, labels, first.names), len(first.files)


def check_fraction(test_fraction: float) -> None:
    """Refuse a test share of 0 or less, or of 1 or more."""
    if not 0 < test_fraction < 1:
        raise DataError(f"test_fraction: must lie between 0 and 1, got {test_fraction!r}")


def _check_splittable(folder: Path, listing: _Listing) -> None:
    """Refuse classes with one picture: a split needs one on either side."""
    counts = np.bincount(listing.labels).tolist()
    single = [folder / name for name, n in zip(listing.names, counts, strict=True) if n == 1]
    if single:
        raise DataError(
            f"{', '.join(map(shown, single))}: a class needs at least 2 pictures, one to train "
            "and one to test on, got 1"
        )


def _list(folder: Path) -> _Listing:
    """List the pictures of a folder of class folders; refuse all other files in one message."""
    classes = subfolders(folder)
    files = [list(_files(path)) for path in classes]
    if len(classes) < 2:
        raise DataError(_too_few(folder, classes))
    problems = [*_class_problems(classes, files), *_file_problems(folder, files)]
    if len(problems) > 1:
        raise DataError(all_of(f"{shown(folder)}: {len(problems)} problems", problems))
    if problems:
        raise DataError(problems[0])
    labels = np.repeat(np.arange(len(classes)), [len(each) for each in files])
    every = tuple(path for each in files for path in each)
    return _Listing(every, labels.astype(np.int64), tuple(path.name for path in classes))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files of a class that are not hidden, also those in subfolders but not in links."""
    for root, inner, names in sorted(_walk(folder)):
        del inner
        yield from (Path(root) / name for name in sorted(names) if not is_hidden(name))


def _walk(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """Walk through a folder without the hidden subfolders."""
    for root, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if not is_hidden(name)]  # os.walk skips the others
        yield root, inner, names


def _too_few(folder: Path, classes: Sequence[Path]) -> str:
    """Return the message for a folder with fewer than two class folders."""
    names = ", ".join(shown(Path(path.name)) for path in classes) or "none"
    inner = len(classes) == 1 and subfolders(classes[0])
    hint = f'; for the folders in it say dataset = "{shown(classes[0])}"' if inner else ""
    tables = sorted(path for path in folder.iterdir() if path.name.lower().endswith(TABLES))
    if len(tables) == 1:
        hint = f'; for the table in it say dataset = "{shown(tables[0])}"'
    return f"{shown(folder)}: must hold at least two class folders, got {names}{hint}"


def _class_problems(classes: Sequence[Path], files: Sequence[list[Path]]) -> list[str]:
    """Return messages for class folders whose names are not text, and for empty ones."""
    odd = [path for path in classes if not _is_text(path.name)]
    bare = [path for path, own in zip(classes, files, strict=True) if not own]
    return [
        *(f"{shown(path)}: a class's name must be UTF-8 text; rename it" for path in odd),
        *(f"{shown(path)}: must hold pictures ({' '.join(SUFFIXES)}), got none" for path in bare),
    ]


def _file_problems(folder: Path, files: Sequence[list[Path]]) -> list[str]:
    """Return messages for files that are not pictures, and for pictures outside class folders."""
    loose = sorted(p for p in folder.iterdir() if p.is_file() and _is_picture(p))
    other = [path for each in files for path in each if not _is_picture(path)]
    kinds = " ".join(SUFFIXES)
    return [
        *(f"{shown(path)}: must lie in the folder of its class" for path in loose),
        *(f"{shown(p)}: must be a picture ({kinds}); convert it or move it away" for p in other),
    ]


def _is_text(name: str) -> bool:
    """Return whether a name is UTF-8, so that the ledger can store it."""
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _is_picture(path: Path) -> bool:
    """Return whether a file's name is that of a picture."""
    return path.name.lower().endswith(SUFFIXES) and not is_hidden(path.name)
