"""Watch a study of a server until it ends, and tell how far it is as a run here tells it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sweep.client.connection import AwayError
from sweep.runner.progress import Current, Progress, Watcher
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.client.connection import Connection

WAIT_SECONDS = 0.5
"""How long the server waits for a change before it answers: a clock ticks meanwhile."""
APART_SECONDS = 0.05
"""Least time between two questions."""
AWAY_SECONDS = 300.0
"""How long a server that is restarted may be away."""
IDLE_SECONDS = 10.0
"""How long something may be left that nobody does, before the watching ends."""


class ServerProgress(Progress):
    """How far a study is, as its server says it; see :class:`sweep.runner.progress.Progress`."""

    left: float | None = None

    @property
    def seconds_left(self) -> float | None:
        """Seconds left, as the server estimates them."""
        return self.left


def watch(
    connection: Connection, name: str, watcher: Watcher | None = None, waiting: int = 0
) -> None:
    """Return when a study has ended, or was stopped and no cell runs.

    Parameters
    ----------
    connection : Connection
        The server.
    name : str
        The study.
    watcher : Watcher, optional
        Is told how far it is; nothing where the study had ended already.
    waiting : int
        Cells that waited when it was handed in: they may have ended since.
    """
    told, ends = watcher or Watcher(), _Ends()
    found = _ask(connection, name)
    if not waiting and ends.reached(found):
        return
    progress = ServerProgress(name, int(found["standing"]["planned"]))
    _take(progress, found)
    progress.began_done = min(progress.done, max(0, progress.planned - waiting))
    told.begin(progress)
    try:
        while not ends.reached(found):
            time.sleep(APART_SECONDS)
            found = _patiently(connection, name, int(found["number"]), told)
            _take(progress, found)
            told.update(progress)
    finally:
        told.end(progress)


def _ask(connection: Connection, name: str, **waiting: Any) -> dict[str, Any]:
    found: dict[str, Any] = connection.get(f"/studies/{slug(name)}/now", **waiting)
    return found


def _patiently(connection: Connection, name: str, after: int, watcher: Watcher) -> dict[str, Any]:
    """Ask how the study stands; wait for a server that is being restarted."""
    began, told = time.monotonic(), False
    while True:
        try:
            found = _ask(connection, name, after=after, wait=WAIT_SECONDS)
        except AwayError as error:
            if time.monotonic() - began > AWAY_SECONDS:
                raise
            if not told:
                watcher.say(f"{error.short}; waiting for it; the study goes on when it is back")
            told, after = True, -1
            time.sleep(1)
        else:
            if told:
                watcher.say("the server is back; the study goes on")
            return found


class _Ends:
    """Decide whether a study is at its end."""

    def __init__(self) -> None:
        self._idle_since: float | None = None

    def reached(self, found: Mapping[str, Any]) -> bool:
        """Return whether nothing is done any more, or will be without a person's word."""
        if "phase" in found or found["finishing"] or found["status"] == "running":
            self._idle_since = None
            return False
        if found["stopped"] or found["status"] == "damaged":
            return True
        if found["left"] == "cells":
            return False
        return not found["left"] or self._idle_for() > IDLE_SECONDS

    def _idle_for(self) -> float:
        """Return how long a refit, or outer folds, have been left that nobody does."""
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        return now - self._idle_since


def _take(progress: ServerProgress, found: Mapping[str, Any]) -> None:
    """Take over what the server says: of its own workers in detail, of others what is recorded."""
    standing = found["standing"]
    progress.planned = int(found.get("planned") or standing["planned"])
    counts = (found.get("done"), standing["done"], progress.done)
    progress.done = max(int(count or 0) for count in counts)
    progress.failed = int(found.get("failed") or standing["failed"])
    progress.pruned = int(found.get("pruned") or progress.pruned)
    progress.splits = int(found.get("splits") or progress.splits)
    progress.study = str(found.get("part") or progress.study)
    progress.outer = bool(found.get("outer"))
    progress.phase = str(found.get("phase") or _phase(found))
    progress.left = found.get("seconds_left")
    progress.best = _best(found)
    progress.current = {
        place: Current(each["trial"], each["params"], each["split"], each["epoch"], each["epochs"])
        for place, each in enumerate(found.get("running", ()))
    }


def _phase(found: Mapping[str, Any]) -> str:
    if found["finishing"]:
        return "refitting"
    return "searching" if found["status"] == "running" else "waiting"


def _best(found: Mapping[str, Any]) -> tuple[float, Mapping[str, Any]] | None:
    if found.get("best"):
        value, params = found["best"]
        return value, params
    value = found["standing"]["best"]
    return None if value is None else (value, {})
