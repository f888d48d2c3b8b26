"""All studies in a few numbers, read in the background; requests read the copy."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from sweep.analysis.overview import all_overviews, with_signs
from sweep.errors import SweepError
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.overview import StudyOverview

LOOK_SECONDS = 0.5
LOOK_CLOSER_SECONDS = 5.0
"""So often signs of life are read, and all that may change without a number that moves."""
REREAD_SECONDS = 60.0
"""So often all is read and shown anew: what nobody works on ages, a score may be damaged."""
CHANGES = (
    "SELECT (SELECT count(*) FROM studies), (SELECT max(study_id) FROM studies), "
    "(SELECT count(*) FROM study_user_attributes), "
    "(SELECT max(study_user_attribute_id) FROM study_user_attributes), "
    "(SELECT count(*) FROM trials), (SELECT max(trial_id) FROM trials), "
    "(SELECT max(datetime_start) FROM trials), (SELECT max(datetime_complete) FROM trials), "
    "(SELECT count(*) FROM trials WHERE state = 'RUNNING')"
)
"""Numbers of which at least one moves when a study or a trial changes."""


@dataclass(frozen=True)
class Copy:
    """The studies at one moment.

    Attributes
    ----------
    number : int
        Grows with each copy that differs.
    studies : sequence of StudyOverview
        Oldest first.
    names : mapping of str to str
        From a study's address in this service to its name.
    by_name : mapping of str to StudyOverview
        The studies by their names.
    """

    number: int = 0
    studies: Sequence[StudyOverview] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    by_name: Mapping[str, StudyOverview] = field(default_factory=dict)


class Snapshot:
    """Keep a copy of the studies of a ledger that is at most a second old.

    Parameters
    ----------
    ledger : Ledger
        Where they are.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.copy = Copy()
        self._seen: Any = None
        self._state = ""
        self._looked_at = self._read_at = -REREAD_SECONDS
        self._lock = threading.Lock()
        self._replacing = threading.Lock()
        self._over = threading.Event()
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Read once, then go on in the background."""
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """End the reading; streams that wait wake up."""
        self._over.set()
        self._wake()

    @property
    def ended(self) -> bool:
        """Whether the server ends."""
        return self._over.is_set()

    def refresh(self) -> Copy:
        """Read the studies now, where something has changed; return the copy."""
        with self._lock:
            seen, at = self._changes(), time.monotonic()
            if seen != self._seen or at - self._looked_at >= LOOK_CLOSER_SECONDS:
                self._look_closer(at)
                self._seen, self._looked_at = seen, at
            return self.copy

    def _look_closer(self, at: float) -> None:
        state, studies = self._ledger.state(), self.copy.studies
        if state != self._state or at - self._read_at >= REREAD_SECONDS:
            self._replace(all_overviews(self._ledger))
            self._state, self._read_at = state, at
        else:
            found = with_signs(self._ledger, studies)
            if _at_once(found) != _at_once(studies):
                self._replace(found)

    async def changed(self, number: int, seconds: float) -> Copy:
        """Wait until there is another copy than that of this number, or the time is up."""
        if self.copy.number != number or self._over.is_set():
            return self.copy
        waiting = asyncio.get_running_loop(), asyncio.Event()
        self._waiting.add(waiting)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting[1].wait(), seconds)
        finally:
            self._waiting.discard(waiting)
        return self.copy

    def touch(self) -> None:
        """Say that something beside the ledger has changed: what runs now."""
        with self._replacing:
            self.copy = replace(self.copy, number=self.copy.number + 1)
        self._wake()

    def _replace(self, found: Sequence[StudyOverview]) -> None:
        names = {slug(each.name): each.name for each in found}
        by_name = {each.name: each for each in found}
        with self._replacing:
            self.copy = Copy(self.copy.number + 1, found, names, by_name)
        self._wake()

    def _wake(self) -> None:
        for loop, event in list(self._waiting):
            with suppress(RuntimeError):  # a loop that has ended
                loop.call_soon_threadsafe(event.set)

    def _changes(self) -> Any:
        with self._ledger.translated(), self._ledger.storage.engine.connect() as connection:
            return tuple(connection.execute(text(CHANGES)).one())

    def _follow(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with suppress(SweepError):  # a server that is away comes back
                self.refresh()


def _at_once(studies: Sequence[StudyOverview]) -> list[StudyOverview]:
    """Return the studies as pages must show them now: long silent ones may be said so later."""
    return [each if _is_heard_of(each) else replace(each, last_sign=None) for each in studies]


def _is_heard_of(study: StudyOverview) -> bool:
    age = study.last_sign
    return study.status == "running" or (age is not None and age < REREAD_SECONDS)
