"""Evaluate one cell that a worker has taken, the way its study asks."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sweep.evaluation.checkpoints import CandidateCheckpoints, Checkpoints
from sweep.evaluation.cross_validation import (
    Evaluation,
    EvaluationRequest,
    SearchData,
)
from sweep.evaluation.estimator import code_of, make_estimator
from sweep.evaluation.estimator_fits import evaluate_with
from sweep.evaluation.own_scorers import own_scorers, scorers_code
from sweep.evaluation.pipeline_parts import Parts, parts_of
from sweep.evaluation.repeatability import why_unrepeatable
from sweep.evaluation.reuse import reuse_result
from sweep.evaluation.shared_steps import SharedSteps, data_of
from sweep.ledger.scores import mean_split_score
from sweep.ledger.study_folders import own_folder
from sweep.search.constraints import check_size
from sweep.search.promotion import step_of
from sweep.search.pruners import make_pruner
from sweep.search.repeats import seeded
from sweep.search.samplers import make_sampler
from sweep.search.splits import fewest_rows, make_splits
from sweep.spaces import suggest, without_epochs
from sweep.support.text import two_digits
from sweep.workers.epoch_reporter import EpochReporter
from sweep.workers.rungs import RungScheduler, slot_of
from sweep.workers.trial_cache import FinishedTrials

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sweep.evaluation.fit_checkpoints import FitCheckpointer
    from sweep.ledger.claims import Claim
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import Rung, SplitResult
    from sweep.search.sealed_data import TrainingRows
    from sweep.spec import SplitPrunerSection, StudySpec
    from sweep.workers.control import Control
    from sweep.workers.job import Job

UNFINISHED = "unfinished"
"""The folder of fits under way, in the study's own."""


class CellEvaluator:
    """Evaluates cells of one study; see :class:`sweep.workers.loop.Worker` for its parameters."""

    def __init__(
        self, job: Job, control: Control, ledger: Ledger, spec: StudySpec, training: TrainingRows,
        part: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        spec, shuffled = seeded(spec, part)
        self.job, self.control, self.ledger, self.spec = job, control, ledger, spec
        self._shape, self._classes = training.shape, len(training.class_names)
        splits = make_splits(spec, training.y_train, training.groups, shuffled=shuffled)
        rows = training.x_train, training.y_train
        self.data = SearchData(*rows, splits, training.positive)
        self.ended = FinishedTrials(ledger, job.study, spec.space.dimensions, spec.budget)
        self._rungs = RungScheduler(ledger, job.study, spec, self.ended, fewest_rows(splits))
        self._checkpointer: FitCheckpointer | None = None
        self._shared, self._unrepeatable = SharedSteps(), ""
        self._fitted_twice = spec.model.estimator is None

    @property
    def pauses(self) -> bool:
        """Whether a pruned trial may go on: in hyperband and successive halving."""
        return self._rungs.bracket_plan is not None

    def evaluate(self, claim: Claim) -> Evaluation:
        """Return what a cell measures."""
        rung = self._rungs.rung(claim)
        trial = None
        params, epochs = claim.params, claim.epochs
        if params is None or self.spec.search.pruner:
            trial = self._optuna_trial(claim, rung)
        if params is None:
            params = suggest(trial, self.spec.space.dimensions)
            self.ledger.view.flush_params()
            epochs = (self.spec.epochs_of(params),)
            self.control.tell("taken", trial=claim.number, params=params)
        search = self.spec.search
        check_size(self.spec, params, self._shape, self._classes, self.job.allow)
        timed = "inference_ms" in search.objectives
        request = EvaluationRequest(
            epochs, search.scorers, search.train_scores, search.curves, search.seeds, timed,
            self._own_scorers,
        )  # fmt: skip
        goes_on = rung is not None and rung.continues is not None
        reused = None if goes_on else self._reused(params, request)
        if reused:
            return reused
        parts = parts_of(make_estimator(self.spec, params, self.job.allow))
        data = data_of(parts, self.data, params, self._shared)
        found = self._score(claim, trial, params, request, rung, parts, data)
        return self._said_repeatable(found, parts, data)

    def _said_repeatable(self, found: Evaluation, parts: Parts, data: SearchData) -> Evaluation:
        """Say in a result if fits of the user's estimator under one seed differ; tried once."""
        if not self._fitted_twice:
            self._fitted_twice = True
            self._unrepeatable = why_unrepeatable(parts, data, self.spec.study.seed)
        if not self._unrepeatable:
            return found
        splits = (replace(split, unrepeatable=self._unrepeatable) for split in found.splits)
        return replace(found, splits=tuple(splits))

    def _reused(self, params: Mapping[str, Any], request: EvaluationRequest) -> Evaluation | None:
        """Return what an equal trial has measured; a grid's candidates all differ."""
        if self.spec.search.method_row.is_grid:
            return None
        fits = len(self.data.splits) * request.seeds
        ended = self.ended.complete() if self._rungs.bracket_plan else self.ended.all()
        staged, budget = self.spec.staged(params), self.spec.budget
        return reuse_result(params, request, ended, fits, staged=staged, budget=budget)

    def _store(
        self, params: Mapping[str, Any], request: EvaluationRequest
    ) -> CandidateCheckpoints | None:
        """Return where fits go on with a larger budget; None where none may come."""
        searched = self.spec.searched_epochs and not self.spec.search.method_row.is_grid
        lasting = bool((searched and request.curves) or self._rungs.bracket_plan)
        if request.timed or not (lasting or self.spec.search.pruner):
            return None
        if not self.spec.by_epoch(params):
            return None
        # another list of scorers is another study, so a checkpoint has the scores that are asked
        scorers = scorers_code(self.spec, self.job.allow)
        code = f"{self._code} {scorers}" if scorers else self._code
        code += self._rungs.told
        checkpoints = Checkpoints(self._folder / "checkpoints", code=code)
        shared = without_epochs(params, self.spec.budget)
        return CandidateCheckpoints(checkpoints, shared, self.spec.largest_epochs if lasting else 0)

    def _score(
        self,
        claim: Claim,
        trial: Any,
        params: Mapping[str, Any],
        request: EvaluationRequest,
        rung: Rung | None,
        parts: Parts,
        data: SearchData,
    ) -> Evaluation:
        last = request.epochs[-1] if rung is None else min(rung.epochs, request.epochs[-1])
        plan = self._rungs.bracket_plan
        pruner, store = self.spec.search.pruner, self._store(params, request)
        if pruner is None and store is None:
            return self._score_whole(parts, data, claim, params, request)
        from sweep.evaluation.lockstep import evaluate_in_lockstep

        def stop(epoch: float, value: float) -> bool:
            if pruner is None:
                return False
            trial.report(value, step_of(plan, epoch))
            return epoch >= rung.epochs if rung else bool(trial.should_prune())

        def tell(split: int, epoch: float, _of: int) -> None:
            where = {"epoch": two_digits(epoch), "of": two_digits(last)}
            self.control.tell("epoch", trial=claim.number, split=split, **where)

        estimator = parts.last.set_params(epochs=request.epochs[-1])
        within = {} if plan is None else plan.within
        return evaluate_in_lockstep(estimator, data, request, stop, tell, store, within)

    def _score_whole(
        self,
        parts: Parts,
        data: SearchData,
        claim: Claim,
        params: Mapping[str, Any],
        request: EvaluationRequest,
    ) -> Evaluation:
        """Run each fit from its beginning to its end, or on from where another worker left it."""
        from sweep.evaluation.fit_checkpoints import FitCheckpointer

        reporter = EpochReporter(self.control, claim.number, request.epochs[-1])
        cell = {"params": params, "epochs": request.epochs, "code": self._code}
        self._checkpointer = FitCheckpointer(self._folder / UNFINISHED, cell)
        callbacks = [self._checkpointer, reporter]
        evaluate = evaluate_with(parts, self.spec.study.seed)
        if self.spec.search.split_pruner is None:
            return evaluate(parts.last, data, request, callbacks)
        return self._by_split(parts, data, request, callbacks, self.spec.search.split_pruner)

    def _by_split(
        self,
        parts: Parts,
        data: SearchData,
        request: EvaluationRequest,
        callbacks: Sequence[Any],
        section: SplitPrunerSection,
    ) -> Evaluation:
        from sweep.evaluation.split_pruning import Rule, decide_pruning, evaluate_by_split

        total = len(self.data.splits) * request.seeds
        slowest = self.spec.search.max_fit_seconds
        rule = Rule(total, section.p, section.min_splits, section.test, slowest)

        def hopeless(measured: Sequence[SplitResult]) -> bool:
            return decide_pruning(measured, request.epochs, self.ended.complete(), rule)

        evaluate = evaluate_with(parts, self.spec.study.seed)
        return evaluate_by_split(parts.last, data, request, hopeless, callbacks, evaluate)

    def _optuna_trial(self, claim: Claim, rung: Rung | None) -> Any:
        import optuna

        sampler = make_sampler(self.spec, slot_of(claim))
        if rung is not None and rung.continues is not None:
            sampler = optuna.samplers.RandomSampler(0)  # all parameters are given
        study = self.ledger.optuna_study(self.job.study, sampler, make_pruner(self.spec))
        self.ledger.view.take(study._study_id, claim.trial_id)
        return optuna.trial.Trial(study, claim.trial_id)

    def steps(self, found: Evaluation) -> dict[int, float]:
        """Return what a trial has not reported itself, and samplers or pruners ask for."""
        if found.copied_from is not None and self.spec.search.pruner is not None:
            plan, reached = self._rungs.bracket_plan, sorted(found.splits[0].test)
            return {step_of(plan, e): mean_split_score(found.splits, e) for e in reached}
        if not found.pruned or self.spec.search.split_pruner is None:
            return {}
        return {len({split.split for split in found.splits}): found.value}

    def clear(self) -> None:
        """Remove what a cell's fits have left: its result is recorded, or its failure."""
        if self._checkpointer is not None:
            self._checkpointer.clear()
            self._checkpointer = None

    @cached_property
    def _own_scorers(self) -> dict[str, Any]:
        return own_scorers(self.spec, self.job.allow)

    @cached_property
    def _code(self) -> str:
        return code_of(self.spec, self.job.allow)

    @cached_property
    def _folder(self) -> Path:
        from sweep.evaluation.fit_checkpoints import remove_old

        folder = own_folder(self.ledger, self.job.study)
        remove_old(folder / UNFINISHED)
        return folder
