"""Evaluate one configuration epoch by epoch on all splits together, so that it can be pruned."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from sweep.evaluation.checkpoint_interval import CheckpointInterval
from sweep.evaluation.cross_validation import (
    Evaluation,
    EvaluationRequest,
    SearchData,
    after_steps,
    nth_seed,
    other_scores,
    plain_scores,
    split_result,
    whole_model,
    with_weights,
)
from sweep.evaluation.reuse import results_until
from sweep.evaluation.scoring import Scored

if TYPE_CHECKING:
    from sweep.evaluation.checkpoints import CandidateCheckpoints
    from sweep.ledger.records import SplitResult

Stop = Callable[[float, float], bool]
Report = Callable[[int, float, int], None]


def evaluate_in_lockstep(
    estimator: Any,
    data: SearchData,
    request: EvaluationRequest,
    stop: Stop,
    report: Report,
    store: CandidateCheckpoints | None = None,
    within: Mapping[float, int] | None = None,
) -> Evaluation:
    """Train the fits of all splits and seeds epoch by epoch; after each epoch score, maybe prune.

    The scores equal those of :func:`sweep.evaluation.cross_validation.evaluate`, epoch by epoch.

    Parameters
    ----------
    estimator : estimator
        Unfitted, its parameters set.
    data : SearchData
        Training rows and splits.
    request : EvaluationRequest
        What to measure; the last epoch's mean is the value.
    stop : callable
        ``stop(epoch, mean_score) -> bool``: whether to prune this configuration.
    report : callable
        ``report(fit, epoch, of)`` after each epoch; fits are counted seed by seed.
    store : CandidateCheckpoints, optional
        Checkpoints to continue fits from, and to save them to. The result is the same to the last
        bit, because a fit is a pure function of seed and epoch.
    within : mapping of float to int, optional
        Pauses within the first epoch, where fits are scored too: from its share to training rows,
        which each candidate rounds up to whole batches.

    Returns
    -------
    Evaluation
        ``pruned`` if ``stop`` returned True; its value is then the last epoch's mean.
    """
    pairs = product(range(request.seeds), range(len(data.splits)))
    within = within or {}
    fits = [_Fit(estimator, data, split, seed, request, within) for seed, split in pairs]
    last = request.epochs[-1]
    if store is not None:
        for fit in fits:
            fit.resume(store, last)
    interval = CheckpointInterval()
    for epoch in (*sorted(within), *range(1, last + 1)):
        for number, fit in enumerate(fits):
            if epoch not in fit.scores:
                fit.step(epoch)
            report(number, epoch, last)
        if store is not None and interval.due():
            with interval.writing():
                for fit in fits:
                    fit.save(store)
        value = float(np.mean([fit.scores[epoch].score for fit in fits]))
        if stop(epoch, value) and epoch < last:
            return _evaluation(fits, value, epoch, store, pruned=True)
    for fit in fits:
        fit.score_training_rows()
    return _evaluation(fits, value, last, store, pruned=False)


class _Fit:
    """One split's estimator under one seed, trained one epoch at a time."""

    def __init__(
        self, estimator: Any, data: SearchData, split: int, seed: int, request: EvaluationRequest,
        within: Mapping[float, int],
    ) -> None:  # fmt: skip
        self._split, self._seed, self._within = split, seed, within
        rows = data.rows(split, seed)
        self._train, self._test = (rows.x_train, rows.y_train), (rows.x_held, rows.y_held)
        self._rows = rows
        self._request = request
        self._scoring = data.scoring(request)
        self._seconds, self._trained = 0.0, False
        self._train_scores: dict[float, Scored] = {}
        self.estimator = with_weights(clone(estimator), data.y)
        if seed:
            self.estimator.set_params(random_state=nth_seed(estimator, seed))
        self.scores: dict[float, Scored] = {}

    def resume(self, store: CandidateCheckpoints, last: int) -> None:
        found = store.resume(self.estimator, self._split, self._seed, last)
        self.scores = {e: Scored.of(numbers) for e, numbers in found.items()}

    def save(self, store: CandidateCheckpoints) -> None:
        store.save(self.estimator, self._split, self._seed, self._numbers())

    def finish(self, store: CandidateCheckpoints) -> None:
        if self._trained:  # else its checkpoint is still the one that it was resumed from
            store.finish(self.estimator, self._split, self._seed, self._numbers())

    def _numbers(self) -> dict[float, tuple[float, ...]]:
        return {epoch: scored.numbers for epoch, scored in self.scores.items()}

    def step(self, epoch: float) -> None:
        """Train to the end of an epoch, or as far as a share of the first one; score it."""
        self._trained = True
        if epoch in self._within:
            self.estimator.fit_within_epoch(*self._train, self._within[epoch], epoch)
        else:
            self.estimator.partial_fit(*self._train)
        began = time.perf_counter()
        self.scores[epoch] = self._scoring(self.estimator, *self._test, epoch)
        self._seconds = time.perf_counter() - began

    def score_training_rows(self) -> None:
        if self._request.train_scores:
            epoch = self._request.epochs[-1]
            self._train_scores[epoch] = self._scoring(self.estimator, *self._train, epoch)

    def result(self, epoch: float) -> SplitResult:
        others, rows = self._request.others, len(self._test[1])
        plain = split_result(self.estimator, self.scores, self._seconds, rows, others)
        trained = self._train_scores
        whole = replace(
            plain,
            train=plain_scores(trained),
            train_others=other_scores(trained, others) if trained else {},
            split=self._split,
            seed=self._seed,
        )
        return results_until(after_steps(whole, self._rows), epoch)


def _evaluation(
    fits: list[_Fit],
    value: float,
    epoch: float,
    store: CandidateCheckpoints | None,
    *,
    pruned: bool,
) -> Evaluation:
    if store is not None:
        for fit in fits:
            fit.finish(store)
    layers = whole_model(fit.estimator.layer_table() for fit in fits)
    return Evaluation(tuple(fit.result(epoch) for fit in fits), layers, value, pruned)
