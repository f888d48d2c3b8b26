"""Cross-validate an estimator of the user's own: what fits one split, by its last step."""

from __future__ import annotations

import random
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.evaluation.cross_validation import (
    Evaluation,
    after_steps,
    evaluate,
    inference_ms,
    nth_seed,
    other_scores,
    plain_scores,
    whole_model,
)
from sweep.evaluation.own_estimator import with_seed
from sweep.evaluation.pipeline_parts import unfitted
from sweep.evaluation.shared_steps import alone, in_memory
from sweep.ledger.records import SplitResult
from sweep.ledger.scores import best_mean_score

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, SplitRows
    from sweep.evaluation.pipeline_parts import Parts

    Evaluate = Callable[[Any, SearchData, EvaluationRequest, Iterable[Any]], Evaluation]


def evaluate_with(parts: Parts, seed: int = 0) -> Evaluate:
    """Return what evaluates a candidate, given its last step, data, a request and callbacks.

    Parameters
    ----------
    parts : Parts
        The candidate.
    seed : int
        The study's seed.
    """
    if not parts.ours:
        return partial(evaluate_any, study_seed=seed)
    return evaluate_after_steps if parts.steps else evaluate


def evaluate_after_steps(
    last: Any, data: SearchData, request: EvaluationRequest, callbacks: Iterable[Any] = ()
) -> Evaluation:
    """Evaluate a classifier of sweep's on rows that the steps before it hand on, split by split.

    The scores are those of the whole pipeline: see
    :func:`sweep.evaluation.cross_validation.evaluate`.
    """
    once, each_time = replace(request, seeds=1), list(callbacks)
    found: list[SplitResult] = []
    layers = []
    for seed, split in product(range(request.seeds), range(len(data.splits))):
        rows = data.rows(split, seed)
        seeded = unfitted(last).set_params(random_state=nth_seed(last, seed))
        of_split = evaluate(seeded, alone(data, rows), once, each_time)
        result = after_steps(of_split.splits[0], rows)
        found.append(replace(result, split=split, seed=seed))
        layers.append(of_split.layers)
    return Evaluation(tuple(found), whole_model(layers), best_mean_score(found, request.epochs))


def evaluate_any(
    last: Any,
    data: SearchData,
    request: EvaluationRequest,
    callbacks: Iterable[Any] = (),
    *,
    study_seed: int = 0,
) -> Evaluation:
    """Cross-validate any classifier of scikit-learn: one score for each split and seed.

    Parameters
    ----------
    last : estimator
        Unfitted, its parameters set; the last step of a pipeline, or the whole.
    data : SearchData
        Training rows and splits.
    request : EvaluationRequest
        What to measure; ``epochs`` is 1.
    callbacks : iterable
        Those with a method ``fit_ended`` are told of every fit.
    study_seed : int
        The study's seed, for what has no ``random_state``: global generators are seeded.
    """
    scoring, told = data.scoring(request), list(callbacks)
    found: list[SplitResult] = []
    for seed, split in product(range(request.seeds), range(len(data.splits))):
        rows = in_memory(data.rows(split, seed))
        with global_generators(study_seed + seed):
            fresh = with_seed(unfitted(last), seed)
            result = _fit_and_score(fresh, rows, scoring, request)
        found.append(replace(result, split=split, seed=seed))
        for each in told:
            if hasattr(each, "fit_ended"):
                each.fit_ended(len(found) - 1)
    return Evaluation(tuple(found), (), best_mean_score(found, request.epochs))


def _fit_and_score(
    estimator: Any, rows: SplitRows, scoring: Any, request: EvaluationRequest
) -> SplitResult:
    epoch = request.epochs[-1]
    began = time.perf_counter()
    estimator.fit(rows.x_train, rows.y_train)
    fitted = time.perf_counter()
    scored = scoring.of_any(estimator, rows.x_held, rows.y_held)
    ended = time.perf_counter()
    ms = inference_ms(estimator, rows.x_held) + rows.prepare_ms if request.timed else None
    trained: dict[float, Any] = {}
    if request.train_scores:
        trained = {epoch: scoring.of_any(estimator, rows.x_train, rows.y_train)}
    return SplitResult(
        {epoch: scored.score},
        plain_scores(trained),
        {epoch: fitted - began + rows.seconds},
        ended - fitted,
        n_test=len(rows.y_held),
        inference_ms=ms,
        losses={epoch: scored.loss} if np.isfinite(scored.loss) else {},
        others=other_scores({epoch: scored}, request.others),
        train_others=other_scores(trained, request.others) if trained else {},
    )


@contextmanager
def global_generators(seed: int) -> Iterator[None]:
    """Seed inside what draws without a ``random_state``: Python, NumPy, Keras and PyTorch.

    The caller's state of the first two is restored.
    """
    number = seed % 2**32
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller's, restored below
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    if (keras := sys.modules.get("keras")) is not None:
        keras.utils.set_random_seed(number)
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(number)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002
