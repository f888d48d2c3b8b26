"""A loop on a Dask worker: a worker process of sweep's own, until no cell waits.

TensorFlow never runs in the Dask worker itself, and the process ends with it: its standard input
closes.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.runner.worker_process import Event, WorkerProcess, spawn

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.workers.job import Job

LOOK_SECONDS = 0.2
LEAVE_SECONDS = 10.0
"""A process that has not ended by then is killed: it gives itself eight."""


@dataclass(frozen=True)
class LoopEnd:
    """How a loop has ended.

    Attributes
    ----------
    how : str
        ``"done"``: no cell waits; ``"left"``: it was ordered to; ``"lost"``: its process died;
        ``"broken"``: it cannot go on here; ``"recycle"``: it must be replaced.
    worker : str
        Its name in the ledger.
    reason : str
        Why, where it was lost or is broken.
    """

    how: str
    worker: str = ""
    reason: str = ""


def loop(job: Job) -> LoopEnd:
    """Take cells of a study until none waits, the Dask worker leaves, or the task is cancelled."""
    from distributed import get_worker

    log, wanted = Path(get_worker().local_directory) / "sweep-loop.log", _wanted()
    while (ended := follow(job, log, wanted)).how == "recycle":
        pass
    return ended


def follow(job: Job, log: Path, wanted: Callable[[], bool]) -> LoopEnd:
    """Start one process, follow what it says, see it end."""
    events: queue.Queue[tuple[int, Event]] = queue.Queue()
    process = WorkerProcess(0, events, log, spawn)
    process.begin(job)
    ended = None
    try:
        while ended is None:
            ended = _next(process, events) if wanted() else LoopEnd("left")
    finally:
        if ended and ended.how == "done":
            process.dismiss()
        process.end(LEAVE_SECONDS)
    return ended


def _next(process: WorkerProcess, events: queue.Queue[tuple[int, Event]]) -> LoopEnd | None:
    try:
        _, event = events.get(timeout=LOOK_SECONDS)
    except queue.Empty:
        return None
    if event["event"] == "hello":
        process.name = event["name"]
    process.to_recycle |= event["event"] == "recycle"
    if event["event"] == "idle":
        return LoopEnd("done", process.name)
    if event["event"] == "broken":
        return LoopEnd("broken", process.name, event["reason"])
    return _of(process) if event["event"] == "gone" else None


def _of(process: WorkerProcess) -> LoopEnd:
    status = process.exit_status
    if process.to_recycle:
        return LoopEnd("recycle", process.name)
    if status and status < 0:
        return LoopEnd("lost", process.name, f"signal {-status}")
    said = process.last_words()
    return LoopEnd("lost", process.name, f"exit status {status}" + (f": {said}" if said else ""))


def _wanted() -> Callable[[], bool]:
    """Return a function that says whether the task of this thread is still wanted."""
    from distributed import get_worker

    worker = get_worker()
    key = worker.get_current_task()

    def wanted() -> bool:
        task = worker.state.tasks.get(key)
        stays = worker.status.name in ("running", "paused")
        return stays and task is not None and task.state != "cancelled"

    return wanted
