"""Find the layout of a folder of pictures: class folders, or train/test folders of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
"""Usual names of the folders of training, validation and test rows, in any case; either the whole
name of a folder or a word in it."""

_SYSTEM_FILES = ("thumbs.db", "desktop.ini", "__macosx")


@dataclass(frozen=True)
class Layout:
    """The folders of training and test rows.

    Attributes
    ----------
    train : Path
        A folder of class folders.
    test : Path or None
        The same for the test rows; None where they are drawn from the training folder.
    note : str
        Which folders are used; empty where the folder contains class folders only.
    """

    train: Path
    test: Path | None = None
    note: str = ""


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is hidden or made by an operating system."""
    return name.startswith(".") or name.lower() in _SYSTEM_FILES


def subfolders(folder: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones."""
    return sorted(p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name))


def find_layout(folder: Path) -> Layout:
    """Find the folders of training and test rows by their names.

    Parameters
    ----------
    folder : Path
        The folder in the study file.

    Returns
    -------
    Layout
        With the folder itself where it contains class folders directly.

    Raises
    ------
    DataError
        If the names are ambiguous.
    """
    inside = subfolders(folder)
    parts = _parts(inside)
    if not any(subfolders(path) for path in _all(parts)):
        _check_classes(folder, inside, parts)
        return Layout(folder)
    _check_parts(folder, inside, parts)
    train = parts["train"][0]
    if len(parts) == 1:
        return Layout(_inner(train), note=f"{train.name}/ alone: test rows are a part of it")
    test = (parts.get("test") or parts["validation"])[0]
    unused = [path for path in inside if path not in (train, test)]
    rest = f"; {_listed(unused)} left out" if unused else ""
    note = f"training rows are {train.name}/, test rows {test.name}/{rest}"
    return Layout(_inner(train), _inner(test), note)


def _parts(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the folders of each part (train, validation, test); missing parts have no key.

    A folder with such a word in its name, like ``seg_train``, counts if no folder has the whole
    name and if another one has the same class folders: ``seg_test``.
    """
    words = _by_words(folders)
    found = {
        part: [path for path in folders if path.name.lower() in names]
        or [path for path in words.get(part, ()) if _has_double(path, folders)]
        for part, names in PARTS.items()
    }
    return {part: paths for part, paths in found.items() if paths}


def _by_words(folders: Sequence[Path]) -> dict[str, list[Path]]:
    """Return the folders with a part's name as a word in their names, by part."""
    found: dict[str, list[Path]] = {}
    for path in folders:
        words = re.findall("[a-z]+", path.name.lower())
        for part, names in PARTS.items():
            if any(word in names for word in words):
                found.setdefault(part, []).append(path)
    return found


def _has_double(path: Path, folders: Iterable[Path]) -> bool:
    """Return whether another of the folders has subfolders of the same names."""
    mine, *others = (
        {inside.name.lower() for inside in subfolders(_inner(each))}
        for each in (path, *(other for other in folders if other != path))
    )
    return bool(mine) and mine in others


def _inner(folder: Path) -> Path:
    """Return the only subfolder if it too is named like a part, as unpacked archives have it."""
    inside = subfolders(folder)
    return inside[0] if len(inside) == 1 and _by_words(inside) else folder


def _all(parts: Mapping[str, list[Path]]) -> list[Path]:
    return [path for paths in parts.values() for path in paths]


def _check_classes(folder: Path, classes: Sequence[Path], parts: Mapping[str, list[Path]]) -> None:
    """Refuse class folders that look like train/test folders, or that contain such folders."""
    words = _by_words(classes)
    named = _all(parts) if len(parts) > 1 else _all(words)
    if len(parts) > 1 or (len(words) > 1 and set(named) == set(classes)):
        raise DataError(
            f"{folder}: {_listed(named)} must each hold the folders of the classes, and hold none; "
            "sort the pictures into such folders, or rename what is a class"
        )
    for path in classes:
        if len(inner := _parts(subfolders(path))) > 1:
            raise DataError(
                f"{path}: must hold the pictures of one class, got {_listed(_all(inner))}; put the "
                "class folders into train/ and test/, not these into each class"
            )


def _check_parts(folder: Path, inside: Iterable[Path], parts: Mapping[str, list[Path]]) -> None:
    """Refuse train/test folders that are doubled, incomplete or ambiguous."""
    named = _all(parts)
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
        raise DataError(
            f"{folder}: must have train/ beside {_listed(named)}, and has none: rename the folder "
            "that is to be trained on"
        )
    others = [path for path in inside if path not in named]
    if others and len(parts) == 1:
        raise DataError(
            f"{folder}: {_listed(named)} may be the training rows, or a class like "
            f"{_listed(others)}; rename what is a class, or {remedy}"
        )


def _listed(paths: Iterable[Path]) -> str:
    """Return the names of folders, for a message."""
    names = [f"{path.name}/" for path in paths]
    shown = names if len(names) <= 5 else [*names[:5], "..."]
    return " and ".join(shown) if len(shown) == 2 else ", ".join(shown)
