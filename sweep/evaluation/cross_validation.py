"""Evaluate one cell with scikit-learn's GridSearchCV, with scores at several epochs of each fit."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.evaluation.scoring import EvaluationError, Scored, Scoring
from sweep.ledger.records import SplitResult
from sweep.ledger.scores import best_mean_score
from sweep.spec.scorers import column_of, listed
from sweep.support.layer import total_parameters

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sweep.search.splits import Split
    from sweep.support.layer import Layer

CHECKPOINT_BYTES = 256 * 2**20
"""Most memory for the weights of all epochs of a fit; above it only the cell's epochs count."""

PREDICTIONS = 5
"""Timed predictions of the held-out rows; the scoring before has warmed the model up."""


class SplitRows(NamedTuple):
    """Training and held-out rows of one split, as a classifier gets them.

    Attributes
    ----------
    x_train, y_train, x_held, y_held : array-like
        Rows and labels.
    seconds : float
        Seconds of fitting what prepared them.
    prepare_ms : float
        Milliseconds of preparing 1,000 rows.
    """

    x_train: Any
    y_train: Any
    x_held: Any
    y_held: Any
    seconds: float = 0.0
    prepare_ms: float = 0.0


@dataclass(frozen=True)
class SearchData:
    """The rows that a search uses: training rows, and never the test set.

    Attributes
    ----------
    x : ndarray of shape (n, ...)
        Pixels.
    y : ndarray of shape (n,)
        Labels.
    splits : sequence of (train, test)
        Row numbers.
    positive : label, optional
        The positive class of two; default: the second.
    """

    x: np.ndarray
    y: np.ndarray
    splits: Sequence[Split]
    positive: Any = None

    def scoring(self, request: EvaluationRequest) -> Scoring:
        """Return scorers for the classes of these rows."""
        return Scoring(request.scoring, self.y, self.positive, request.own)

    def rows(self, split: int, _seed: int = 0) -> SplitRows:
        """Return the rows of a split, counted from 0, for the fit under a seed."""
        train, test = self.splits[split]
        return SplitRows(self.x[train], self.y[train], self.x[test], self.y[test])


@dataclass(frozen=True)
class EvaluationRequest:
    """What an evaluation measures.

    Attributes
    ----------
    epochs : tuple of int
        Epochs to score, ascending.
    scoring : str or tuple of str
        Names of scorers in scikit-learn, the one that ranks first.
    train_scores : bool
        Score the training rows too, at these epochs.
    curves : bool
        Score the held-out rows after every epoch.
    seeds : int
        Fits of each split: under the estimator's ``random_state``, that plus 1, and so on.
    timed : bool
        Time predicting the held-out rows.
    own : mapping of str to callable
        Those of the scorers that are the person's own.
    """

    epochs: tuple[int, ...]
    scoring: str | tuple[str, ...] = "accuracy"
    train_scores: bool = False
    curves: bool = True
    seeds: int = 1
    timed: bool = False
    own: Mapping[str, Any] = field(default_factory=dict)

    @property
    def others(self) -> tuple[str, ...]:
        """The scorers behind the first, as tables call them."""
        return tuple(map(column_of, listed(self.scoring)[1:]))


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation.

    ``value`` is the best mean score over the requested epochs. ``copied_from`` is the number of the
    trial that the result is copied from, if nothing was trained.
    """

    splits: tuple[SplitResult, ...]
    layers: tuple[Layer, ...]
    value: float
    pruned: bool = False
    copied_from: int | None = None


def evaluate(
    estimator: Any, data: SearchData, request: EvaluationRequest, callbacks: Iterable[Any] = ()
) -> Evaluation:
    """Cross-validate one configuration.

    A ``GridSearchCV`` over the seeds only (fixed splits, no refit) makes the fits. A scorer scores
    the estimator at each epoch; this equals separate fits, because a fit is a pure function of
    seed and epoch.

    Parameters
    ----------
    estimator : estimator
        Unfitted, its parameters set.
    data : SearchData
        Training rows and splits.
    request : EvaluationRequest
        What to measure.
    callbacks : iterable of scikit-learn callbacks
        Called at each split and epoch.

    Raises
    ------
    EvaluationError
        If a score is not a finite number.
    """
    from sklearn.model_selection import GridSearchCV

    last = request.epochs[-1]
    scorer = StagedScorer(request, len(data.splits), data.scoring(request))
    checkpoints = range(1, last + 1)
    candidate = with_weights(estimator, data.y).set_params(
        epochs=last, checkpoint_epochs=checkpoints
    )
    search = GridSearchCV(
        candidate,
        {"epochs": [last], **_seed_grid(candidate, request.seeds)},
        scoring=scorer,
        cv=list(data.splits),
        refit=False,
        n_jobs=None,
        error_score="raise",
        return_train_score=request.train_scores,
    )
    if callbacks := list(callbacks):
        search.set_callbacks(*callbacks)
    search.fit(data.x, data.y)
    return Evaluation(tuple(scorer.splits), scorer.layers, scorer.value())


class StagedScorer:
    """A scorer that scores an estimator at every requested epoch and collects split results.

    scikit-learn calls it with the held-out rows of a split and then, with ``return_train_score``,
    with the training rows. It returns one number for each epoch, like a multimetric scorer.
    """

    def __init__(self, request: EvaluationRequest, n_splits: int, scoring: Scoring) -> None:
        self.request = request
        self.n_splits = n_splits
        self.splits: list[SplitResult] = []
        self.layers: tuple[Layer, ...] = ()
        self._scoring = scoring
        self._last: Any = None

    def __call__(self, estimator: Any, X: Any, y: Any) -> dict[str, float]:
        """Score one split's rows, epoch by epoch."""
        if estimator is self._last:  # the second call for a split: its training rows
            scores = self._score(estimator, X, y, self.request.epochs)
            others = other_scores(scores, self.request.others)
            self.splits[-1] = replace(
                self.splits[-1], train=plain_scores(scores), train_others=others
            )
        else:
            self._last = estimator
            scores = self._score_new(estimator, X, y)
        return {f"epoch_{epoch}": scores[epoch].score for epoch in self.request.epochs}

    def value(self) -> float:
        """Return the best mean test score over the requested epochs."""
        return best_mean_score(self.splits, self.request.epochs)

    def _score_new(self, estimator: Any, X: Any, y: Any) -> dict[float, Scored]:
        epochs = self._scored_epochs(estimator)
        began = time.perf_counter()
        scores = self._score(estimator, X, y, epochs)
        seconds = (time.perf_counter() - began) / len(epochs)
        seed, split = divmod(len(self.splits), self.n_splits)  # GridSearchCV: seed by seed
        found = split_result(estimator, scores, seconds, len(y), self.request.others)
        timed = inference_ms(estimator, X) if self.request.timed else None
        self.splits.append(replace(found, split=split, seed=seed, inference_ms=timed))
        self.layers = whole_model([self.layers, estimator.layer_table()])
        return scores

    def _score(self, estimator: Any, X: Any, y: Any, epochs: Iterable[int]) -> dict[float, Scored]:
        return {epoch: self._scoring(estimator.at_epoch(epoch), X, y, epoch) for epoch in epochs}

    def _scored_epochs(self, estimator: Any) -> list[int]:
        size = sum(weights.nbytes for weights in estimator._state.weights)
        all_fit = self.request.curves and size * estimator.n_epochs_ <= CHECKPOINT_BYTES
        every = range(1, estimator.n_epochs_ + 1) if all_fit else ()
        return sorted({*every, *self.request.epochs})


def with_weights(estimator: Any, labels: NDArray[Any]) -> Any:
    """Set the weight 1 for classes that a table of class weights leaves out.

    It must be done with the labels of all rows: a split may lack classes that the table names.
    """
    given = estimator.get_params(deep=False).get("class_weight")
    if isinstance(given, Mapping):
        named = {str(label): weight for label, weight in given.items()}
        rest = dict.fromkeys(map(str, np.unique(labels).tolist()), 1.0)
        estimator.set_params(class_weight={**rest, **named})
    return estimator


def whole_model(tables: Iterable[tuple[Layer, ...]]) -> tuple[Layer, ...]:
    """Return the largest model of a cell's fits: a fit without rows of a class is smaller."""
    return max(tables, key=total_parameters)


def nth_seed(estimator: Any, number: int) -> int:
    """Return the ``random_state`` of the fits under the seed of that number, counted from 0."""
    return int((estimator.get_params()["random_state"] or 0) + number) % 2**32


def _seed_grid(estimator: Any, seeds: int) -> dict[str, list[int]]:
    """Return a grid of the seeds' ``random_state``; empty for a single seed."""
    if seeds == 1:
        return {}
    return {"random_state": [nth_seed(estimator, number) for number in range(seeds)]}


def inference_ms(estimator: Any, X: Any) -> float:
    """Return the milliseconds of predicting 1,000 rows: the median of several predictions."""
    spent = []
    for _ in range(PREDICTIONS):
        began = time.perf_counter()
        estimator.predict(X)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) * 1e6 / len(X)


def split_result(
    estimator: Any,
    scores: Mapping[float, Scored],
    score_seconds: float,
    n_test: int,
    others: Sequence[str] = (),
) -> SplitResult:
    """Return the result of one fitted estimator on its split."""
    history = {n: tuple(values) for n, values in estimator.history_.items() if n != "seconds"}
    if not all(math.isfinite(loss) for loss in history["loss"]):
        bad = next(i for i, loss in enumerate(history["loss"], 1) if not math.isfinite(loss))
        raise EvaluationError(f"the loss is {history['loss'][bad - 1]} in epoch {bad}")
    seconds = _seconds_by_epoch(estimator, scores)
    losses = {e: scored.loss for e, scored in scores.items() if math.isfinite(scored.loss)}
    start, taken = estimator.start_
    return SplitResult(
        plain_scores(scores), {}, seconds, score_seconds, history, n_test,
        losses=losses, unrepeatable=estimator.unrepeatable_, others=other_scores(scores, others),
        start=start, taken=taken,
    )  # fmt: skip


def _seconds_by_epoch(estimator: Any, scored: Iterable[float]) -> dict[float, float]:
    """Return the seconds of fitting to the scored epochs, pauses in the first one, and the end."""
    spent, within = estimator.history_["seconds"], estimator.part_seconds_
    ended = {*scored, len(spent)} - {*within, 0}
    return {**within, **{e: spent[min(int(e), len(spent)) - 1] for e in ended}}


def after_steps(result: SplitResult, rows: SplitRows) -> SplitResult:
    """Return the result of a last step with the time of the steps before it."""
    seconds = {epoch: value + rows.seconds for epoch, value in result.seconds.items()}
    ms = None if result.inference_ms is None else result.inference_ms + rows.prepare_ms
    return replace(result, seconds=seconds, inference_ms=ms)


def plain_scores(scores: Mapping[float, Scored]) -> dict[float, float]:
    """Return the first scorer's scores alone, by epoch."""
    return {epoch: scored.score for epoch, scored in scores.items()}


def other_scores(
    scores: Mapping[float, Scored], names: Sequence[str]
) -> dict[str, dict[float, float | None]]:
    """Return the other scorers' scores by name and epoch; None for one without a number."""
    return {
        name: {epoch: _number(scored.others[place]) for epoch, scored in scores.items()}
        for place, name in enumerate(names)
    }


def _number(score: float) -> float | None:
    return score if math.isfinite(score) else None
