"""The one worker loop: take a cell, evaluate, record; until none is left."""

from __future__ import annotations

import gc
import resource
import signal
import sys
import threading
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.errors import SweepError
from sweep.ledger.objectives import objective_values
from sweep.ledger.storage import HEARTBEAT_SECONDS, artifacts_folder
from sweep.search.again import taken_over
from sweep.search.checkpoints import Checkpoints, Store
from sweep.search.constraints import TooLargeError, check_size, constraint_values
from sweep.search.estimator import make_estimator
from sweep.search.evaluate import Asked, Evaluation, SearchData, best_epoch, evaluate, mean_score
from sweep.search.pruners import largest_epochs, make_pruner
from sweep.search.samplers import make_sampler
from sweep.search.splits import make_splits
from sweep.spaces import suggest
from sweep.workers.climb import Climb, slot_of
from sweep.workers.control import Control, StopWork
from sweep.workers.ended import Ended
from sweep.workers.job import Job, worker_name
from sweep.workers.reasons import reason_of
from sweep.workers.telling import EpochTeller
from sweep.workers.upkeep import given_up

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweep.ledger.ledger import Claim, Ledger
    from sweep.ledger.records import Rung, SplitResult
    from sweep.search.sealed import TrainingRows
    from sweep.spec import SplitPrunerSection, StudySpec

SHAPES_LIMIT = 50
"""Architectures a process may trace before another takes its place: each leaves about 2 MB."""

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


class TrialTimeoutError(SweepError, TimeoutError):
    """A cell that ran over its time limit."""


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
    """

    def __init__(
        self, job: Job, control: Control, ledger: Ledger, spec: StudySpec, training: TrainingRows
    ) -> None:
        self.job, self.control, self.ledger, self.spec = job, control, ledger, spec
        self.name, self._tidied = worker_name(), False
        self._shape, self._classes = training.shape, len(training.class_names)
        splits = make_splits(spec, training.y_train, training.groups)
        self.data = SearchData(training.x_train, training.y_train, splits)
        self.ended = Ended(ledger, job.study, spec.space.dimensions)
        self._climb = Climb(ledger, job.study, spec, self.ended)

    @cached_property
    def _checkpoints(self) -> Checkpoints:
        uid = self.ledger.header(self.job.study).get("uid", "")
        folder = artifacts_folder(self.ledger.url, self.job.study, uid)
        return Checkpoints(folder / "checkpoints")

    def run(self) -> bool:
        """Take cells until none is left; False if this process should be replaced first."""
        from sweep.training.engines import engines_built

        while not (self.control.stopping or self.control.resting):
            if engines_built() >= SHAPES_LIMIT or resident_bytes() > MEMORY_LIMIT:
                return False
            if self.spec.search.patience and given_up(self.ledger, self.job.study):
                return True
            claim = self.ledger.claim(self.job.study, self.name)
            if claim is None:
                return True
            self.one_cell(claim)
        return True

    def one_cell(self, claim: Claim) -> None:
        """Evaluate and record one cell; what it raises becomes its reason."""
        self.control.tell("taken", trial=claim.number, params=claim.params)
        try:
            with self._heartbeat(claim), self.control.interruptible(), self._time_limit():
                found = self._evaluate(claim)
        except StopWork:
            self.ledger.cut(claim.trial_id)
            self.control.tell("cut", trial=claim.number)
        except TooLargeError as error:
            self._refuse(claim, error)
        # Any failure of a person's model is a result, also one that would leave the process.
        except (Exception, SystemExit, KeyboardInterrupt) as error:  # noqa: BLE001
            self.ledger.fail(claim, reason_of(error))
            self.control.tell("ended", trial=claim.number, state="FAIL", reason=reason_of(error))
        else:
            self._record(claim, found)
        self._tidy()

    def _tidy(self) -> None:
        """Collect what the cell has left; what is there after the first one stays: libraries."""
        gc.collect()
        if not self._tidied:
            gc.freeze()
            self._tidied = True

    def _record(self, claim: Claim, found: Evaluation) -> None:
        epoch = best_epoch(found, claim.epochs)
        past = constraint_values(self.spec, found, epoch)
        self.ledger.constrain(claim, past)
        result = (claim, self._values(found, epoch), found.splits, found.layers)
        record = self.ledger.pruned if found.pruned else self.ledger.complete
        kept = record(*result, copied_from=found.copied_from, steps=self._steps(found))
        state = "COMPLETE" if all(value <= 0 for value in past.values()) else "INFEASIBLE"
        given_up = "PAUSED" if self._climb.ladder else "PRUNED"
        state = (given_up if found.pruned else state) if kept else "LATE"
        self.control.tell("ended", trial=claim.number, state=state, value=found.value)

    def _values(self, found: Evaluation, epoch: int) -> list[float]:
        weights = sum(layer[3] for layer in found.layers)
        names = self.spec.search.objectives
        return objective_values(names, found.value, found.splits, epoch, weights)

    def _refuse(self, claim: Claim, error: TooLargeError) -> None:
        limit = self.spec.search.max_parameters or 0
        past = sum(layer[3] for layer in error.layers) - limit
        self.ledger.constrain(claim, {"max_parameters": past})
        kept = self.ledger.refuse(claim, str(error), error.layers)
        state = "PRUNED" if kept else "LATE"
        self.control.tell("ended", trial=claim.number, state=state, reason=str(error))

    def _steps(self, found: Evaluation) -> dict[int, float]:
        """Return what a trial has not reported itself, and samplers or pruners ask for."""
        if found.copied_from is not None and self.spec.search.pruner is not None:
            return {e: mean_score(found.splits, e) for e in sorted(found.splits[0].test)}
        if not found.pruned or self.spec.search.split_pruner is None:
            return {}
        return {len({split.split for split in found.splits}): found.value}

    def _evaluate(self, claim: Claim) -> Evaluation:
        rung = self._climb.rung(claim)
        trial = None
        params, epochs = claim.params, claim.epochs
        if params is None or self.spec.search.pruner:
            trial = self._optuna_trial(claim, rung)
        if params is None:
            params = suggest(trial, self.spec.space.dimensions)
            self.ledger.view.flush_params()
            epochs = (int(params.get("epochs", self.spec.fixed_epochs)),)
            self.control.tell("taken", trial=claim.number, params=params)
        search = self.spec.search
        check_size(self.spec, params, self._shape, self._classes, self.job.allow)
        timed = "inference_ms" in search.objectives
        asked = Asked(
            epochs, search.scoring, search.train_scores, search.curves, search.seeds, timed
        )
        goes_on = rung is not None and rung.continues is not None
        taken_over = None if goes_on else self._taken_over(params, asked)
        return taken_over or self._score(claim, trial, params, asked, rung)

    def _taken_over(self, params: Mapping[str, Any], asked: Asked) -> Evaluation | None:
        """Return what an equal trial has measured; a grid's candidates all differ."""
        if self.spec.search.method == "grid":
            return None
        fits = len(self.data.splits) * asked.seeds
        ended = self.ended.complete() if self._climb.ladder else self.ended.all()
        return taken_over(params, asked, ended, fits, staged=self.spec.staged)

    def _store(self, params: Mapping[str, Any], asked: Asked) -> Store | None:
        """Return where fits go on with a larger budget; None where none may come."""
        own = any(self.spec.model.params.get(name) for name in ("early_stopping", "callbacks"))
        searched = self.spec.searched_epochs and self.spec.search.method != "grid"
        if own or asked.timed or not ((searched and asked.curves) or self._climb.ladder):
            return None
        return Store(self._checkpoints, params, largest_epochs(self.spec))

    def _score(
        self, claim: Claim, trial: Any, params: Mapping[str, Any], asked: Asked, rung: Rung | None
    ) -> Evaluation:
        estimator = make_estimator(self.spec, params, self.job.allow)
        last = asked.epochs[-1] if rung is None else min(rung.epochs, asked.epochs[-1])
        told = EpochTeller(self.control, claim.number, last)
        if self.spec.search.split_pruner is not None:
            return self._by_split(estimator, asked, told, self.spec.search.split_pruner)
        pruner, store = self.spec.search.pruner, self._store(params, asked)
        if pruner is None and store is None:
            return evaluate(estimator, self.data, asked, [told])
        from sweep.search.lockstep import evaluate_in_lockstep

        def stop(epoch: int, value: float) -> bool:
            if pruner is None:
                return False
            trial.report(value, epoch)
            return epoch >= rung.epochs if rung else bool(trial.should_prune())

        def tell(split: int, epoch: int, _of: int) -> None:
            self.control.tell("epoch", trial=claim.number, split=split, epoch=epoch, of=last)

        estimator.set_params(epochs=asked.epochs[-1])
        return evaluate_in_lockstep(estimator, self.data, asked, stop, tell, store)

    def _by_split(
        self, estimator: Any, asked: Asked, told: EpochTeller, section: SplitPrunerSection
    ) -> Evaluation:
        from sweep.search.by_split import Rule, evaluate_by_split, judge

        total = len(self.data.splits) * asked.seeds
        slowest = self.spec.search.max_fit_seconds
        rule = Rule(total, section.p, section.min_splits, section.test, slowest)

        def hopeless(measured: Sequence[SplitResult]) -> bool:
            return judge(measured, asked.epochs, self.ended.complete(), rule)

        return evaluate_by_split(estimator, self.data, asked, hopeless, [told])

    def _optuna_trial(self, claim: Claim, rung: Rung | None) -> Any:
        import optuna

        sampler = make_sampler(self.spec, slot_of(claim))
        if rung is not None and rung.continues is not None:
            sampler = optuna.samplers.RandomSampler(0)  # all parameters are given
        study = self.ledger.searched(self.job.study, sampler, make_pruner(self.spec))
        self.ledger.view.take(study._study_id, claim.trial_id)
        return optuna.trial.Trial(study, claim.trial_id)

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        limit = self.spec.search.trial_timeout

        def over(_number: int, _frame: Any) -> None:
            raise TrialTimeoutError(f"took longer than trial_timeout = {limit:g} s")

        signal.signal(signal.SIGALRM, over)
        signal.setitimer(signal.ITIMER_REAL, limit or 0)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)

    @contextmanager
    def _heartbeat(self, claim: Claim) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(HEARTBEAT_SECONDS):
                try:
                    self.ledger.beat(claim)
                except SweepError:
                    return

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
