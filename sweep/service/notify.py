"""Tell somebody that a study has come to its end: a command or an HTTP address of the owner's."""

from __future__ import annotations

import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from sweep.errors import SweepError
from sweep.ledger.overview import StudyOverview
from sweep.service.senders import SendError, post, run_command
from sweep.service.tables import TOLD, insert_new, transaction
from sweep.service.tokens import now
from sweep.support.file_names import slug
from sweep.support.spreadsheet import json_value

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from sweep.ledger.ledger import Ledger
    from sweep.service.settings import Settings
    from sweep.service.snapshot import Snapshot

LOOK_SECONDS = 1.0
SETTLE_SECONDS = 3.0
"""How long a study must have ended before it is told: a worker may only be between two cells."""
WATCHED = "watched"
"""In place of an end: the study has none yet."""
log = logging.getLogger("sweep.service")


@dataclass(frozen=True)
class End:
    """The end of a study: finished, failed or stopped; ``mark`` tells one end from the next."""

    study: str
    state: str
    mark: str


def end_of(overview: StudyOverview) -> End | None:
    """Return how a study has ended, or would if it was stopped; None while cells run or wait.

    One whose winner is still to be refitted, or whose outer folds are left, has not finished. A
    study that has finished without any score has failed.
    """
    if overview.status not in ("finished", "stopped"):
        return None
    state = "stopped" if overview.left else "failed" if overview.best is None else "finished"
    mark = f"{overview.created} {state} {overview.done}/{overview.planned}"
    return End(overview.name, state, mark)


class Ends:
    """Find the ends that are new: compare one copy of the studies with what was seen before.

    Parameters
    ----------
    studies : sequence of StudyOverview
        The first copy; what has ended there is not told.
    is_stopped : callable
        ``is_stopped(name)`` says whether somebody has stopped a study that nobody works on: what
        is left of another one waits for a worker.
    watched : collection of str
        Studies that had not ended when somebody last looked: their ends are told.
    """

    def __init__(
        self, studies: Sequence[StudyOverview], is_stopped: Callable[[str], bool],
        watched: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._is_stopped = is_stopped
        over = {name: end for name, end in _ends(studies).items() if self._is_over(end)}
        self._known = {name: end for name, end in over.items() if name not in watched}
        self._since: dict[str, tuple[End, float]] = {}

    def new(self, studies: Sequence[StudyOverview], at: float) -> list[End]:
        """Return the ends that were not there before and have held for a while.

        Parameters
        ----------
        studies : sequence of StudyOverview
            The newest copy.
        at : float
            The time, in seconds.
        """
        found = _ends(studies)
        self._known = {name: end for name, end in self._known.items() if name in found}
        settled = []
        for name in list(self._since):
            if name not in found:  # it goes on, or is gone
                del self._since[name]
        for name, end in found.items():
            before, since = self._since.get(name, (None, at))
            if before != end:
                since = at
            if self._known.get(name) == end:
                continue
            self._since[name] = end, since
            if at - since < SETTLE_SECONDS:
                continue
            if self._is_over(end):
                settled.append(end)
                self._known[name] = end
                del self._since[name]
            else:
                self._since[name] = end, at
        return settled

    def going(self, studies: Sequence[StudyOverview]) -> set[str]:
        """Return the studies whose end is still to come, or to be told."""
        return {each.name for each in studies} - set(self._known)

    def _is_over(self, end: End) -> bool:
        return end.state != "stopped" or self._is_stopped(end.study)


def _ends(studies: Sequence[StudyOverview]) -> dict[str, End]:
    return {each.name: end for each in studies if (end := end_of(each))}


class Notifier:
    """Follow the studies in a thread; tell each end once.

    Parameters
    ----------
    settings : Settings
        Whom to tell, of what.
    ledger : Ledger
        Where it is kept what was told: a second server, or the next one, does not tell it again.
    snapshot : Snapshot
        The studies.
    address : str
        Where people reach this server; the start of the link to a study.
    """

    def __init__(
        self, settings: Settings, ledger: Ledger, snapshot: Snapshot, address: str
    ) -> None:
        self._settings, self._ledger, self._snapshot = settings, ledger, snapshot
        self._address = (settings.configuration.notify.link or address).rstrip("/")
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def start(self) -> None:
        """Take what had ended before as told, then follow; nothing where nobody is to be told."""
        if self._settings.configuration.notify.wanted:
            self._watched = self._watched_before()
            studies = self._snapshot.refresh().studies
            self._ends = Ends(studies, self._is_stopped, self._watched)
            self._thread.start()

    def stop(self) -> None:
        """Tell nothing more."""
        self._over.set()

    def _follow(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            try:
                studies = self._snapshot.copy.studies
                self._watch(self._ends.going(studies))
                for end in self._ends.new(studies, time.monotonic()):
                    self._take(end)
            except SweepError as error:  # the ledger is away
                log.warning("notify: the ledger could not be asked: %s", error)

    def _watched_before(self) -> set[str]:
        query = select(TOLD.c.study).where(TOLD.c.ended == WATCHED)
        with transaction(self._ledger) as connection:
            return {str(name) for (name,) in connection.execute(query)}

    def _watch(self, names: Collection[str]) -> None:
        """Note studies that go on: their ends are told though no server runs when they come."""
        for name in sorted(set(names) - self._watched):
            with transaction(self._ledger) as connection:
                insert_new(connection, TOLD, {"study": name, "ended": WATCHED, "at": now()})
            self._watched.add(name)

    def _take(self, end: End) -> None:
        if end.state in self._settings.configuration.notify.on and self._claim(end):
            self._tell(self._message(end))

    def _is_stopped(self, name: str) -> bool:
        return self._ledger.stopped(name) is not None

    def _claim(self, end: End) -> bool:
        """Note that an end is told; return False if it was told before."""
        trials = sum(self._ledger.counts(end.study).values())  # a second attempt has more
        asked = self._ledger.stopped(end.study) if end.state == "stopped" else None
        ended = f"{end.mark}, {trials} trials {asked or ''}".strip()
        row = {"study": end.study, "ended": ended, "at": now()}
        with transaction(self._ledger) as connection:
            return insert_new(connection, TOLD, row)

    def _message(self, end: End) -> dict[str, Any]:
        overview = self._snapshot.copy.by_name.get(end.study)
        if overview is None:  # deleted in the meantime
            return {"study": end.study, "status": end.state}
        return {
            "study": end.study,
            "status": end.state,
            "owner": overview.owner,
            "done": overview.done,
            "planned": overview.planned,
            "failed_cells": overview.failed,
            **self._best(end.study),
            "link": f"{self._address}/studies/{slug(end.study)}",
        }

    def _best(self, name: str) -> dict[str, Any]:
        """Return the best score with its interval, and the test score; null where there is none."""
        from sweep.study.answers.best import best_candidate
        from sweep.study.answers.opening import find_study

        storage = self._settings.storage
        try:
            found = best_candidate(find_study(storage, name), storage)
        except SweepError:
            return {"best": None, "interval": None, "params": {}, "test_score": None}
        return {
            "best": found.mean_test_score,
            "interval": found.interval and [found.interval.low, found.interval.high],
            "params": dict(found.params),
            "test_score": found.test_score,
        }

    def _tell(self, message: Mapping[str, Any]) -> None:
        notify = self._settings.configuration.notify
        text = json.dumps(json_value(message), ensure_ascii=False)
        said = f"{message['study']!r} {message['status']}"
        if notify.command:
            _send(said, lambda: run_command(notify.command, text, notify.seconds))
        if notify.url:
            _send(said, lambda: post(notify.url, text, notify.seconds))


def _send(said: str, send: Callable[[], None]) -> None:
    try:
        send()
        log.info("notify: told: %s", said)
    except SendError as error:
        log.warning("notify: not told: %s: %s", said, error)
