"""What workers say of their cells, taken into the progress of a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sweep.analysis.idle import IdleFinder, Measured, idle_line
from sweep.runner.progress import Current

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.runner.progress import Progress, Watcher

OF_CELLS = ("taken", "epoch", "ended", "cut")
"""Events that are about a cell; they count also where the worker has left since."""


def record_event(
    progress: Progress, watcher: Watcher, worker: int, event: Mapping[str, Any]
) -> None:
    """Take in an event of a cell.

    Parameters
    ----------
    progress : Progress
        The run's.
    watcher : Watcher
        Told of a cell that has ended.
    worker : int
        Number of the worker that says it.
    event : mapping
        One of ``OF_CELLS``.
    """
    kind = event["event"]
    if kind == "taken":
        begin_searching(progress)
        progress.current[worker] = Current(event["trial"], event["params"] or {})
    elif kind == "epoch":
        if current := progress.current.get(worker):
            current.split, current.epoch = event["split"], event["epoch"]
            current.epochs = event["of"]
    else:
        current = progress.current.pop(worker, None)
        if kind == "ended":
            count_cell(progress, watcher, {**event, "params": current.params if current else {}})
            if current and event.get("start"):
                shown = (event["start"], tuple(event["taken"]), event["scores"])
                say_idle(progress, watcher, Measured(event["trial"], current.params, *shown))


def say_idle(progress: Progress, watcher: Watcher, trial: Measured | None) -> None:
    """Say which parameter of a user's factory changes nothing, when a trial first shows it."""
    progress.idle = progress.idle or IdleFinder(progress.prefix)
    for found in progress.idle.add(trial):
        if not progress.outer:  # each outer fold would repeat the same line
            watcher.say(idle_line(found))


def begin_searching(progress: Progress) -> None:
    """Note that the first cell runs: from here on the time left is estimated."""
    if progress.phase == "starting":
        progress.phase = "searching"
        progress.searching_since = progress.searching_since or time.monotonic()


def count_cell(progress: Progress, watcher: Watcher, trial: Mapping[str, Any]) -> None:
    """Count a cell that has ended; ``trial`` as :meth:`Watcher.ended` gets it."""
    state, value = trial["state"], trial.get("value")
    progress.done += state != "LATE"
    progress.failed += state == "FAIL"
    progress.pruned += state == "PRUNED"
    best = float("-inf") if progress.best is None else progress.best[0]
    if state == "COMPLETE" and value is not None and value > best:
        progress.best = (value, trial["params"])
    watcher.ended(progress, trial)
