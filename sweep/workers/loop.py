"""The one worker loop: take a cell, evaluate, record; until none is left."""

from __future__ import annotations

import gc
import hashlib
import resource
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from optuna.exceptions import StorageInternalError

from sweep.analysis.idle import measured
from sweep.errors import LedgerError, SweepError
from sweep.ledger.objectives import objective_values
from sweep.ledger.scores import best_epoch
from sweep.search.constraints import TooLargeError, constraint_values
from sweep.storage.locations import HEARTBEAT_SECONDS
from sweep.storage.process_identity import worker_name
from sweep.support.layer import total_parameters
from sweep.workers.cell_evaluator import CellEvaluator
from sweep.workers.control import Control, StopWork
from sweep.workers.failure_reason import reason_of
from sweep.workers.recovery import patience_exhausted
from sweep.workers.resource_limits import is_out_of_memory, memory_reason, time_limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from sweep.evaluation.cross_validation import Evaluation
    from sweep.ledger.claims import Claim
    from sweep.ledger.ledger import Ledger
    from sweep.search.sealed_data import TrainingRows
    from sweep.spec import StudySpec
    from sweep.workers.job import Job

SHAPES_LIMIT = 50
"""Architectures that a process may trace before it is replaced: each leaves about 2 MB."""

MEMORY_LIMIT = 4 * 2**30
"""Bytes in memory at which a process is replaced between two cells."""


def resident_bytes() -> int:
    """Return how much memory this process holds; its peak where the system has no /proc."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


class Worker:
    """Evaluate cells of one study.

    Parameters
    ----------
    job : Job
        The orders.
    control : Control
        Where events go and orders to stop come from.
    ledger : Ledger
        Where cells come from and results go.
    spec : StudySpec
        The study.
    training : TrainingRows
        All that a search may see of its data.
    part : mapping, optional
        What part of another study it is: ``part`` of its header.
    """

    def __init__(
        self, job: Job, control: Control, ledger: Ledger, spec: StudySpec, training: TrainingRows,
        part: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.job, self.control, self.ledger, self.spec = job, control, ledger, spec
        self.name, self._first_cell_done, self._must_recycle = worker_name(), False, False
        self.evaluator = CellEvaluator(job, control, ledger, spec, training, part)

    def run(self) -> bool:
        """Take cells until none is left; False if this process should be replaced first."""
        from sweep.training.engine_cache import engines_built

        control = self.control
        while not (control.stopping or control.interrupting or control.pausing):
            if (
                self._must_recycle
                or engines_built() >= SHAPES_LIMIT
                or resident_bytes() > MEMORY_LIMIT
            ):
                return False
            patient = self.spec.search.patience is not None
            if patient and patience_exhausted(self.ledger, self.job.study):
                return True
            claim = self.ledger.claim(self.job.study, self.name, by_draw=patient)
            if claim is None:
                return True
            self.one_cell(claim)
        return True

    def one_cell(self, claim: Claim) -> None:
        """Evaluate and record one cell; what it raises becomes its reason."""
        self.control.tell("taken", trial=claim.number, params=claim.params)
        try:
            with self._heartbeat(claim), self.control.interruptible(), self._time_limit(claim):
                found = self.evaluator.evaluate(claim)
        except StopWork:
            self.ledger.cut(claim.trial_id)
            self.control.tell("cut", trial=claim.number)
        except (LedgerError, StorageInternalError):  # the ledger's trouble, not the cell's
            self.ledger.cut(claim.trial_id)
            self.control.tell("cut", trial=claim.number)
        except TooLargeError as error:
            self._record_too_large(claim, error)
        # Any failure of a user's model is a result, also an exception that would end the process.
        except BaseException as error:  # noqa: BLE001
            self._fail(claim, error)
        else:
            self._record(claim, found)
        self._collect_garbage()

    def _fail(self, claim: Claim, error: BaseException) -> None:
        """Record why a cell failed; for want of memory only what a fresh process says counts."""
        limit, reason = self.spec.search.memory_limit, reason_of(error)
        if limit and is_out_of_memory(error):
            if self._first_cell_done:
                self._must_recycle = True
                self.ledger.cut(claim.trial_id)
                self.control.tell("cut", trial=claim.number)
                return
            reason = f"{memory_reason(limit)}: {reason}"
        self._record_failure(claim, reason)

    def _record_failure(self, claim: Claim, reason: str) -> None:
        kept = self.ledger.fail(claim, reason)
        if kept:
            self.evaluator.clear()
        state = "FAIL" if kept else "LATE"
        self.control.tell("ended", trial=claim.number, state=state, reason=reason)

    def _collect_garbage(self) -> None:
        """Collect what the cell has left; what is there after the first one stays: libraries."""
        gc.collect()
        if not self._first_cell_done:
            gc.freeze()
            self._first_cell_done = True

    def _record(self, claim: Claim, found: Evaluation) -> None:
        epoch = best_epoch(found.splits, claim.epochs)
        past = constraint_values(self.spec, found, epoch)
        self.ledger.set_constraints(claim, past)
        result = (claim, self._values(found, epoch), found.splits, found.layers)
        record = self.ledger.pruned if found.pruned else self.ledger.complete
        kept = record(*result, copied_from=found.copied_from, steps=self.evaluator.steps(found))
        if kept:  # else another worker may be at it, from where this one's fits were written
            self.evaluator.clear()
        state = "COMPLETE" if all(value <= 0 for value in past.values()) else "INFEASIBLE"
        ended_early = "PAUSED" if self.evaluator.pauses else "PRUNED"
        state = (ended_early if found.pruned else state) if kept else "LATE"
        shown = {} if found.pruned else _shown(claim.number, found)
        self.control.tell("ended", trial=claim.number, state=state, value=found.value, **shown)

    def _values(self, found: Evaluation, epoch: float) -> list[float]:
        weights = total_parameters(found.layers)
        names = self.spec.search.objectives
        return objective_values(names, found.value, found.splits, epoch, weights)

    def _record_too_large(self, claim: Claim, error: TooLargeError) -> None:
        limit = self.spec.search.max_parameters or 0
        past = total_parameters(error.layers) - limit
        self.ledger.set_constraints(claim, {"max_parameters": past})
        kept = self.ledger.reject_too_large(claim, str(error), error.layers)
        state = "PRUNED" if kept else "LATE"
        self.control.tell("ended", trial=claim.number, state=state, reason=str(error))

    def _time_limit(self, claim: Claim) -> AbstractContextManager[None]:
        def record(reason: str) -> None:
            self._record_failure(claim, reason)
            self.control.tell("recycle")

        return time_limit(self.spec.search.trial_timeout, record)

    @contextmanager
    def _heartbeat(self, claim: Claim) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                with suppress(SweepError):  # the next beat may reach the ledger again
                    self.ledger.beat(claim)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()


def _shown(number: int, found: Evaluation) -> dict[str, Any]:
    """Return what shows whether a parameter of a user's factory changed anything."""
    trial = measured(number, {}, found.splits)
    if trial is None:
        return {}
    scores = hashlib.blake2b(repr(trial.scores).encode(), digest_size=8).hexdigest()
    return {"start": trial.start, "taken": trial.taken, "scores": scores}
