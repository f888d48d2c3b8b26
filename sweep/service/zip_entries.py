"""What a zip of pictures may name: checked before a byte of it is unpacked."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.datasets.folder_layout import is_hidden
from sweep.datasets.image_files import SUFFIXES
from sweep.support.npz_archives import COMPRESSIONS, directory_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from sweep.service.settings import Limits

TABLE = "labels.csv"
"""Name of the table of labels that a zip may have beside its pictures."""
ENCRYPTED = 0x1
DIRECTORY_BYTES = 256
"""Bytes of a zip's directory for each file that it may hold."""
LONGEST_PART, DEEPEST = 120, 8
"""Most characters of a file's or folder's name, and most folders below each other."""
MOST_NAMED = 20
"""Problems that a message lists."""
FORBIDDEN = set('\\:*?"<>|')
"""Characters that some system reads as more than a name."""


class UploadError(ValueError):
    """Raised for an upload that is no dataset, with all that is wrong as lines."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(problems[0] if problems else "")


@dataclass(frozen=True)
class Entries:
    """The pictures of a zip, and what was left out.

    Attributes
    ----------
    pictures : sequence of (member, path)
        Each with the names of its folders and its own, without a folder around everything.
    left_out : sequence of str
        Names of files that are no pictures.
    table : ZipInfo or None
        A table of labels beside the pictures.
    """

    pictures: Sequence[tuple[zipfile.ZipInfo, tuple[str, ...]]]
    left_out: Sequence[str]
    table: zipfile.ZipInfo | None = None


def open_zip(
    path: Path, limits: Limits, remedy: str = "pack the folder of pictures as a zip again"
) -> zipfile.ZipFile:
    """Open a zip whose directory is small enough to be read.

    Raises
    ------
    UploadError
        If it is none, or names too many files.
    """
    with path.open("rb") as file:
        members, size = directory_size(file)
    if size > limits.files * DIRECTORY_BYTES or members > 2 * limits.files:
        raise UploadError(f"a zip may hold {limits.files:,} files; this one names {members:,}")
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RecursionError) as error:
        raise UploadError(f"the file is no whole zip ({error}); {remedy}") from error


def entries(archive: zipfile.ZipFile, limits: Limits) -> Entries:
    """Return the pictures of a zip, after a check of every name in it.

    Raises
    ------
    UploadError
        With every name that may not be there.
    """
    everything = archive.infolist()
    members = [each for each in everything if not each.filename.endswith("/")]
    problems = [
        f"{_shown(each.orig_filename)}: {why}" for each in everything if (why := _problem(each))
    ]
    if problems:
        raise UploadError(*_first(problems))
    seen = [each for each in members if not any(map(is_hidden, _parts(each)))]
    kept = [each for each in seen if each.filename.lower().endswith(SUFFIXES)]
    left_out = [each.filename for each in seen if not each.filename.lower().endswith(SUFFIXES)]
    _check_size(members, kept, limits)
    table = _table(seen, [_parts(each) for each in kept])
    if twice := list(_collisions(map(_parts, [*kept, *([table] if table else [])]))):
        raise UploadError(*_first(twice))
    outer = len(_parts(table)) - 1 if table else _outer([_parts(each) for each in kept])
    left_out = [name for name in left_out if table is None or name != table.filename]
    return Entries([(each, _parts(each)[outer:]) for each in kept], left_out, table)


def _table(
    members: Sequence[zipfile.ZipInfo], pictures: Sequence[tuple[str, ...]]
) -> zipfile.ZipInfo | None:
    """Return the table of labels in whose folder all pictures lie; None where there is none."""
    for each in sorted(members, key=lambda member: len(_parts(member))):
        *folder, name = _parts(each)
        if name == TABLE and all(list(path[: len(folder)]) == folder for path in pictures):
            return each
    return None


def dataset_of(path: Path) -> str:
    """Return what a study file says for an upload or a folder: its name, or its table's."""
    return f"{path.name}/{TABLE}" if (path / TABLE).is_file() else path.name


def _parts(member: zipfile.ZipInfo) -> tuple[str, ...]:
    return tuple(member.filename.rstrip("/").split("/"))


def _problem(member: zipfile.ZipInfo) -> str:
    """Return why a member may not be there; empty if it may.

    Python cuts its name at a zero byte, and from 3.12 takes another name from an extra field.
    """
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "must be a file or a folder, not a link or a device"
    if member.flag_bits & ENCRYPTED:
        return "must not be encrypted; pack the folder without a password"
    if member.compress_type not in COMPRESSIONS:
        return "must be stored or deflated; pack the folder as a plain zip"
    return _name_problem(member.orig_filename) or _name_problem(member.filename)


def _name_problem(name: str) -> str:
    parts = name.removesuffix("/").split("/")
    if name.startswith("/") or ".." in parts:
        return "must lie inside the zip's own folder"
    if any(part in ("", ".") for part in parts):
        return "must be a plain path of folders and a name"
    if len(parts) > DEEPEST or max(map(len, parts)) > LONGEST_PART:
        return f"must have at most {DEEPEST} parts of {LONGEST_PART} characters"
    if not name.isprintable() or FORBIDDEN.intersection(name):
        return "must have no control characters and none of " + " ".join(sorted(FORBIDDEN))
    if any(part != part.strip() or part.endswith(".") for part in parts):
        return "must have no name that begins or ends with a space, or ends with a dot"
    return ""


def _check_size(
    members: Sequence[zipfile.ZipInfo], kept: Sequence[zipfile.ZipInfo], limits: Limits
) -> None:
    if not kept:
        kinds = " ".join(SUFFIXES)
        raise UploadError(
            f"the zip must hold a folder of pictures ({kinds}) for each class, or pictures beside "
            f"a table {TABLE}"
        )
    if len(members) > limits.files:
        raise UploadError(f"a zip may hold {limits.files:,} files; this one has {len(members):,}")
    if (size := sum(each.file_size for each in members)) > limits.unpacked:
        raise UploadError(too_large(limits, f"; this one says {size:,}"))


def too_large(limits: Limits, more: str = "") -> str:
    """Return the message for an upload that is too large unpacked."""
    return f"a dataset may have {limits.unpacked:,} bytes unpacked{more}"


def _collisions(paths: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield names that are there twice, or would be one where case does not count."""
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    files: set[tuple[str, ...]] = set()
    for path in paths:
        for end in range(1, len(path) + 1):
            part = path[:end]
            folded = tuple(unicodedata.normalize("NFC", each).casefold() for each in part)
            before, whole = known.setdefault(folded, part), end == len(path)
            if before != part:
                yield f"{_shown('/'.join(part))}: differs only in case from {'/'.join(before)}"
                break
            if folded in files:
                yield f"{_shown('/'.join(part))}: is there twice"
                break
            if whole:
                files.add(folded)


def _outer(paths: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders are around everything; class folders stay."""
    outer = 0
    while min(map(len, paths)) > outer + 2 and len({path[outer] for path in paths}) == 1:
        outer += 1
    return outer


def _first(problems: Sequence[str]) -> Sequence[str]:
    more = len(problems) - MOST_NAMED
    return [*problems[:MOST_NAMED], *([f"and {more:,} more"] if more > 0 else [])]


def _shown(name: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in name)[:200]
