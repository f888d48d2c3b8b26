"""Workers on this machine: start processes, follow what they say, replace those that end."""

from __future__ import annotations

import queue
import time
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.runner.gpus import Gpus
from sweep.runner.signals import SignalRequests
from sweep.runner.supervisor import Supervisor
from sweep.runner.worker_events import OF_CELLS, record_event
from sweep.runner.worker_process import READ_SECONDS, Event, WorkerProcess, spawn
from sweep.support.container_limits import ended_for_memory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sweep.ledger.ledger import Ledger
    from sweep.runner.forkserver import ForkServer
    from sweep.runner.progress import Progress, Watcher
    from sweep.search.plan import Plan
    from sweep.workers.job import Job

LOOK_SECONDS = 0.2
LEDGER_SECONDS = 2.0
LEAVE_SECONDS = 4.0


class LocalPool:
    """Worker processes of one run, on this machine.

    Parameters
    ----------
    size : int
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
    devices : Gpus or None
        What they compute on; a worker that replaces another sees what that one saw.
    stop_name : str or None
        The study whose request to stop counts, where one of its outer folds is searched.
    share : callable or None
        Says how many workers this run may have now, where several runs share them; ``size`` is
        what it said first. At 0 the run leaves the study to others.
    """

    def __init__(
        self, size: int, logs: Path, watcher: Watcher, forkserver: ForkServer | None = None,
        *, devices: Gpus | None = None, helping: bool = False, stop_name: str | None = None,
        share: Callable[[], int] | None = None,
    ) -> None:  # fmt: skip
        self.watcher = watcher
        self._helping, self._stop_name = helping, stop_name
        self._logs = logs
        self._devices = devices or Gpus()
        self._events: queue.Queue[tuple[int, Event]] = queue.Queue()
        self._deaths_for_memory = ended_for_memory()
        self._signals = SignalRequests()
        self._job: Job | None = None
        self._supervisor: Supervisor | None = None
        self._finished = False
        self._forkserver = forkserver
        self._size, self._share = size, share
        self._leaving: set[int] = set()
        self._left = False
        self._workers: dict[int, WorkerProcess] = {} if forkserver else self._all_started()

    @property
    def stopped(self) -> bool:
        """Whether the study is left before its end: it was asked to, or others need its workers."""
        return self._left or (self._supervisor is not None and self._supervisor.stopped)

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
        supervisor = self._begin(job, ledger, plan, progress, deadline)
        with self._signals.noted():
            self._search(supervisor)
            if refit and not self._left_to_others(supervisor):
                self._refit()
        progress.phase = "done"

    def refit(self, job: Job, ledger: Ledger, plan: Plan, progress: Progress) -> None:
        """Refit the winner of a study that was searched elsewhere."""
        self._begin(job, ledger, plan, progress, None)
        progress.current.clear()
        self._order_all("interrupt")
        with self._signals.noted():
            self._refit()

    def close(self) -> None:
        """Tell the workers to leave, and wait for that; count what they ended, give up the rest."""
        for worker in self._workers.values():
            worker.dismiss() if worker.idle else worker.order("stop")
            worker.abandon()
        deadline = time.monotonic() + LEAVE_SECONDS
        for worker in self._workers.values():
            worker.end(max(0.1, deadline - time.monotonic()))
        self._read_last_events()
        if self._supervisor:
            self._supervisor.fail_orphaned()

    def _begin(
        self, job: Job, ledger: Ledger, plan: Plan, progress: Progress, deadline: float | None
    ) -> Supervisor:
        self._job, self._progress = job, progress
        self._supervisor = Supervisor(
            ledger, plan, progress, self.watcher, stop_name=self._stop_name, deadline=deadline
        )
        self._workers = self._workers or self._all_started()
        for worker in self._workers.values():
            worker.begin(job)
        return self._supervisor

    # -- the two phases ------------------------------------------------------------------------

    def _search(self, supervisor: Supervisor) -> None:
        look_at = time.monotonic()  # at once: somebody may have asked to stop meanwhile
        while not (self._must_end(supervisor) and self._all_idle()):
            if not self._resized():
                self._left = True
                return
            self._follow()
            began = time.monotonic()
            if not self._all_idle() and began < look_at:
                continue
            if not self._must_end(supervisor) and self._all_done(supervisor):
                return
            spent = time.monotonic() - began  # of a large ledger: look at it the more seldom
            look_at = time.monotonic() + max(LEDGER_SECONDS, 20 * spent)

    def _resized(self) -> bool:
        """Have as many workers as this run may have now; return whether it has any."""
        if self._share is None:
            return True
        want = self._share()
        staying = [number for number in self._workers if number not in self._leaving]
        for number in staying[max(want, 0) :]:
            self._leaving.add(number)
            self._workers[number].pause()
        for number in [n for n in self._leaving if self._workers[n].idle]:
            self._leaving.discard(number)
            worker = self._workers.pop(number)
            worker.dismiss()
            worker.end(LEAVE_SECONDS)
        for _ in range(want - len(staying)):
            self._add_worker()
        return bool(self._workers)

    def _add_worker(self) -> None:
        number = next(n for n in count() if n not in self._workers)
        worker = self._workers[number] = self._start(number)
        if self._job:
            worker.begin(self._job)

    def _must_end(self, supervisor: Supervisor) -> bool:
        """Return whether no cell may begin any more; interrupt the workers where time is up."""
        was_interrupting = self._progress.phase == "interrupting"
        if not supervisor.timed_out():
            return supervisor.stopped
        if not was_interrupting:
            self._order_all("interrupt")
        return True

    def _all_done(self, supervisor: Supervisor) -> bool:
        """Look into the ledger: bring it in order, wake idle workers when cells wait."""
        if supervisor.stop_requested():
            for worker in self._workers.values():
                worker.pause()
            return False
        counts = supervisor.look(short_of_work=self._all_idle())
        waiting, running = counts["WAITING"], counts["RUNNING"]
        for worker in self._idle()[:waiting]:
            worker.order("work")
        if running and not waiting and self._all_idle():
            if self._helping:
                return True
            time.sleep(LOOK_SECONDS)
        return not waiting and not running

    def _left_to_others(self, supervisor: Supervisor) -> bool:
        """Return whether the winner is not ours to refit: the search goes on, or was stopped."""
        if self.stopped:
            return True
        return self._helping and supervisor.counts()["RUNNING"] > 0

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
        self._signals.check(self.watcher)
        self.watcher.update(self._progress)

    def _take(self, number: int, event: Event) -> None:
        if event["event"] in OF_CELLS:
            if self._supervisor:
                self._supervisor.failed_starts = 0
            record_event(self._progress, self.watcher, number, event)
        elif number in self._workers:  # else it has left, for another run has its place
            getattr(self, f"_on_{event['event']}")(self._workers[number], event)

    def _read_last_events(self) -> None:
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
        if not worker.to_recycle:
            self._on_worker_death(worker, self._cause(worker.exit_status))
        if worker.number in self._leaving:  # another run has its place
            self._leaving.discard(worker.number)
            del self._workers[worker.number]
            return
        fresh = self._workers[worker.number] = self._start(worker.number)
        if self._job:
            fresh.begin(self._job)

    def _on_worker_death(self, worker: WorkerProcess, cause: str) -> None:
        supervisor = self._supervisor
        held = supervisor.worker_died(worker.name, cause) if supervisor else 0
        if supervisor and not held and supervisor.start_failed():
            raise LedgerError(
                f"workers cannot {self._doing()} ({cause}): "
                f"{worker.last_words() or 'no output'} (see {worker.log})"
            )
        self.watcher.say(f"worker {_ended(cause)}; starting a replacement")

    def _cause(self, status: int | None) -> str:
        """Return why a worker ended; Linux leaves no word where it kills one for want of memory."""
        if ended_for_memory() > self._deaths_for_memory:
            self._deaths_for_memory += 1
            return "no memory left (fewer workers need less: --n-jobs)"
        return f"signal {-status}" if status and status < 0 else f"exit status {status}"

    # -- small things --------------------------------------------------------------------------

    def _all_started(self) -> dict[int, WorkerProcess]:
        return {number: self._start(number) for number in range(self._size)}

    def _start(self, number: int) -> WorkerProcess:
        log = self._logs / f"worker-{number}.log"
        start = self._forkserver.fork if self._forkserver else spawn
        return WorkerProcess(number, self._events, log, start, self._devices.of(number))

    def _doing(self) -> str:
        return "refit the winner" if self._progress.phase == "refitting" else "start"

    def _order_all(self, word: str) -> None:
        for worker in self._workers.values():
            worker.order(word)

    def _idle(self) -> list[WorkerProcess]:
        return [w for n, w in self._workers.items() if w.idle and n not in self._leaving]

    def _all_idle(self) -> bool:
        return all(worker.idle for worker in self._workers.values())


def _ended(cause: str) -> str:
    return f"killed by {cause}" if cause.startswith("signal") else f"ended with {cause}"
