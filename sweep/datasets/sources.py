"""Find which kind of source the ``dataset`` of a study names, and its path."""

from __future__ import annotations

import difflib
from pathlib import Path

from sweep.datasets.builtin import DATASETS
from sweep.datasets.csv_rows import SUFFIXES as TABLES
from sweep.datasets.image_files import SUFFIXES
from sweep.errors import DataError
from sweep.support.code_references import is_reference
from sweep.support.file_names import expanded

_ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".7z", ".rar")


def kind_of(dataset: str, folder: Path | None) -> str:
    """Return the kind of source that a name stands for.

    Returns
    -------
    {"builtin", "npz", "table", "reference", "folder"}

    Raises
    ------
    DataError
        If it names none of them; the message suggests what could be meant.
    """
    if dataset in DATASETS:
        return "builtin"
    if dataset.lower().endswith(".npz"):
        return "npz"
    if dataset.lower().endswith(TABLES):
        return "table"
    if is_reference(dataset):
        return "reference"
    path = path_of(dataset, folder)
    if dataset and path.is_dir():
        return "folder"
    if dataset and path.exists():
        raise DataError(
            f"dataset: {path} is a file, and the only files that are read as they stand are .npz "
            f"with x_train, y_train, x_test, y_test, and .csv; {_remedy(path)}"
        )
    raise DataError(_unknown(dataset))


def path_of(dataset: str, folder: Path | None) -> Path:
    """Return the path beside the study file if it exists there, else as given."""
    path = expanded(dataset)
    beside = path if folder is None else Path(folder) / path
    return beside if beside.exists() else path


def _remedy(path: Path) -> str:
    """Return how a file of another kind can be used as a dataset."""
    name = path.name.lower()
    if name.endswith(_ARCHIVES):
        return "unpack it, and name the folder"
    if name.endswith(SUFFIXES):
        return "name the folder that holds a folder of pictures for each class"
    if name.endswith(".py"):
        return f'name a function in it that returns these arrays: "{path.stem}:function"'
    return (
        'read it in a function of your own that returns these arrays, and name that: "mine:load" '
        "for load in mine.py"
    )


def _unknown(dataset: str) -> str:
    """Return the message for a name that is unknown, with suggestions."""
    close = difflib.get_close_matches(dataset, DATASETS, n=1)
    hint = f"did you mean {close[0]}? " if close else ""
    return (
        f"dataset: nothing named {dataset!r}; {hint}it may be one of "
        f"{', '.join(DATASETS)}, a file.npz, a table.csv, a folder of class folders, or "
        '"module:function"'
    )
