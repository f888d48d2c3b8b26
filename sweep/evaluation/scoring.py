"""Compute the study's scores and the loss of a fitted estimator from one prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import SweepError
from sweep.evaluation.own_scorers import Predicted, number_of
from sweep.spec.scorers import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

LABELS_SHOWN = 10

Asked = tuple[Any, Any]
"""An estimator, and the rows that it has predicted."""

NEEDS_LABELS = (
    "d2_brier_score", "d2_log_loss_score", "neg_brier_score", "neg_log_loss", "roc_auc_ovo",
    "roc_auc_ovo_weighted", "roc_auc_ovr", "roc_auc_ovr_weighted", "top_k_accuracy",
)  # fmt: skip
"""Scorers that need the classes of the probabilities' columns, because rows may lack a class."""


class EvaluationError(SweepError, ArithmeticError):
    """Raised when a cell's score or loss is NaN or infinite."""


class Scored(NamedTuple):
    """Scores and loss of an estimator on some rows.

    Attributes
    ----------
    score : float
        Score by the study's scorer, the first where there are several.
    loss : float
        Mean cross-entropy in nats, clipped as Keras's loss is.
    others : tuple of float
        Scores by the other scorers, in the order of the study file; NaN for one that these rows
        or this prediction do not allow.
    """

    score: float
    loss: float = math.nan
    others: tuple[float, ...] = ()

    @property
    def numbers(self) -> tuple[float, ...]:
        """Score, loss and the other scores, as a checkpoint holds them."""
        return (self.score, self.loss, *self.others)

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Scored:
        """Return what has these ``numbers``."""
        return cls(numbers[0], numbers[1], tuple(numbers[2:]))


class _Rows(NamedTuple):
    """Rows, their labels, and what an estimator has predicted for them.

    ``estimator`` is None where the prediction is made up; ``indices`` are the labels as indices of
    the study's classes; ``prediction`` answers like a fitted classifier.
    """

    estimator: Any
    X: Any
    y: Any
    indices: NDArray[Any]
    prediction: Any


class Scoring:
    """Scores fitted estimators with scorers of scikit-learn, or of the person's own.

    Labels are passed to the scorer as indices of the study's classes, whatever classes a split was
    trained on; a class that it was not trained on has probability 0. The positive one of two
    classes has index 1, where every scorer expects it. A scorer of one's own gets the rows, the
    study's own labels, and the estimator with its prediction of these rows made already.

    Parameters
    ----------
    names : str or sequence of str
        The scorers' names, the one that ranks first.
    labels : array-like of label
        Labels of the study, with each class at least once.
    positive : label, optional
        The positive one of two classes; default: the second in sorted order.
    own : mapping of str to callable, optional
        Those of the scorers that are the person's own.
    """

    def __init__(
        self, names: str | Sequence[str], labels: ArrayLike, positive: Any = None,
        own: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self._own = own or {}
        self._scorers = {
            name: self._own[name] if name in self._own else scorer_of(name)
            for name in listed(names)
        }
        classes = np.unique(labels)
        reverse = len(classes) == 2 and positive is not None and positive == classes[0]
        self._classes = classes[::-1] if reverse else classes

    @property
    def has_own(self) -> bool:
        """Whether one of the scorers is the person's own."""
        return bool(self._own)

    def __call__(self, estimator: Any, X: Any, y: Any, epoch: float) -> Scored:
        """Return the scores and the loss of rows, from one prediction.

        Raises
        ------
        EvaluationError
            If the first score is NaN or infinite.
        """
        proba = estimator.predict_proba(X)
        return self.scored(estimator.classes_, proba, y, epoch, (estimator, X))

    def scored(
        self, classes: Any, proba: NDArray[Any], y: Any, epoch: float, asked: Asked = (None, None)
    ) -> Scored:
        """Return scores and loss from probabilities of the classes that an estimator knows.

        A scorer of the person's own needs what was asked too: the estimator and the rows.
        """
        columns = self._indices(classes)
        of_all = np.zeros((len(proba), len(self._classes)), proba.dtype)
        of_all[:, columns] = proba
        prediction = Prediction(of_all, columns[proba.argmax(axis=1)])
        loss = log_loss(of_all, self._indices(y))
        return self._measured(prediction, y, epoch, loss, asked)

    def of_any(self, estimator: Any, X: Any, y: Any, asked: Asked | None = None) -> Scored:
        """Return scores and loss of rows by any fitted classifier of scikit-learn.

        Scorers see what it has itself: ``predict``, and ``predict_proba`` or ``decision_function``
        where it has them. Without probabilities the loss is NaN. ``asked`` is the estimator and the
        rows that scorers of the person's own see, if these are others.
        """
        from sweep.evaluation.any_classifier import prediction_of

        prediction, proba = prediction_of(estimator, X, self._indices, len(self._classes))
        loss = math.nan if proba is None else log_loss(proba, self._indices(y))
        return self._measured(prediction, y, 1, loss, asked or (estimator, X))

    def _measured(self, prediction: Any, y: Any, epoch: float, loss: float, asked: Asked) -> Scored:
        first, *others = self._scorers
        rows = _Rows(*asked, y, self._indices(y), prediction)
        score = checked_score(self._first_score(first, rows), epoch)
        more = tuple(self._score_or_nan(name, rows) for name in others)
        return Scored(score, loss, more)

    def _first_score(self, name: str, rows: _Rows) -> float:
        try:
            return self._score(name, rows)
        except AttributeError as error:
            if name in self._own:
                raise
            kind = type(rows.estimator).__name__
            why = str(error).replace(type(rows.prediction).__name__, kind)
            raise EvaluationError(
                f'scoring = "{name}": {why} Take a scorer of predicted classes, as "accuracy"'
            ) from error

    def trial_score(self, X: Any, y: Any, turn: int) -> float:
        """Return the first score of a made-up prediction of the first two rows of each class.

        It serves to find out whether the scorer accepts the labels. Probabilities are equal; of the
        two rows of a class one is predicted as the first class and one as the second, or with
        another ``turn`` as the next ones.
        """
        indices = self._indices(y)
        order, counts = np.argsort(indices, kind="stable"), np.bincount(indices)
        number = np.arange(len(indices)) - np.repeat(np.cumsum(counts) - counts, counts)
        few, n_classes = order[number < 2], len(self._classes)
        guess = (number[number < 2] + turn) % n_classes
        even = np.full((len(few), n_classes), 1 / n_classes)
        made_up = Prediction(even, guess)
        rows = _Rows(None, X[few], np.asarray(y)[few], indices[few], made_up)
        return self._score(next(iter(self._scorers)), rows)

    def _score_or_nan(self, name: str, rows: _Rows) -> float:
        try:
            score = self._score(name, rows)
        except (ArithmeticError, AttributeError, ValueError):  # or it has no probabilities
            if name in self._own:  # a fault of that code, which the person must see
                raise
            return math.nan
        return score if math.isfinite(score) else math.nan

    def _score(self, name: str, rows: _Rows) -> float:
        from sklearn import config_context

        scorer, prediction, indices = self._scorers[name], rows.prediction, rows.indices
        if name in self._own:
            return self._own_score(scorer, rows)
        if name not in NEEDS_LABELS:
            return float(scorer(prediction, None, indices))
        with config_context(enable_metadata_routing=True):  # else scorers take no `labels`
            return float(scorer(prediction, None, indices, labels=prediction.classes_))

    def _own_score(self, scorer: Any, rows: _Rows) -> float:
        order, proba = np.argsort(self._classes), None
        if hasattr(rows.prediction, "predict_proba"):
            proba = rows.prediction.predict_proba(None)[:, order]
        guess = self._classes[rows.prediction.predict(None)]
        known = Predicted(rows.estimator, rows.X, self._classes[order], proba, guess)
        return number_of(scorer, known, rows.X, rows.y)

    def _indices(self, labels: Any) -> NDArray[np.intp]:
        order = np.argsort(self._classes)
        places = np.searchsorted(self._classes, labels, sorter=order)
        indices: NDArray[np.intp] = order[np.minimum(places, len(order) - 1)]
        if (strange := np.asarray(self._classes[indices] != labels)).any():
            found = np.asarray(labels)[strange][0]
            known = ", ".join(map(str, np.sort(self._classes)[:LABELS_SHOWN]))
            raise EvaluationError(
                f"the estimator knows or predicts the label {found!s}, which is none of the data's "
                f"({known}{', ...' if len(self._classes) > LABELS_SHOWN else ''}); have it predict "
                "self.classes_[index], not the index"
            )
        return indices


class Prediction:
    """A finished prediction in the form of a fitted classifier, as scikit-learn's scorers need it.

    Parameters
    ----------
    proba : ndarray of shape (n, n_classes)
        Probabilities.
    guess : ndarray of shape (n,)
        Index of the predicted class of each row.
    """

    def __init__(self, proba: NDArray[Any], guess: NDArray[Any]) -> None:
        self._proba, self._guess = proba, guess
        self.classes_ = np.arange(proba.shape[1])

    def predict_proba(self, _X: Any) -> NDArray[Any]:
        """Return the probabilities."""
        return self._proba

    def predict(self, _X: Any) -> NDArray[Any]:
        """Return the class of each row."""
        return self._guess

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        kind = ClassifierTags()
        return Tags("classifier", TargetTags(required=True), classifier_tags=kind)


def log_loss(proba: NDArray[Any], indices: NDArray[Any]) -> float:
    """Return the mean cross-entropy of probabilities with the indices of the true classes."""
    chosen = proba[np.arange(len(indices)), indices].astype(np.float64)
    return float(-np.log(np.clip(chosen, np.finfo(np.float32).eps, 1)).mean())


def scorer_of(name: str) -> Callable[..., float]:
    """Return scikit-learn's scorer of that name."""
    from sklearn.metrics import get_scorer

    scorer: Callable[..., float] = get_scorer(name)
    return scorer


def checked_score(score: float, epoch: float) -> float:
    """Return the score if it is a finite number.

    Raises
    ------
    EvaluationError
        If it is NaN or infinite.
    """
    if not math.isfinite(score):
        raise EvaluationError(f"the score after epoch {epoch} is {score}, not a number")
    return float(score)
