"""What a run does about its cells, whoever evaluates them: the policy of both pools.

A cell of the plan is a trial of the ledger. These move a trial from one state to another:

=================  =================  ============================================================
from               to                 by
=================  =================  ============================================================
no trial           WAITING            ``enqueue_missing``: the run, when the plan has cells without
WAITING            RUNNING            a worker that takes the cell: ``Ledger.claim``
RUNNING            COMPLETE, PRUNED   the worker: ``Ledger.complete``, ``Ledger.pruned``
RUNNING            FAIL               the worker, when the user's model fails: ``Ledger.fail``
RUNNING            CUT                the worker when it is interrupted: ``Ledger.cut``
RUNNING            CUT                ``fail_orphaned_trials``: the run, when the worker is dead
WAITING            CUT                ``cancel_waiting``: the run, when ``search.patience`` is
                                      exhausted, or when loops of a cluster must take no more
CUT                WAITING            ``enqueue_missing``, as a new trial of the same cell
CUT                FAIL               ``enqueue_missing``, after a cell has killed three workers
=================  =================  ============================================================

CUT is kept as Optuna's FAIL without a reason: it is no result, and the cell is still to be done.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sweep.workers.recovery import (
    cancel_waiting,
    enqueue_missing,
    fail_orphaned_trials,
    patience_exhausted,
)

if TYPE_CHECKING:
    from collections import Counter

    from sweep.ledger.ledger import Ledger
    from sweep.runner.progress import Progress, Watcher
    from sweep.search.plan import Plan

STARTS_ALLOWED = 3
"""Workers that end before their first cell, one after another, before the run gives up."""


class Supervisor:
    """Follow one search in the ledger: repair what died, refill what is missing, know the end.

    A pool starts and stops workers; what is to be done about cells it asks here.

    Parameters
    ----------
    ledger : Ledger
        Where the search is kept.
    plan : Plan
        Its cells.
    progress : Progress
        How far it is; its ``study`` names the search.
    watcher : Watcher
        Told of what matters to the user.
    stop_name : str or None
        The study whose request to stop counts: for an outer fold, the study that it belongs to.
    deadline : float or None
        When ``search.timeout`` is reached, by ``time.monotonic``.

    Attributes
    ----------
    stopped : bool
        Whether somebody asked the study's workers to stop.
    failed_starts : int
        Workers in a row that ended before a cell did.
    """

    def __init__(
        self, ledger: Ledger, plan: Plan, progress: Progress, watcher: Watcher, *,
        stop_name: str | None = None, deadline: float | None = None,
    ) -> None:  # fmt: skip
        self.stopped = False
        self.failed_starts = 0
        self._ledger, self._plan, self._study = ledger, plan, progress.study
        self._progress, self._watcher = progress, watcher
        self._stop_name = stop_name or progress.study
        self._deadline = deadline

    def stop_requested(self) -> bool:
        """Return whether somebody has asked the study to stop; say so the first time."""
        if not self.stopped and self._ledger.stopped(self._stop_name) is not None:
            self.stopped = True
            self._watcher.say("stop requested: running cells will finish, no new ones will start")
        return self.stopped

    def timed_out(self) -> bool:
        """Return whether ``search.timeout`` is reached; say so the first time."""
        if self._deadline is None or time.monotonic() < self._deadline:
            return False
        if self._progress.phase != "interrupting":
            self._progress.phase = "interrupting"
            self._watcher.say("search.timeout reached: running trials are interrupted")
        return True

    def look(self, *, short_of_work: bool) -> Counter[str]:
        """Look into the ledger, bring its cells in order, return how many are in which state.

        Parameters
        ----------
        short_of_work : bool
            Whether workers wait for cells: then missing cells are enqueued. They are also where
            a worker has died, and where no cell is open: a worker may have given up the last one.
        """
        died = fail_orphaned_trials(self._ledger, self._study)
        if self._plan.patience and patience_exhausted(self._ledger, self._study):
            self._end_search()
        elif died or short_of_work or not self._any_open():
            enqueue_missing(self._ledger, self._study, self._plan)
        return self.counts()

    def _any_open(self) -> bool:
        counts = self.counts()
        return bool(counts["WAITING"] or counts["RUNNING"])

    def counts(self) -> Counter[str]:
        """Return how many trials of the search are in which state."""
        return self._ledger.counts(self._study)

    def cancel_waiting(self) -> None:
        """Take all waiting cells back; a run that continues the study enqueues them again."""
        cancel_waiting(self._ledger, self._study)

    def fail_orphaned(self) -> None:
        """Give up the trials of workers that are dead or silent; their cells stay to be done."""
        fail_orphaned_trials(self._ledger, self._study)

    def worker_died(self, name: str, how: str) -> int:
        """Fail the trials of a worker that has died, enqueue their cells again.

        Parameters
        ----------
        name : str
            The worker, as the ledger knows it.
        how : str
            Such as ``"signal 9"``; recorded with the trials. The third time a cell is quarantined.

        Returns
        -------
        int
            Trials that it held.
        """
        lost = fail_orphaned_trials(self._ledger, self._study, name, f"the worker ended with {how}")
        enqueue_missing(self._ledger, self._study, self._plan, say=self._watcher.say)
        return lost

    def start_failed(self) -> bool:
        """Count a worker that ended before a cell did; return whether the run should give up."""
        self.failed_starts += 1
        return self.failed_starts >= STARTS_ALLOWED

    def _end_search(self) -> None:
        if cancel_waiting(self._ledger, self._study):
            patience = self._plan.patience
            self._watcher.say(f"no improvement in {patience} trials: the search ends")
