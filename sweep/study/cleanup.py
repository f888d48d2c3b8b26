"""Files that no study of a ledger needs any more: find them, remove them."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Any

from sweep.analysis.overview import all_overviews
from sweep.ledger.ledger import Ledger
from sweep.ledger.study_folders import Owner, owner_of, place_of
from sweep.storage.attributes import STUDY
from sweep.storage.locations import artifacts_root, storage_url

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY = 24 * 3600.0
PASSING = ("checkpoints", "unfinished", "refit")
"""What fits leave while a study runs; a finished one does not need it."""

_UID = re.compile(r"[0-9a-f]{12}")
"""The name of a folder that sweep has made; in a folder of something else no other is told of."""


@dataclass(frozen=True)
class Leftover:
    """A folder that no study of this ledger needs.

    Attributes
    ----------
    path : Path
        It.
    why : str
        Why not.
    size : int
        Bytes in it.
    owned : bool
        Whether it says that this ledger has written it. Any other is left alone.
    """

    path: Path
    why: str
    size: int
    owned: bool = True


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
        studies = {name: held.get(STUDY) for name, held in ledger.attributes().items()}
        finished = {each.name for each in all_overviews(ledger) if each.status == "finished"}
    known = _Known(root, place_of(url), studies, finished)
    found = (each for folder in folders for each in known.judged(folder))
    return [each for each in found if _touched(each.path) < before]


def remove_leftovers(found: list[Leftover]) -> int:
    """Remove the leftovers that this ledger has written; return the bytes that are free now."""
    owned = [each for each in found if each.owned]
    for each in owned:
        shutil.rmtree(each.path, ignore_errors=True)
    return sum(each.size for each in owned if not each.path.exists())


class _Known:
    """What the ledger knows, to judge folders by.

    Parameters
    ----------
    root : Path
        Where the folders are.
    place : str
        Where the ledger is, as its folders name it.
    studies : mapping of str to header
        Every study of the database with its header; something else where that is damaged, or
        another program has made the study.
    finished : set of str
        Names of those that have ended.
    """

    def __init__(self, root: Path, place: str, studies: dict[str, Any], finished: set[str]) -> None:
        self.root, self.place, self.finished = root, place, finished
        headers = {name: held for name, held in studies.items() if isinstance(held, dict)}
        self.unreadable = studies.keys() - headers.keys()
        self.ledgers = {str(held["ledger"]) for held in headers.values() if held.get("ledger")}
        self.own = {(name, str(held.get("uid", ""))) for name, held in headers.items()}
        self.uids = {uid for _, uid in self.own}

    def judged(self, folder: Path) -> Iterator[Leftover]:
        """Yield what is not needed of the folder of a study."""
        said = owner_of(folder)
        if said is None or not self._is_ours(said):
            if why := self._unowned(folder, said):
                yield Leftover(folder, why, _size(folder), owned=False)
        elif (said.study, said.uid) not in self.own:
            if said.study not in self.unreadable and said.uid not in self.uids:  # not renamed
                yield Leftover(folder, "its study is not in the ledger", _size(folder))
        elif said.study in self.finished:
            for each in PASSING:
                if (folder / each).is_dir():
                    why = f"{said.study} is finished"
                    yield Leftover(folder / each, why, _size(folder / each))

    def _is_ours(self, said: Owner) -> bool:
        known = said.ledger in self.ledgers or (said.study, said.uid) in self.own
        return known and said.place == self.place

    def _unowned(self, folder: Path, said: Owner | None) -> str | None:
        """Return why a folder that nobody seems to need is left alone; None where it is not told.

        A study of an older version is known by its uid alone, and needs its folder.
        """
        if folder.name in self.uids:
            return None
        if said is None:
            return "nothing in it says whose it is" if _UID.fullmatch(folder.name) else None
        kind, _, place = said.place.partition(" ")
        if kind == "file" and said.place != self.place and (self.root / place).exists():
            return None
        return "another ledger has written it, which is not there" if kind == "file" else None


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folder of each study: named by its uid, below its name."""
    for named in _below(root):
        yield from _below(named)


def _below(folder: Path) -> list[Path]:
    """Return the folders in a folder; none of one that is gone meanwhile, for a study may run."""
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:  # or of one that is no folder, or may not be read
        return []


def _touched(folder: Path) -> float:
    return max((facts.st_mtime for facts in _facts(folder)), default=0.0)


def _size(folder: Path) -> int:
    return sum(facts.st_size for facts in _facts(folder) if S_ISREG(facts.st_mode))


def _facts(folder: Path) -> Iterator[os.stat_result]:
    """Yield what the disk says of a folder and all below it that is still there."""
    for place, _, files in os.walk(folder):  # which goes on where a folder is gone
        for name in (".", *files):
            with suppress(OSError):
                yield (Path(place) / name).stat()
