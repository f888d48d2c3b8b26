"""What any fitted classifier of scikit-learn predicts, in the form that a study's scorers need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class AnyPrediction:
    """A finished prediction as a fitted classifier; it has the methods that the classifier has.

    Parameters
    ----------
    guess : ndarray of shape (n,)
        Index of the predicted class of each row.
    n_classes : int
        Classes of the study.
    given : mapping of str to ndarray
        By method: ``predict_proba``, ``decision_function``.
    """

    def __init__(self, guess: NDArray[Any], n_classes: int, given: dict[str, Any]) -> None:
        self._guess, self.classes_ = guess, np.arange(n_classes)
        for method, values in given.items():
            setattr(self, method, _answering(method, values))

    def predict(self, _X: Any) -> NDArray[Any]:
        """Return the class of each row."""
        return self._guess

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        kind = ClassifierTags()
        return Tags("classifier", TargetTags(required=True), classifier_tags=kind)


def _answering(name: str, values: NDArray[Any]) -> Callable[[Any], NDArray[Any]]:
    """Return a method of that name, by which scikit-learn knows what the values are."""

    def method(_X: Any) -> NDArray[Any]:
        return values

    method.__name__ = name
    return method


def prediction_of(
    estimator: Any, X: Any, indices: Callable[[Any], NDArray[np.intp]], n_classes: int
) -> tuple[AnyPrediction, NDArray[Any] | None]:
    """Return a classifier's prediction of rows, and its probabilities if it has some.

    Parameters
    ----------
    estimator : estimator
        Fitted, perhaps on rows without some class.
    X : array-like
        The rows.
    indices : callable
        From labels to indices of the study's classes.
    n_classes : int
        Classes of the study.
    """
    if not hasattr(estimator, "classes_"):
        raise ModelError(
            f"{type(estimator).__name__} has no classes_ after its fit, as every classifier of "
            "scikit-learn has; set self.classes_ = np.unique(y) in fit"
        )
    columns = indices(estimator.classes_)
    given: dict[str, Any] = {}
    proba = None
    if hasattr(estimator, "predict_proba"):
        found = np.asarray(estimator.predict_proba(X))
        proba = np.zeros((len(found), n_classes), found.dtype)
        proba[:, columns] = found
        given["predict_proba"] = proba
    if hasattr(estimator, "decision_function"):
        found = np.asarray(estimator.decision_function(X))
        given["decision_function"] = _decisions(found, columns, n_classes)
    guess = indices(np.asarray(estimator.predict(X)).reshape(-1))
    return AnyPrediction(guess, n_classes, given), proba


def _decisions(found: NDArray[Any], columns: NDArray[np.intp], n_classes: int) -> NDArray[Any]:
    """Return decisions for the study's classes; a class without a column is the least likely."""
    if found.ndim == 1 and n_classes == 2:
        return found if columns[-1] == 1 else -found
    if found.ndim == 1:
        found = np.column_stack([-found, found])
    if found.shape[1] != len(columns):  # one against one: no column for each class
        return found
    if n_classes == 2:  # as a wrapper of Keras may give it; scorers expect one column
        ordered = found[:, np.argsort(columns)]
        return ordered[:, 1] - ordered[:, 0]
    least = np.full((len(found), n_classes), found.min(initial=0.0) - 1, found.dtype)
    least[:, columns] = found
    return least
