"""Scores of a fitted estimator: the study's scorer and the loss, from one prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import SweepError

if TYPE_CHECKING:
    from collections.abc import Callable


class EvaluationError(SweepError, ArithmeticError):
    """A cell whose scores are no numbers."""


class Scored(NamedTuple):
    """What rows say of an estimator.

    Attributes
    ----------
    score : float
        The study's scorer.
    loss : float
        Mean cross-entropy in nats, clipped as Keras's loss is; NaN without probabilities.
    """

    score: float
    loss: float = math.nan


class Scoring:
    """Scores fitted estimators by a scorer of scikit-learn.

    Parameters
    ----------
    name : str
        The scorer's name.
    """

    def __init__(self, name: str) -> None:
        self._scorer = scorer_of(name)

    def __call__(self, estimator: Any, X: Any, y: Any, epoch: int) -> Scored:
        """Score rows, which are predicted once.

        Raises
        ------
        EvaluationError
            If the score is NaN or infinite.
        """
        known = Predicted(estimator, X) if hasattr(estimator, "predict_proba") else estimator
        score = checked_score(self._scorer(known, X, y), epoch)
        return Scored(score) if known is estimator else Scored(score, log_loss(known, y))


class Predicted:
    """A fitted estimator that has predicted some rows, once; the rest is the estimator's own."""

    def __init__(self, estimator: Any, X: Any) -> None:
        self._estimator, self._rows = estimator, X
        self.proba = estimator.predict_proba(X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities."""
        return self.proba if X is self._rows else self._estimator.predict_proba(X)

    def predict(self, X: Any) -> Any:
        """Return the most probable label of each row, as the estimator itself does."""
        if X is not self._rows:
            return self._estimator.predict(X)
        return self._estimator.classes_[self.proba.argmax(axis=1)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._estimator, name)


def log_loss(known: Predicted, y: Any) -> float:
    """Return the mean cross-entropy of predicted rows with their labels."""
    columns = np.searchsorted(known.classes_, y)
    chosen = known.proba[np.arange(len(y)), columns].astype(np.float64)
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
