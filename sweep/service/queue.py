"""The queue as pages and programs see it: which study is at work, which waits at which place."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sweep.storage.attributes import PRIORITY, STOP
from sweep.study.join import open_rows
from sweep.study.queue import in_order

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.overview import StudyOverview
    from sweep.ledger.queue_rows import QueueRow
    from sweep.service.snapshot import Snapshot

REREAD_SECONDS = 5.0
"""So often the order is read anew while studies have work: a worker may give no sign any more."""
STATES = ("running", "stopping", "finishing", "waiting", "stopped", "damaged", "finished")
"""What a study can be at, those that are being worked on first."""


@dataclass(frozen=True)
class Standing:
    """The queue at one moment.

    Attributes
    ----------
    rows : sequence of QueueRow
        Studies with work, in the order in which workers take them.
    places : mapping of str to int
        From 1: the place of each study that nobody works on yet.
    priorities : mapping of str to int
        Of every study.
    stopped : collection of str
        Studies that somebody has stopped.
    """

    rows: Sequence[QueueRow] = ()
    places: Mapping[str, int] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)
    stopped: Collection[str] = ()

    def state(self, study: StudyOverview) -> str:
        """Return what a study is at, for all that the ledger says: one of :data:`STATES`.

        One whose cells have ended may wait for the refit of its winner, or for its outer folds.
        """
        if study.status == "finished" and not study.left:
            return "finished"
        if study.name in self.stopped:
            return "stopping" if study.status == "running" else "stopped"
        if study.status == "stopped" or study.name in self.places:
            return "waiting"
        return "finishing" if study.status == "finished" else study.status


class Queue:
    """Keep the order of the queue until a study changes.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    snapshot : Snapshot
        Says when one has changed.
    """

    def __init__(self, ledger: Ledger, snapshot: Snapshot) -> None:
        self._ledger, self._snapshot = ledger, snapshot
        self._lock = threading.Lock()
        self._standing, self._read_at = Standing(), 0.0
        self._of: Sequence[StudyOverview] | None = None
        self._ages = False

    def standing(self) -> Standing:
        """Return the queue as it stands."""
        with self._lock:
            studies = self._snapshot.copy.studies
            old = self._ages and time.monotonic() - self._read_at > REREAD_SECONDS
            if old or studies is not self._of:
                self._standing, self._of = read_standing(self._ledger, studies), studies
                self._read_at, self._ages = time.monotonic(), any(each.left for each in studies)
            return self._standing

    def forget(self) -> None:
        """Read the order anew the next time: somebody has changed it."""
        with self._lock:
            self._of = None


def read_standing(ledger: Ledger, studies: Sequence[StudyOverview]) -> Standing:
    """Read the queue from the ledger.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    studies : sequence of StudyOverview
        What is known of them.
    """
    attributes = ledger.attributes()
    rows = in_order(open_rows(ledger, studies))
    idle = [row.name for row in rows if not row.running]
    return Standing(
        rows,
        {name: place for place, name in enumerate(idle, start=1)},
        {name: int(held.get(PRIORITY) or 0) for name, held in attributes.items()},
        frozenset(name for name, held in attributes.items() if held.get(STOP) is not None),
    )
