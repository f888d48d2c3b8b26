"""Evaluate one configuration epoch by epoch, all splits side by side, so that it can be pruned."""

from __future__ import annotations

import time
from collections.abc import Callable
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
    nth_seed,
    split_result,
    whole_model,
    with_weights,
)
from sweep.evaluation.reuse import results_until
from sweep.evaluation.scoring import Scored

if TYPE_CHECKING:
    from sweep.evaluation.checkpoints import Store
    from sweep.ledger.records import SplitResult

Stop = Callable[[int, float], bool]
Tell = Callable[[int, int, int], None]


def evaluate_in_lockstep(
    estimator: Any,
    data: SearchData,
    asked: EvaluationRequest,
    stop: Stop,
    tell: Tell,
    store: Store | None = None,
) -> Evaluation:
    """Train every split by one epoch, under every seed, score, ask whether to go on.

    The scores equal those of :func:`sweep.evaluation.cross_validation.evaluate`, epoch by epoch.

    Parameters
    ----------
    estimator : estimator
        Unfitted, its parameters set.
    data : SearchData
        Training rows and splits.
    asked : Asked
        What to score; the last epoch's mean is the value.
    stop : callable
        ``stop(epoch, mean_score) -> bool``: give this configuration up?
    tell : callable
        ``tell(fit, epoch, of)`` after each epoch; fits are counted seed by seed.
    store : Store, optional
        Where fits are continued from, and left for a larger budget; the result is the same to the
        last bit, since a fit is a pure function of seed and epoch.

    Returns
    -------
    Evaluation
        ``pruned`` if it was given up; its value is then the last epoch's mean.
    """
    places = product(range(asked.seeds), range(len(data.splits)))
    lanes = [_Lane(estimator, data, split, seed, asked) for seed, split in places]
    last = asked.epochs[-1]
    if store is not None:
        for lane in lanes:
            lane.resume(store, last)
    pace = CheckpointInterval()
    for epoch in range(1, last + 1):
        for number, lane in enumerate(lanes):
            if epoch not in lane.scores:
                lane.step(epoch)
            tell(number, epoch, last)
        if store is not None and pace.due():
            with pace.writing():
                for lane in lanes:
                    lane.hold(store)
        value = float(np.mean([lane.scores[epoch].score for lane in lanes]))
        if stop(epoch, value) and epoch < last:
            return _evaluation(lanes, value, epoch, store, pruned=True)
    for lane in lanes:
        lane.finish()
    return _evaluation(lanes, value, last, store, pruned=False)


class _Lane:
    """One split's estimator under one seed, trained an epoch at a time."""

    def __init__(
        self, estimator: Any, data: SearchData, split: int, seed: int, asked: EvaluationRequest
    ) -> None:
        self._split, self._seed = split, seed
        train, test = data.splits[split]
        self._train, self._test = (data.x[train], data.y[train]), (data.x[test], data.y[test])
        self._asked = asked
        self._scoring = data.scoring(asked.scoring)
        self._seconds, self._trained = 0.0, False
        self._train_scores: dict[int, float] = {}
        self.estimator = with_weights(clone(estimator), data.y)
        if seed:
            self.estimator.set_params(random_state=nth_seed(estimator, seed))
        self.scores: dict[int, Scored] = {}

    def resume(self, store: Store, last: int) -> None:
        found = store.resume(self.estimator, self._split, self._seed, last)
        self.scores = {epoch: Scored(*both) for epoch, both in found.items()}

    def hold(self, store: Store) -> None:
        store.hold(self.estimator, self._split, self._seed, self.scores)

    def keep(self, store: Store) -> None:
        if self._trained:
            store.keep(self.estimator, self._split, self._seed, self.scores)

    def step(self, epoch: int) -> None:
        self._trained = True
        self.estimator.partial_fit(*self._train)
        began = time.perf_counter()
        self.scores[epoch] = self._scoring(self.estimator, *self._test, epoch)
        self._seconds = time.perf_counter() - began

    def finish(self) -> None:
        if self._asked.train_scores:
            epoch = self._asked.epochs[-1]
            self._train_scores[epoch] = self._scoring(self.estimator, *self._train, epoch).score

    def result(self, epoch: int) -> SplitResult:
        plain = split_result(self.estimator, self.scores, self._seconds, len(self._test[1]))
        whole = replace(plain, train=self._train_scores, split=self._split, seed=self._seed)
        return results_until(whole, epoch)


def _evaluation(
    lanes: list[_Lane], value: float, epoch: int, store: Store | None, *, pruned: bool
) -> Evaluation:
    if store is not None:
        for lane in lanes:
            lane.keep(store)
    layers = whole_model(lane.estimator.layer_table() for lane in lanes)
    return Evaluation(tuple(lane.result(epoch) for lane in lanes), layers, value, pruned)
