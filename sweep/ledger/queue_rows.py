"""What the order of the queue rests on, counted by the database: one row for each study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from sweep.storage.attributes import PRIORITY, STOP, STUDY

if TYPE_CHECKING:
    from sweep.ledger.studies import Studies

COUNTS = (
    "SELECT studies.study_name AS name, "
    "sum(CASE WHEN trials.state = 'WAITING' THEN 1 ELSE 0 END) AS waiting, "
    "sum(CASE WHEN trials.state = 'RUNNING' THEN 1 ELSE 0 END) AS running, "
    "max(trials.datetime_start) AS began "
    "FROM studies LEFT JOIN trials ON trials.study_id = studies.study_id "
    "GROUP BY studies.study_name"
)


@dataclass(frozen=True)
class QueueRow:
    """A study that is not stopped, as the queue sees it.

    Attributes
    ----------
    name, owner : str
        The study; whose it is.
    priority : int
        Higher ones come first; 0 by default.
    created : str
        ISO time.
    waiting, running : int
        Its cells, those of its outer folds too.
    began : str
        When a cell of it last began; empty if none has.
    """

    name: str
    owner: str
    priority: int
    created: str
    waiting: int
    running: int
    began: str


def queue_rows(ledger: Studies) -> list[QueueRow]:
    """Return every study that nobody has stopped, oldest first."""
    with ledger.translated(), ledger.storage.engine.connect() as connection:
        counted = {row.name: row for row in connection.execute(text(COUNTS))}
    attributes = ledger.attributes()
    folds: dict[str, list[str]] = {}
    for name, held in attributes.items():
        part = held.get(STUDY, {}).get("part")
        if part:
            folds.setdefault(part["study"], []).append(name)
    found = []
    for name, held in attributes.items():
        header = held.get(STUDY)
        if not header or "part" in header or held.get(STOP) is not None:
            continue
        rows = [counted[each] for each in (name, *folds.get(name, ())) if each in counted]
        found.append(
            QueueRow(
                name,
                str(header.get("owner", "")),
                int(held.get(PRIORITY) or 0),
                str(header["created"]),
                sum(int(row.waiting or 0) for row in rows),
                sum(int(row.running or 0) for row in rows),
                max((str(row.began) for row in rows if row.began), default=""),
            )
        )
    return sorted(found, key=lambda each: each.created)
