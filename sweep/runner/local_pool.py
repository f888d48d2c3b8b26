"""The run: start workers, follow what they say, replace the dead, see the study through."""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.runner.gpus import Gpus
from sweep.runner.signals import SignalRequests
from sweep.runner.worker_events import OF_CELLS, record_event
from sweep.runner.worker_process import READ_SECONDS, Event, WorkerProcess, spawn
from sweep.support.container_limits import ended_for_memory
from sweep.workers.recovery import (
    cancel_waiting,
    enqueue_missing,
    fail_orphaned_trials,
    patience_exhausted,
)

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.ledger.ledger import Ledger
    from sweep.runner.forkserver import ForkServer
    from sweep.runner.progress import Progress, Watcher
    from sweep.search.plan import Plan
    from sweep.workers.job import Job

LOOK_SECONDS = 0.2
LEDGER_SECONDS = 2.0
LEAVE_SECONDS = 4.0
STARTS_ALLOWED = 3
"""Workers that end before their first cell, one after another, before the run gives up."""


class LocalPool:
    """Workers of one run.

    Parameters
    ----------
    count : int
        How many at a time.
    logs : Path
        Folder for what they print.
    watcher : Watcher
        Told of the progress.
    forkserver : ForkServer or None
        What workers are forked from when the run begins; without one they are spawned at once,
        to load TensorFlow while the run is prepared.
    helping : bool
        Leave when no cell waits, though others are at work on the last ones.
    devices : Devices or None
        What they compute on; a worker that takes another's place sees what that one saw.
    asked : str or None
        The study that one asks to stop, where another of its parts is searched.

    Attributes
    ----------
    stopped : bool
        Whether somebody asked the study's workers to leave.
    """

    def __init__(
        self, count: int, logs: Path, watcher: Watcher, forkserver: ForkServer | None = None,
        *, devices: Gpus | None = None, helping: bool = False, asked: str | None = None,
    ) -> None:  # fmt: skip
        self.watcher = watcher
        self.stopped = False
        self._helping, self._asked = helping, asked
        self._logs = logs
        self._devices = devices or Gpus()
        self._events: queue.Queue[tuple[int, Event]] = queue.Queue()
        self._failed_starts = 0
        self._starved = ended_for_memory()
        self._interrupts = SignalRequests()
        self._job: Job | None = None
        self._finished = False
        self._forkserver = forkserver
        self._count = count
        self._workers: dict[int, WorkerProcess] = {} if forkserver else self._all_started()

    def run(
        self, job: Job, ledger: Ledger, plan: Plan, progress: Progress, *,
        refit: bool, deadline: float | None,
    ) -> None:  # fmt: skip
        """See the study through: every cell ended, the winner refitted if asked.

        Raises
        ------
        InterruptedRunError
            On SIGINT or SIGTERM, after the workers have left.
        LedgerError
            If workers cannot start.
        """
        self._begin(job, ledger, plan, progress)
        with self._interrupts.noted():
            self._search(deadline)
            if refit and not self._left_to_others():
                self._refit()
        progress.phase = "done"

    def refit(self, job: Job, ledger: Ledger, plan: Plan, progress: Progress) -> None:
        """Refit the winner of a study that was searched elsewhere."""
        self._begin(job, ledger, plan, progress)
        progress.current.clear()
        for worker in self._workers.values():
            worker.order("interrupt")
        with self._interrupts.noted():
            self._refit()

    def close(self) -> None:
        """Tell the workers to leave, and wait for that; count what they ended, give up the rest."""
        for worker in self._workers.values():
            worker.dismiss() if worker.idle else worker.order("stop")
        if self._forkserver:
            self._forkserver.abandon()
        deadline = time.monotonic() + LEAVE_SECONDS
        for worker in self._workers.values():
            worker.end(max(0.1, deadline - time.monotonic()))
        self._hear_out()
        if self._job:
            fail_orphaned_trials(self._ledger, self._job.study)

    def _begin(self, job: Job, ledger: Ledger, plan: Plan, progress: Progress) -> None:
        self._job, self._ledger, self._plan, self._progress = job, ledger, plan, progress
        self._workers = self._workers or self._all_started()
        for worker in self._workers.values():
            worker.begin(job)

    # -- the two phases ------------------------------------------------------------------------

    def _search(self, deadline: float | None) -> None:
        look_at = time.monotonic()  # at once: somebody may have asked to stop meanwhile
        while True:
            if (self._time_is_up(deadline) or self.stopped) and self._all_idle():
                return
            self._follow()
            began = time.monotonic()
            if not self._all_idle() and began < look_at:
                continue
            if not (self._time_is_up(deadline) or self.stopped) and self._all_done():
                return
            spent = time.monotonic() - began  # of a large ledger: look at it the more seldom
            look_at = time.monotonic() + max(LEDGER_SECONDS, 20 * spent)

    def _all_done(self) -> bool:
        """Look into the ledger: count what is done, wake the idle when cells wait."""
        study = self._plan_study
        if self._asked_to_stop():
            return False
        gone = fail_orphaned_trials(self._ledger, study)
        if self._plan.patience and patience_exhausted(self._ledger, study):
            self._withdraw()
        elif gone or self._all_idle():
            enqueue_missing(self._ledger, study, self._plan)
        counts = self._ledger.counts(study)
        waiting, running = counts["WAITING"], counts["RUNNING"]
        if waiting:
            for worker in self._idle()[:waiting]:
                worker.order("work")
        if running and not waiting and self._all_idle():
            if self._helping:
                return True
            time.sleep(LOOK_SECONDS)
        return not waiting and not running

    def _asked_to_stop(self) -> bool:
        if self._ledger.stopped(self._asked or self._plan_study) is None:
            return False
        self.stopped = True
        self.watcher.say("asked to stop: cells in hand are finished, no other is begun")
        for worker in self._workers.values():
            worker.pause()
        return True

    def _left_to_others(self) -> bool:
        """Return whether the winner is not ours to refit: the search goes on, or was stopped."""
        return self.stopped or (
            self._helping and self._ledger.counts(self._plan_study)["RUNNING"] > 0
        )

    def _withdraw(self) -> None:
        if cancel_waiting(self._ledger, self._plan_study):
            self.watcher.say(f"no improvement in {self._plan.patience} trials: the search ends")

    def _time_is_up(self, deadline: float | None) -> bool:
        if deadline is None or time.monotonic() < deadline:
            return False
        if self._progress.phase != "interrupting":
            self._progress.phase = "interrupting"
            self.watcher.say("the time of this study is up: no new trials are begun")
            for worker in self._workers.values():
                worker.order("interrupt")
        return True

    def _refit(self) -> None:
        self._progress.phase = "refitting"
        self._finished = False
        while not self._finished:
            if self._all_idle():
                next(iter(self._workers.values())).order("finish")
            self._follow()

    # -- events --------------------------------------------------------------------------------

    def _follow(self) -> None:
        """Take in the events of the next moment."""
        try:
            number, event = self._events.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            pass
        else:
            self._take(number, event)
        self._interrupts.check(self.watcher)
        self.watcher.update(self._progress)

    def _take(self, number: int, event: Event) -> None:
        if event["event"] in OF_CELLS:
            self._failed_starts = 0
            record_event(self._progress, self.watcher, number, event)
        else:
            getattr(self, f"_on_{event['event']}")(self._workers[number], event)

    def _hear_out(self) -> None:
        """Take in what workers that have left said of their cells."""
        left = {id(worker) for worker in self._workers.values()}
        with suppress(queue.Empty):
            while left:
                number, event = self._events.get(timeout=READ_SECONDS)
                if event["event"] == "gone":
                    left.discard(event["process"])
                elif event["event"] in OF_CELLS:
                    self._take(number, event)

    def _on_hello(self, worker: WorkerProcess, event: Event) -> None:
        worker.name = event["name"]

    def _on_recycle(self, worker: WorkerProcess, _event: Event) -> None:
        worker.to_recycle = True

    def _on_waits(self, _worker: WorkerProcess, event: Event) -> None:
        self.watcher.say(event["line"])

    def _on_idle(self, worker: WorkerProcess, _event: Event) -> None:
        worker.idle = True

    def _on_finished(self, _worker: WorkerProcess, _event: Event) -> None:
        self._finished = True

    def _on_broken(self, _worker: WorkerProcess, event: Event) -> None:
        raise LedgerError(f"a worker could not go on: {event['reason']}")

    def _on_gone(self, worker: WorkerProcess, event: Event) -> None:
        if event["process"] != id(worker):
            return
        self._progress.current.pop(worker.number, None)
        worker.end(LEAVE_SECONDS)
        status = worker.exit_status
        if not worker.to_recycle:
            self._on_worker_death(worker, status)
        fresh = self._workers[worker.number] = self._start(worker.number)
        if self._job:
            fresh.begin(self._job)

    def _on_worker_death(self, worker: WorkerProcess, status: int | None) -> None:
        how = self._how(status)
        lost = fail_orphaned_trials(
            self._ledger, self._plan_study, worker.name, f"the worker ended with {how}"
        )
        self._failed_starts += not lost
        if self._failed_starts >= STARTS_ALLOWED:
            raise LedgerError(
                f"workers cannot {self._doing()} ({how}): "
                f"{worker.last_words() or 'they said nothing'} (see {worker.log})"
            )
        self.watcher.say(f"a worker ended with {how}; another takes its place")
        enqueue_missing(self._ledger, self._plan_study, self._plan, say=self.watcher.say)

    def _how(self, status: int | None) -> str:
        """Return how a worker ended; Linux leaves no word where it ends one for want of memory."""
        if ended_for_memory() > self._starved:
            self._starved += 1
            return "no memory left (fewer workers need less: --n-jobs)"
        return f"signal {-status}" if status and status < 0 else f"exit status {status}"

    # -- small things --------------------------------------------------------------------------

    @property
    def _plan_study(self) -> str:
        return self._progress.study

    def _all_started(self) -> dict[int, WorkerProcess]:
        return {number: self._start(number) for number in range(self._count)}

    def _start(self, number: int) -> WorkerProcess:
        log = self._logs / f"worker-{number}.log"
        start = self._forkserver.fork if self._forkserver else spawn
        return WorkerProcess(number, self._events, log, start, self._devices.of(number))

    def _doing(self) -> str:
        return "refit the winner" if self._progress.phase == "refitting" else "start"

    def _idle(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers.values() if worker.idle]

    def _all_idle(self) -> bool:
        return len(self._idle()) == len(self._workers)
