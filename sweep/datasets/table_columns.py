"""Which columns of a table are paths, labels, parts and groups, and which are features."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass

from sweep.datasets.csv_rows import printable
from sweep.errors import DataError

USUAL = {
    "path": ("path", "file", "filename", "file_name", "filepath", "image", "image_path"),
    "label": ("label", "labels", "class", "target"),
    "split": ("split",),
    "group": (),
}
"""Names by which a column is found, in any case, where the study does not name it."""

SHOWN = 20


@dataclass(frozen=True)
class ColumnNames:
    """The names of columns that a study gives; None for those that are looked for.

    Attributes
    ----------
    path, label, split, group : str or None
        The file of a picture, its class, the part of the data that it belongs to, its group.
    """

    path: str | None = None
    label: str | None = None
    split: str | None = None
    group: str | None = None

    def given(self) -> list[str]:
        """Return which of them are given."""
        return [name for name in USUAL if getattr(self, name) is not None]


@dataclass(frozen=True)
class Columns:
    """Places of the columns in a row.

    Attributes
    ----------
    names : tuple of str
        The header.
    label : int
        Place of the labels.
    path, split, group : int or None
        Places of the others, None where there is none.
    features : tuple of int
        Places of the features; empty where rows are pictures in files.
    index : int or None
        Place of a column without a name, which must hold the numbers of the rows.
    """

    names: tuple[str, ...]
    label: int
    path: int | None
    split: int | None
    group: int | None
    features: tuple[int, ...]
    index: int | None = None

    def note(self) -> str:
        """Return a note on what each column is taken for."""
        named = {"pictures": self.path, "labels": self.label, "parts": self.split}
        named["groups"] = self.group
        parts = [
            f"{what} are column {printable(self.names[place])}"
            for what, place in named.items()
            if place is not None
        ]
        if self.features:
            first, last = (printable(self.names[self.features[end]]) for end in (0, -1))
            many = f"{len(self.features):,} columns, {first} to {last}"
            parts.append(f"features are {many if len(self.features) > 1 else f'column {first}'}")
        if self.index is not None:
            parts.append("the column without a name is left out: it numbers the rows")
        return ", ".join(parts)


def find_columns(where: str, header: list[str], asked: ColumnNames) -> Columns:
    """Find the columns of a table.

    Parameters
    ----------
    where : str
        The table, for messages.
    header : list of str
        Names of its columns.
    asked : ColumnNames
        Names that the study gives.

    Returns
    -------
    Columns

    Raises
    ------
    DataError
        With every problem: columns that are not there, or twice, or meant in two ways.
    """
    problems: list[str] = []
    found = {key: _place(key, getattr(asked, key), header, problems) for key in USUAL}
    index = 0 if header[0] == "" and found["path"] is None and len(header) > 1 else None
    problems += _name_problems(header, found, index)
    places = [place for place in found.values() if place is not None]
    for place in [place for place, times in Counter(places).items() if times > 1]:
        keys = " and ".join(key for key in USUAL if found[key] == place)
        problems.append(f"{keys}: must be columns of their own, got {header[place]} for both")
    features: tuple[int, ...] = ()
    if found["path"] is None:
        features = tuple(i for i in range(len(header)) if i not in places and i != index)
        if not features and not problems:
            problems.append("must have a column of paths to pictures, or columns of features")
    if problems:
        head = f"{where}: must begin with a row that names the columns; there are {_some(header)}"
        raise DataError("\n  ".join([head, *problems]))
    label = found["label"]
    if label is None:
        raise AssertionError
    return Columns(
        tuple(header), label, found["path"], found["split"], found["group"], features, index
    )


def _place(key: str, name: str | None, header: list[str], problems: list[str]) -> int | None:
    """Return the place of a column: of the name that is given, else of a usual one."""
    if name is not None:
        if name.strip() in header:
            return header.index(name.strip())
        close = difflib.get_close_matches(name, header, n=1)
        hint = f", did you mean {printable(close[0])}?" if close else ""
        problems.append(f"{key}: no column is named {printable(name)!r}{hint}")
        return None
    places = [i for i, each in enumerate(header) if each.lower() in USUAL[key]]
    if len(places) > 1:
        names = ", ".join(printable(header[i]) for i in places)
        problems.append(f"{key}: may be {names}; name one of them in [data]")
    elif not places and key == "label":
        problems.append(
            'label: no column is named label, class or target; say label = "..." in [data]'
        )
    return places[0] if places else None


def _name_problems(header: list[str], found: dict[str, int | None], index: int | None) -> list[str]:
    """Return what is wrong with names of columns that are used."""
    used = {place for place in found.values() if place is not None}
    mine = [each for i, each in enumerate(header) if found["path"] is None or i in used]
    twice = [name for name, times in Counter(header).items() if times > 1 and name in mine]
    problems = [f"column {printable(name)!r} must be there once" for name in twice[:SHOWN] if name]
    bare = [i for i, name in enumerate(header, 1) if not name and i - 1 != index]
    if bare and found["path"] is None:
        listed = ", ".join(map(str, bare[:SHOWN]))
        problems.append(f"every column must have a name, and column {listed} has none")
    return problems


def _some(header: list[str]) -> str:
    """Return the first names of a header, for a message."""
    names = ", ".join(printable(name) or "(no name)" for name in header[:SHOWN])
    return names if len(header) <= SHOWN else f"{names}, ... ({len(header):,} in all)"
