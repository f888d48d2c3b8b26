"""How much files take on the disk, and room made by removing the longest untouched ones."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from itertools import chain
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NANOSECONDS = 10**9


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 where nothing is there."""
    return sum(facts.st_size for facts in _facts(path) if S_ISREG(facts.st_mode))


def newest_change(folder: Path) -> float:
    """Return when a folder or anything in it was changed last; 0 where nothing is there."""
    return max((facts.st_mtime for facts in _facts(folder)), default=0.0)


def last_used(path: Path) -> float:
    """Return when a file, or a folder itself, was changed last; 0 where nothing is there."""
    return _last_used_ns(path) / NANOSECONDS


def make_room(paths: Iterable[Path], limit: int, keep: Path | None = None) -> None:
    """Remove the longest unused files or folders until the others fit.

    Parameters
    ----------
    paths : iterable of Path
        Files, or folders of files.
    limit : int
        Bytes that they may take together.
    keep : Path, optional
        The one of them that is not removed, for it is in use; it counts.
    """
    found = sorted((_last_used_ns(path), size_of(path), path) for path in paths)
    total = sum(size for _, size, _ in found)
    for _, size, path in found:
        if total <= limit:
            return
        if path != keep:
            remove(path)
            total -= size


def remove(path: Path) -> None:
    """Remove a file or a folder; another process may have done so meanwhile."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _last_used_ns(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns  # whole nanoseconds: as a float, close times are equal
    except FileNotFoundError:  # another worker has removed it
        return 0


def _facts(path: Path) -> Iterator[os.stat_result]:
    """Yield the status of a file, or of a folder and all below it that still exists."""
    below = (Path(place) / name for place, _, files in os.walk(path) for name in (".", *files))
    for each in chain((path,), below):  # os.walk yields nothing of a file, or where none is
        with suppress(OSError):
            yield each.stat()
