"""The list of studies: what is worked on first, then the queue, then the newest; page by page."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sweep.service.queue import STATES
from sweep.service.states import state_of
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.analysis import Interval
    from sweep.ledger.overview import StudyOverview
    from sweep.service.app import Service
    from sweep.service.queue import Standing

ROWS = 100
"""Studies of one page."""
AT_WORK = ("running", "stopping", "finishing")


@dataclass(frozen=True)
class Row:
    """A study as a line of the list.

    Attributes
    ----------
    key : str
        Its address.
    study : StudyOverview
        Its numbers.
    state : str
        What it is at: one of :data:`sweep.service.queue.STATES`.
    place : int or None
        Its place in the queue, where nobody works on it yet.
    priority : int
        0 is usual.
    interval : Interval or None
        Of its best score.
    """

    key: str
    study: StudyOverview
    state: str
    place: int | None
    priority: int
    interval: Interval | None = None


def row_of(service: Service, study: StudyOverview, standing: Standing | None = None) -> Row:
    """Return a study as a line of the list."""
    queue = standing or service.queue()
    state = state_of(service, study, queue)
    place = queue.places.get(study.name) if state == "waiting" else None
    return Row(
        slug(study.name), study, state, place, queue.priorities.get(study.name, 0),
        service.intervals.of(study),
    )  # fmt: skip


def listed(service: Service, q: str, page: int) -> dict[str, Any]:
    """Return what a page of the list shows.

    Parameters
    ----------
    service : Service
        Where the studies are.
    q : str
        Only studies with this in their name, owner or state; all, where it is empty.
    page : int
        From 1.
    """
    standing, copy = service.queue(), service.snapshot.copy
    rows = [row_of(service, each, standing) for each in copy.studies]
    found = sorted((row for row in rows if _has(row, q)), key=_newest, reverse=True)
    found.sort(key=_turn)
    pages = max(1, -(-len(found) // ROWS))
    page = min(max(1, page), pages)
    counts = Counter(row.state for row in rows)
    return {
        "number": copy.number, "total": len(rows), "found": len(found), "q": q,
        "rows": found[(page - 1) * ROWS : page * ROWS],
        "counts": [(state, counts[state]) for state in STATES if counts[state]],
        "workers": service.settings.workers if service.workers else 0,
        "pages": pages, "number_of_page": page, "query": _query(q, page),
        "before": _query(q, page - 1), "after": _query(q, page + 1),
    }  # fmt: skip


def newest_names(studies: Sequence[StudyOverview], most: int = ROWS) -> list[str]:
    """Return the names of the newest studies that can be read, newest first."""
    return [each.name for each in reversed(studies) if each.status != "damaged"][:most]


def _has(row: Row, q: str) -> bool:
    words = f"{row.study.name}\n{row.study.owner}\n{row.state}".casefold()
    return q.strip().casefold() in words


def _newest(row: Row) -> str:
    return row.study.created


def _turn(row: Row) -> tuple[int, int]:
    if row.state in AT_WORK:
        return 0, 0
    return (1, row.place or 0) if row.state == "waiting" else (2, 0)


def _query(q: str, page: int) -> str:
    return urlencode({name: value for name, value in (("q", q), ("page", page)) if value})
