"""Find and remove the files that no study of a ledger needs any more."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.analysis.overview import all_overviews
from sweep.ledger.ledger import Ledger
from sweep.ledger.study_folders import Owner, owner_of, place_of
from sweep.storage.attributes import STUDY
from sweep.storage.locations import MAPPED, artifacts_root, storage_url
from sweep.support.disk_space import newest_change, size_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY = 24 * 3600.0
TEMPORARY = ("checkpoints", "unfinished", "refit")
"""Folders that a study needs only until it is finished."""

_UID = re.compile(r"[0-9a-f]{12}")
"""The name of a folder that sweep creates; folders of other names are not reported."""
_ROWS = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Leftover:
    """A folder that no study of this ledger needs.

    Attributes
    ----------
    path : Path
        The folder.
    why : str
        Why it is not needed.
    size : int
        Bytes in it.
    owned : bool
        Whether its owner file names this ledger. Only then it is removed.
    """

    path: Path
    why: str
    size: int
    owned: bool = True


def leftovers(storage: str | None = None, days: float = 30) -> list[Leftover]:
    """Return the folders of a ledger's artifacts that are not needed and not recently changed.

    Parameters
    ----------
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    days : float
        Folders that have changed in these days are not returned.

    Raises
    ------
    LedgerError
        If the ledger cannot be read: nothing can be called a leftover then.
    """
    url = storage_url(storage)
    root, before = artifacts_root(url), time.time() - days * DAY
    folders = list(_folders(root))  # first: a study is in the ledger before it has a folder
    with closing(Ledger(url, reading=True)) as ledger:
        studies = {name: held.get(STUDY) for name, held in ledger.attributes().items()}
        studies_now = all_overviews(ledger)
    finished = {each.name for each in studies_now if each.status == "finished" and not each.left}
    known = _KnownStudies(root, place_of(url), studies, finished)
    found = [each for folder in folders for each in known.leftovers_of(folder)]
    found += _unused_rows(root / MAPPED, days)
    return [each for each in found if newest_change(each.path) < before]


def remove_leftovers(found: list[Leftover]) -> int:
    """Remove the leftovers that this ledger has written; return the bytes that are free now."""
    owned = [each for each in found if each.owned]
    for each in owned:
        shutil.rmtree(each.path, ignore_errors=True)
    return sum(each.size for each in owned if not each.path.exists())


class _KnownStudies:
    """The studies of a ledger; a folder is compared with them.

    Parameters
    ----------
    root : Path
        The folder that holds the folders of all studies.
    place : str
        The location of the ledger, as owner files write it.
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

    def leftovers_of(self, folder: Path) -> Iterator[Leftover]:
        """Yield what is not needed in the folder of a study."""
        owner = owner_of(folder)
        if owner is None or not self._is_own(owner):
            if why := self._why_unowned(folder, owner):
                yield Leftover(folder, why, size_of(folder), owned=False)
        elif (owner.study, owner.uid) not in self.own:
            if owner.study not in self.unreadable and owner.uid not in self.uids:  # not renamed
                yield Leftover(folder, "its study is not in the ledger", size_of(folder))
        elif owner.study in self.finished:
            for each in TEMPORARY:
                if (folder / each).is_dir():
                    why = f"{owner.study} is finished"
                    yield Leftover(folder / each, why, size_of(folder / each))

    def _is_own(self, owner: Owner) -> bool:
        known = owner.ledger in self.ledgers or (owner.study, owner.uid) in self.own
        return known and owner.place == self.place

    def _why_unowned(self, folder: Path, owner: Owner | None) -> str | None:
        """Return why a folder of unknown owner may be a leftover; None if it is not reported.

        A study of an older version has no owner file: its uid alone says that it needs the folder.
        """
        if folder.name in self.uids:
            return None
        if owner is None:
            return "nothing in it says whose it is" if _UID.fullmatch(folder.name) else None
        kind, _, place = owner.place.partition(" ")
        if kind == "file" and owner.place != self.place and (self.root / place).exists():
            return None
        return "another ledger has written it, which is not there" if kind == "file" else None


def _unused_rows(folder: Path, days: float) -> Iterator[Leftover]:
    """Yield rows of datasets on the disk; which of them are in use, their times say."""
    for each in _folders_in(folder):
        if _ROWS.fullmatch(each.name):
            why = f"no run has read these rows of a dataset for {days:g} days; one makes them again"
            yield Leftover(each, why, size_of(each))


def _folders(root: Path) -> Iterator[Path]:
    """Yield the folder of each study: ``<study>/<uid>``."""
    for named in _folders_in(root):
        yield from _folders_in(named)


def _folders_in(folder: Path) -> list[Path]:
    """Return the folders in a folder; none if a running study has just removed it."""
    try:
        return sorted(each for each in folder.iterdir() if each.is_dir() and not each.is_symlink())
    except OSError:  # also for a file, or without permission
        return []
