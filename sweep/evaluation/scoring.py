"""Scores of a fitted estimator: the study's scorer and the loss, from one prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import SweepError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

LAID_OUT = (
    "d2_brier_score", "d2_log_loss_score", "neg_brier_score", "neg_log_loss", "roc_auc_ovo",
    "roc_auc_ovo_weighted", "roc_auc_ovr", "roc_auc_ovr_weighted", "top_k_accuracy",
)  # fmt: skip
"""Scorers that must be told which class a column of probabilities is of; rows may lack some."""


class EvaluationError(SweepError, ArithmeticError):
    """A cell whose scores are no numbers."""


class Scored(NamedTuple):
    """What rows say of an estimator.

    Attributes
    ----------
    score : float
        The study's scorer.
    loss : float
        Mean cross-entropy in nats, clipped as Keras's loss is.
    """

    score: float
    loss: float = math.nan


class Scoring:
    """Scores fitted estimators by a scorer of scikit-learn.

    Scorers see labels as their places among the study's classes, whatever classes a fold has
    seen: one that it has not seen has the probability 0. Of two classes the positive one stands
    second, as label 1, where every scorer looks for it.

    Parameters
    ----------
    name : str
        The scorer's name.
    labels : array-like of label
        Labels of the study, each class once or more.
    positive : label, optional
        The positive one of two; the second in sorted order without it.
    """

    def __init__(self, name: str, labels: ArrayLike, positive: Any = None) -> None:
        self._scorer, self._name = scorer_of(name), name
        classes = np.unique(labels)
        turned = len(classes) == 2 and positive is not None and positive == classes[0]
        self._classes = classes[::-1] if turned else classes

    def __call__(self, estimator: Any, X: Any, y: Any, epoch: int) -> Scored:
        """Score rows, which are predicted once.

        Raises
        ------
        EvaluationError
            If the score is NaN or infinite.
        """
        return self.scored(estimator.classes_, estimator.predict_proba(X), y, epoch)

    def scored(self, seen: Any, proba: NDArray[Any], y: Any, epoch: int) -> Scored:
        """Score probabilities of the classes that an estimator has seen."""
        places, columns = self._places(y), self._places(seen)
        laid_out = np.zeros((len(proba), len(self._classes)), proba.dtype)
        laid_out[:, columns] = proba
        score = self._score(Prediction(laid_out, columns[proba.argmax(axis=1)]), places)
        return Scored(checked_score(score, epoch), log_loss(laid_out, places))

    def tried(self, y: Any, turn: int) -> float:
        """Score a prediction that knows nothing, of the first two rows of each class.

        Probabilities are even; of the two rows one is taken for the first class and one for the
        second, or with another ``turn`` for the next ones.
        """
        places = self._places(y)
        order, counts = np.argsort(places, kind="stable"), np.bincount(places)
        number = np.arange(len(places)) - np.repeat(np.cumsum(counts) - counts, counts)
        few, n_classes = order[number < 2], len(self._classes)
        guess = (number[number < 2] + turn) % n_classes
        even = np.full((len(few), n_classes), 1 / n_classes)
        return self._score(Prediction(even, guess), places[few])

    def _score(self, said: Prediction, places: NDArray[Any]) -> float:
        from sklearn import config_context

        if self._name not in LAID_OUT:
            return float(self._scorer(said, None, places))
        with config_context(enable_metadata_routing=True):
            return float(self._scorer(said, None, places, labels=said.classes_))

    def _places(self, labels: Any) -> NDArray[np.intp]:
        order = np.argsort(self._classes)
        places: NDArray[np.intp] = order[np.searchsorted(self._classes, labels, sorter=order)]
        return places


class Prediction:
    """What was predicted of some rows, in the form of a fitted classifier of scikit-learn.

    Parameters
    ----------
    proba : ndarray of shape (n, n_classes)
        Probabilities.
    guess : ndarray of shape (n,)
        Place of the class that each row is taken for.
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


def log_loss(proba: NDArray[Any], places: NDArray[Any]) -> float:
    """Return the mean cross-entropy of probabilities with the places of the true classes."""
    chosen = proba[np.arange(len(places)), places].astype(np.float64)
    return float(-np.log(np.clip(chosen, np.finfo(np.float32).eps, 1)).mean())


def scorer_of(name: str) -> Callable[..., float]:
    """Return scikit-learn's scorer of that name."""
    from sklearn.metrics import get_scorer

    scorer: Callable[..., float] = get_scorer(name)
    return scorer


def checked_score(score: float, epoch: int) -> float:
    """Return the score if it is a finite number.

    Raises
    ------
    EvaluationError
        If it is NaN or infinite.
    """
    if not math.isfinite(score):
        raise EvaluationError(f"the score after epoch {epoch} is {score}, not a number")
    return float(score)
