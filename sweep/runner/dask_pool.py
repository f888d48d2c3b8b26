"""A run on a cluster: start loops, follow the ledger, start lost ones again."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.analysis.idle import measured
from sweep.errors import ClusterError
from sweep.ledger.reading import latest_by_key, read_study
from sweep.ledger.scores import mean_split_score
from sweep.runner.forkserver import forkserver_started
from sweep.runner.local_pool import LEDGER_SECONDS, LOOK_SECONDS, LocalPool
from sweep.runner.progress import Current
from sweep.runner.signals import SignalRequests
from sweep.runner.supervisor import Supervisor
from sweep.runner.worker_events import begin_searching, count_cell, say_idle

if TYPE_CHECKING:
    from collections import Counter
    from pathlib import Path

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import TrialRecord
    from sweep.runner.dask_cluster import DaskCluster
    from sweep.runner.dask_loop import LoopEnd
    from sweep.runner.progress import Progress, Watcher
    from sweep.search.plan import Plan
    from sweep.workers.job import Job

LEAVE_SECONDS = 10.0
"""How long loops may take to give their cells back when they are ordered to leave."""


class DaskPool:
    """Loops of one run on a cluster: stands where :class:`LocalPool` does.

    The ledger alone says what is done. The winner is refitted here, where its weights belong.

    Parameters
    ----------
    cluster : Cluster
        Where loops are started.
    most : int or None
        How many at a time; by default as many as the cluster takes.
    logs : Path
        Folder for what the worker that refits prints.
    watcher : Watcher
        Told of the progress.
    stop_name : str
        The study whose request to stop counts.
    """

    def __init__(
        self, cluster: DaskCluster, most: int | None, logs: Path, watcher: Watcher, stop_name: str
    ) -> None:
        self._cluster, self._most, self._logs = cluster, most, logs
        self._watcher, self._stop_name = watcher, stop_name
        self._signals = SignalRequests()
        self._futures: list[Any] = []
        self._workers: set[str] = set()
        self._counts: Counter[str] | None = None
        self._seen: set[str] = set()
        self._waits = False
        self._supervisor: Supervisor | None = None

    @property
    def stopped(self) -> bool:
        """Whether somebody asked the study's workers to stop."""
        return self._supervisor is not None and self._supervisor.stopped

    def run(
        self, job: Job, ledger: Ledger, plan: Plan, progress: Progress, *,
        refit: bool, deadline: float | None,
    ) -> None:  # fmt: skip
        """See the study through: every cell ended, the winner refitted if asked.

        Raises
        ------
        InterruptedRunError
            On SIGINT or SIGTERM, after the loops have left.
        ClusterError
            If the scheduler is gone, or loops cannot start.
        """
        self._ledger, self._plan, self._progress = ledger, plan, progress
        self._study, self._order = job.study, replace(job, elsewhere=True)
        supervisor = self._supervisor = Supervisor(
            ledger, plan, progress, self._watcher, stop_name=self._stop_name, deadline=deadline
        )
        self._seen = set(_ended(ledger, self._study))
        with self._signals.noted():
            while not self._look(supervisor):
                self._wait()
            self._leave(supervisor)
        if refit and not self.stopped:
            self._refit()
        progress.phase = "done"

    def close(self) -> None:
        """Order the loops to leave, wait for that, and fail the trials that they still held."""
        if self._supervisor:
            self._leave(self._supervisor)

    # -- the search ----------------------------------------------------------------------------

    def _look(self, supervisor: Supervisor) -> bool:
        """Look into the ledger, start loops for what waits; return whether all is done."""
        for future in [each for each in self._futures if each.done()]:
            self._futures.remove(future)
            self._on_loop_end(supervisor, future)
        if supervisor.timed_out():
            return True
        if supervisor.stop_requested():
            supervisor.cancel_waiting()  # no order reaches a loop: it takes what waits
            supervisor.fail_orphaned()
            counts = supervisor.counts()
        else:
            counts = supervisor.look(short_of_work=not supervisor.counts()["WAITING"])
        self._show(counts)
        if counts["WAITING"]:
            self._submit(counts["WAITING"])
        return not counts["WAITING"] and not counts["RUNNING"]

    def _wait(self) -> None:
        """Wait a moment; less where a loop ends."""
        end = time.monotonic() + LEDGER_SECONDS
        while time.monotonic() < end and not any(each.done() for each in self._futures):
            time.sleep(LOOK_SECONDS)
            self._signals.check(self._watcher)
            self._cluster.check()
            self._watcher.update(self._progress)

    def _submit(self, waiting: int) -> None:
        room = self._cluster.workers()
        lost = self._workers - room.keys()
        self._workers = set(room)
        for address in sorted(lost):
            self._watcher.say(f"the Dask worker {address} is gone; its loops are started again")
        total = sum(room.values())
        if not total and not self._waits:
            self._watcher.say("no Dask worker can take a loop yet: waiting for one")
        self._waits = not total
        most = max(1, min(total, self._most or total))
        for _ in range(min(most - len(self._futures), waiting)):
            self._futures.append(self._cluster.submit(self._order))

    # -- how loops end -------------------------------------------------------------------------

    def _on_loop_end(self, supervisor: Supervisor, future: Any) -> None:
        self._cluster.check()
        try:
            ended: LoopEnd = future.result(timeout=LEAVE_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever Dask, or a worker's Python, raises
            self._on_failed_loop(supervisor, f"{type(error).__name__}: {error}")
            return
        if ended.how == "lost":
            supervisor.worker_died(ended.worker, ended.reason)
        if ended.how in ("lost", "broken"):
            self._on_failed_loop(supervisor, ended.reason)

    def _on_failed_loop(self, supervisor: Supervisor, reason: str) -> None:
        if supervisor.start_failed():
            raise ClusterError(f"loops cannot go on on the Dask workers: {reason[:500]}")
        self._watcher.say(f"a loop ended ({reason[:200]}); starting a replacement")

    def _leave(self, supervisor: Supervisor) -> None:
        """Have all loops leave; wait until none of their cells runs, give up what is left."""
        self._cluster.cancel(self._futures)
        end = time.monotonic() + (LEAVE_SECONDS if self._futures else 0)
        self._futures = []
        while time.monotonic() < end and supervisor.counts()["RUNNING"]:
            time.sleep(LOOK_SECONDS)
        supervisor.fail_orphaned()

    # -- the winner, the display ---------------------------------------------------------------

    def _refit(self) -> None:
        with (
            forkserver_started() as forkserver,
            closing(LocalPool(1, self._logs, self._watcher, forkserver)) as pool,
        ):
            pool.refit(
                replace(self._order, elsewhere=False), self._ledger, self._plan, self._progress
            )

    def _show(self, counts: Counter[str]) -> None:
        """Bring the display up to date, where something has changed."""
        if counts == self._counts:
            return
        self._counts, progress = counts, self._progress
        trials = read_study(self._ledger, self._study).trials
        running = [trial for trial in trials if trial.state == "RUNNING"]
        progress.current = {i: Current(t.number, t.params) for i, t in enumerate(running)}
        if running:
            begin_searching(progress)
        for key, trial in latest_by_key(trials).items():
            if key not in self._seen:
                self._seen.add(key)
                self._made_progress()
                ended = {"state": trial.state, "value": _value(trial), "reason": trial.reason}
                count_cell(progress, self._watcher, {**ended, "params": trial.params})
                shown = measured(trial.number, trial.params, trial.splits)
                say_idle(progress, self._watcher, shown)

    def _made_progress(self) -> None:
        if self._supervisor:
            self._supervisor.failed_starts = 0


def _value(trial: TrialRecord) -> float | None:
    """Return the best mean score over the requested epochs that all splits have reached."""
    reached = set.intersection(*(set(each.test) for each in trial.splits)) if trial.splits else ()
    requested = [epoch for epoch in reached if epoch in trial.epochs]
    return max(
        (mean_split_score(trial.splits, epoch) for epoch in requested or reached), default=None
    )


def _ended(ledger: Ledger, study: str) -> list[str]:
    trials = read_study(ledger, study).trials
    again = {trial.key for trial in trials if trial.state == "WAITING"}
    return [key for key in latest_by_key(trials) if key not in again]
