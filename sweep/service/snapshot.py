"""All studies in a few numbers, read in the background; requests read the copy."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from sweep.analysis.overview import all_overviews
from sweep.errors import SweepError
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.overview import StudyOverview

LOOK_SECONDS = 0.5
REREAD_SECONDS = 5.0
"""The copy is made anew so often though nothing seems to have changed: signs of life age."""
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
        self._read_at = 0.0
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
            seen = self._changes()
            fresh = time.monotonic() - self._read_at < REREAD_SECONDS
            if seen != self._seen or not fresh:
                found = all_overviews(self._ledger)
                self._read_at, self._seen = time.monotonic(), seen
                if found != list(self.copy.studies):
                    self._replace(found)
            return self.copy

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
