"""How a folder of pictures is laid out: class folders, or such under train, validation, test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

_PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""The names, in any case, that the folders of parts usually have."""

_OF_SYSTEMS = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True)
class Layout:
    """Where the pictures of a folder lie.

    Attributes
    ----------
    train : Path
        A folder of class folders.
    test : Path or None
        The same for the test rows; None where they are a part of the training folder's.
    note : str
        What was taken for what; empty where the folder holds nothing but class folders.
    """

    train: Path
    test: Path | None = None
    note: str = ""


def is_hidden(name: str) -> bool:
    """Whether a file or folder is none of the person's: hidden, or put there by a system."""
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def subfolders(folder: Path) -> list[Path]:
    """List the folders in a folder, sorted, without hidden ones."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def find_layout(folder: Path) -> Layout:
    """Tell the folders of training and test rows by their names.

    Parameters
    ----------
    folder : Path
        What a study names.

    Returns
    -------
    Layout
        The folder itself where no folder in it is a part.

    Raises
    ------
    DataError
        Where the names may mean one thing as well as another.
    """
    inside = subfolders(folder)
    parts = _parts(inside)
    named = [path for paths in parts.values() for path in paths]
    if not any(subfolders(path) for path in named):
        _check_classes(folder, inside, parts)
        return Layout(folder)
    _check_parts(folder, inside, parts)
    train = parts["train"][0]
    if len(parts) == 1:
        return Layout(train, note=f"{train.name}/ alone: test rows are a part of it")
    test = (parts.get("test") or parts["validation"])[0]
    unused = [path for path in inside if path not in (train, test)]
    rest = f"; {_listed(unused)} left out" if unused else ""
    return Layout(train, test, f"training rows are {train.name}/, test rows {test.name}/{rest}")


def _parts(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Folders that are named like parts, by part; no key for a part that is not there."""
    found = {
        part: [path for path in folders if path.name.lower() in names]
        for part, names in _PARTS.items()
    }
    return {part: paths for part, paths in found.items() if paths}


def _check_classes(folder: Path, classes: Iterable[Path], parts: Mapping[str, list[Path]]) -> None:
    """Refuse class folders that look like parts, without or within each class."""
    if len(parts) > 1:
        named = [path for paths in parts.values() for path in paths]
        raise DataError(
            f"{folder}: {_listed(named)} must each hold the folders of the classes, and hold none; "
            "sort the pictures into such folders, or rename what is a class"
        )
    for path in classes:
        if len(inner := _parts(subfolders(path))) > 1:
            named = [path for paths in inner.values() for path in paths]
            raise DataError(
                f"{path}: must hold the pictures of one class, got {_listed(named)}; put the class "
                "folders into train/ and test/, not these into each class"
            )


def _check_parts(folder: Path, inside: Iterable[Path], parts: Mapping[str, list[Path]]) -> None:
    """Refuse what is a part by one folder and none by another."""
    named = [path for paths in parts.values() for path in paths]
    for part, paths in parts.items():
        if len(paths) > 1:
            raise DataError(
                f"{folder}: must have one folder for the {part} rows, got {_listed(paths)}; "
                "keep one, or put them together"
            )
    flat = [path for path in named if not subfolders(path)]
    nested = [path for path in named if path not in flat]
    remedy = f'name one folder of class folders: dataset = "{nested[0]}"'
    if flat:
        raise DataError(
            f"{folder}: {_listed(flat)} must hold class folders as {_listed(nested)} does, and "
            f"holds none; sort its pictures into such folders, or {remedy}"
        )
    if "train" not in parts:
        raise DataError(f"{folder}: must have train/ beside {_listed(named)}; or {remedy}")
    others = [path for path in inside if path not in named]
    if others and len(parts) == 1:
        raise DataError(
            f"{folder}: {_listed(named)} may be the training rows, or a class like "
            f"{_listed(others)}; rename what is a class, or {remedy}"
        )


def _listed(paths: Iterable[Path]) -> str:
    """Name folders, for a message."""
    names = [f"{path.name}/" for path in paths]
    shown = names if len(names) <= 5 else [*names[:5], "..."]
    return " and ".join(shown) if len(shown) == 2 else ", ".join(shown)
