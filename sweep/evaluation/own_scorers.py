"""Scorers of a person's own: found, checked, and given what a fitted estimator has predicted."""

from __future__ import annotations

import inspect
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import StudyFileError
from sweep.spec.scorers import is_own_scorer
from sweep.support.code_references import resolve, source_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from sweep.spec import StudySpec

    Scorer = Callable[[Any, Any, Any], Any]


def own_scorers(spec: StudySpec, allow: Collection[str]) -> dict[str, Any]:
    """Return the scorers of a study that are the person's own code, by their names.

    Raises
    ------
    ReferenceError_
        If one may not or cannot be loaded.
    StudyFileError
        With every one that cannot be called with an estimator, rows and labels.
    """
    found, problems = {}, []
    for name in filter(is_own_scorer, spec.search.scorers):
        found[name] = resolve(name, allow=allow, folder=spec.folder)
        if why := _call_problem(found[name]):
            problems.append(f"search.scoring: {name!r} {why}")
    if problems:
        raise StudyFileError(spec.study.name, problems)
    return found


def scorers_code(spec: StudySpec, allow: Collection[str]) -> str:
    """Return what identifies the code of a study's own scorers; empty where it has none."""
    own = filter(is_own_scorer, spec.search.scorers)
    return " ".join(
        f"{name} {source_digest(name, allow=allow, folder=spec.folder)}" for name in own
    )


def number_of(scorer: Scorer, estimator: Any, X: Any, y: Any) -> float:
    """Return what a scorer says; a TypeError for what is no number."""
    found = scorer(estimator, X, y)
    if isinstance(found, np.ndarray) and found.ndim == 0:
        found = found[()]
    if not isinstance(found, numbers.Real | np.bool_):
        raise TypeError(f"must return a number, got {type(found).__name__}")
    return float(found)


def _call_problem(scorer: Any) -> str | None:
    """Return why a scorer cannot be called as scikit-learn's are; None where it can be."""
    try:
        signature = inspect.signature(scorer)
    except (TypeError, ValueError):  # some code in C has none
        return None
    try:
        signature.bind("estimator", "X", "y")
    except TypeError:
        known = ", ".join(signature.parameters)
        return (
            f"must take (estimator, X, y), as scikit-learn's scorers do, got ({known}); "
            "wrap a metric of (y_true, y_pred): cost = sklearn.metrics.make_scorer(metric)"
        )
    return None


class Predicted:
    """A fitted estimator that knows its prediction of some rows, in the labels of the study.

    Whatever else a scorer asks, it asks the estimator itself.

    Parameters
    ----------
    estimator : estimator or None
        The fitted one; None where the prediction is made up.
    X : array-like
        The rows.
    classes : ndarray of shape (n_classes,)
        Labels of the study, sorted.
    proba : ndarray of shape (n, n_classes), or None
        Probabilities of the rows by these classes; None where the estimator gives none.
    guess : ndarray of shape (n,)
        Predicted labels of the rows.
    """

    def __init__(
        self, estimator: Any, X: Any, classes: NDArray[Any], proba: NDArray[Any] | None, guess: Any
    ) -> None:
        self._estimator, self._rows, self._guess = estimator, X, guess
        self.classes_ = classes
        if proba is not None:
            # a method only where there is something to return: scikit-learn looks for it
            def predict_proba(X: Any) -> NDArray[Any]:
                """Return probabilities by the study's classes."""
                return proba if X is self._rows else self._laid_out(X)

            self.predict_proba = predict_proba

    def _laid_out(self, X: Any) -> NDArray[Any]:
        found = self._real().predict_proba(X)
        columns = np.searchsorted(self.classes_, self._real().classes_)
        of_all: NDArray[Any] = np.zeros((len(found), len(self.classes_)), found.dtype)
        of_all[:, columns] = found
        return of_all

    def predict(self, X: Any) -> Any:
        """Return labels."""
        return self._guess if X is self._rows else self._real().predict(X)

    def _real(self) -> Any:
        if self._estimator is None:
            raise NoEstimatorError
        return self._estimator

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        if self._estimator is not None:
            return self._estimator.__sklearn_tags__()
        return Tags("classifier", TargetTags(required=True), classifier_tags=ClassifierTags())


class NoEstimatorError(AttributeError):
    """Raised where a scorer asks a made-up prediction for more than that prediction."""
