"""Files that no study of a ledger needs any more: find them, remove them."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.ledger.storage import artifacts_root, storage_url
from sweep.names import slug
from sweep.selection.outlines import all_outlines

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 24 * 3600.0
PASSING = ("checkpoints", "unfinished", "refit")
"""What fits leave while a study runs; a finished one does not need it."""


@dataclass(frozen=True)
class Leftover:
    """A folder that no study needs.

    Attributes
    ----------
    path : Path
        It.
    why : str
        Why not.
    size : int
        Bytes in it.
    """

    path: Path
    why: str
    size: int


def leftovers(storage: str | None = None, days: float = 30) -> list[Leftover]:
    """Return the folders of a ledger's artifacts that nobody needs and nobody touched lately.

    Parameters
    ----------
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    days : float
        Folders touched since are left alone.

    Raises
    ------
    LedgerError
        If the ledger cannot be read: nothing is known to be a leftover then.
    """
    url = storage_url(storage)
    root, before = artifacts_root(url), time.time() - days * DAY
    folders = list(_folders(root))  # first: a study is in the ledger before it has a folder
    with closing(Ledger(url, reading=True)) as ledger:
        headers = dict(_headers(ledger))
        finished = {each.name for each in all_outlines(ledger) if each.status == "finished"}
    owners = {root / slug(n) / str(h.get("uid", "")): n for n, h in headers.items()}
    found = (_judged(folder, owners, finished) for folder in folders)
    flat = [each for many in found for each in many]
    return [each for each in flat if _touched(each.path) < before]


def prune(found: list[Leftover]) -> int:
    """Remove leftovers; return the bytes that are free now."""
    for each in found:
        shutil.rmtree(each.path, ignore_errors=True)
    return sum(each.size for each in found if not each.path.exists())


def _headers(ledger: Ledger) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the header of each study, outer folds too; not of one that is deleted meanwhile."""
    for name in ledger.names():
        with suppress(StudyNotFoundError):
            yield name, ledger.header(name)
            yield from ((part, ledger.header(part)) for part in ledger.parts(name))


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folder of each study: named by its uid, below its name."""
    for named in _below(root):
        yield from _below(named)


def _below(folder: Path) -> list[Path]:
    """Return the folders in a folder; none of one that is gone meanwhile, for a study may run."""
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _judged(folder: Path, owners: dict[Path, str], finished: set[str]) -> Iterator[Leftover]:
    name = owners.get(folder)
    if name is None and folder.parent in owners:  # an older version's: without a uid
        return
    if name is None:
        yield Leftover(folder, "its study is not in the ledger", _size(folder))
    elif name in finished:
        for each in PASSING:
            if (folder / each).is_dir():
                yield Leftover(folder / each, f"{name} is finished", _size(folder / each))


def _touched(folder: Path) -> float:
    return max((facts.st_mtime for facts in _facts(folder)), default=0.0)


def _size(folder: Path) -> int:
    return sum(facts.st_size for facts in _facts(folder) if S_ISREG(facts.st_mode))


def _facts(folder: Path) -> Iterator[os.stat_result]:
    """Yield what the disk says of a folder and all below it that is still there."""
    for place, _, files in os.walk(folder):  # which goes on where a folder is gone
        for name in (".", *files):
            with suppress(FileNotFoundError):
                yield (Path(place) / name).stat()
