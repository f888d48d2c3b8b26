"""All studies of a ledger, and how those stand that a worker has taken cells of."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import StudyNotFoundError
from sweep.storage.locations import shown_url, sqlite_path, storage_url
from sweep.support.suggestion import suggestion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sweep.ledger.overview import StudyOverview


@dataclass(frozen=True)
class StudyStanding:
    """How a study stands after a worker has left it.

    Attributes
    ----------
    overview : StudyOverview
        The study in a few numbers.
    left : int
        Cells that wait, where somebody has stopped the study; else 0.
    """

    overview: StudyOverview
    left: int


@dataclass(frozen=True)
class AwaitedStudy:
    """A name that no study of the ledger has yet.

    Attributes
    ----------
    name : str
        The name.
    place : str
        The ledger's address, without its password.
    """

    name: str
    place: str


def list_studies(storage: str | None) -> list[StudyOverview]:
    """Return every study of a ledger in a few numbers, oldest first.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    """
    from sweep.analysis.overview import all_overviews
    from sweep.ledger.ledger import Ledger

    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        return all_overviews(ledger)


def plain_studies(found: Iterable[StudyOverview]) -> list[dict[str, Any]]:
    """Return a list of studies as JSON."""
    return [asdict(each) for each in found]


def study_names(storage: str | None) -> list[str]:
    """Return the names of the studies in a ledger that is a file; none of another.

    SQLite itself is asked: Optuna would take half a second at every press of a key.
    """
    path = sqlite_path(storage_url(storage))
    if path is None or not path.is_file():
        return []
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as ledger:
        return [name for (name,) in ledger.execute("SELECT study_name FROM studies ORDER BY 1")]


def standings(storage: str | None, names: Collection[str]) -> list[StudyStanding]:
    """Return how these studies stand, oldest first.

    Parameters
    ----------
    storage : str or None
        The ledger.
    names : collection of str
        Studies; a name that none has is left out.
    """
    from sweep.analysis.overview import all_overviews
    from sweep.ledger.ledger import Ledger

    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        found = []
        for each in all_overviews(ledger):
            if each.name in names:
                stopped = ledger.stopped(each.name) is not None
                left = ledger.counts(each.name)["WAITING"] if stopped else 0
                found.append(StudyStanding(each, left))
        return found


def awaited_studies(storage: str | None, names: Sequence[str], *, wait: bool) -> list[AwaitedStudy]:
    """Return those of the names that no study has yet.

    Parameters
    ----------
    storage : str or None
        The ledger; made where there is none and ``wait`` is true.
    names : sequence of str
        Studies.
    wait : bool
        Whether a name may be that of a study to come.

    Raises
    ------
    StudyNotFoundError
        For the first name that no study has, naming a close match; unless ``wait`` is true.
    """
    from sweep.ledger.ledger import Ledger

    url, awaited = storage_url(storage), []
    with closing(Ledger(url, create=wait)) as ledger:
        for name in names:
            try:
                ledger.header(name)
            except StudyNotFoundError as error:
                if not wait:
                    hint = suggestion(name, ledger.names())
                    raise StudyNotFoundError(f"{error}.{hint}") from error
                awaited.append(AwaitedStudy(name, shown_url(url)))
    return awaited
