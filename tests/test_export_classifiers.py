"""Exports of classifiers that are no Keras models: what the command says of pictures."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.svm import SVC

from sweep import load_dataset
from sweep.cli.predict import _drawn, _told
from sweep.errors import ResultError
from sweep.evaluation.stored_estimators import same_predictions
from sweep.export.own_estimators import ExportedEstimator

DIGITS = load_dataset("digits", train_rows=300, test_rows=100, flat=True)
X, Y = DIGITS.x_train / 255, np.array(list("abcdefghij"))[DIGITS.y_train]
ROWS = DIGITS.x_test / 255
RECIPE = {"class_names": [f"class {each}" for each in "abcdefghij"], "input_shape": [64]}


def exported(classifier):
    """Return an export of a fitted classifier."""
    return ExportedEstimator(classifier, RECIPE, classifier.classes_)


def test_a_classifier_without_probabilities_says_the_class_alone():
    """A dash stands in their place, null in JSON."""
    model = exported(SVC().fit(X, Y))
    found = _told(model, ROWS)
    assert [each["class"] for each in found] == [f"class {each}" for each in model.predict(ROWS)]
    assert {each["probability"] for each in found} == {None}
    assert list(_drawn([{"file": "a.png", **found[0]}]).columns[2].cells) == ["-"]
    with pytest.raises(ResultError, match="SVC gives no probabilities; ask it for predict"):
        model.predict_proba(ROWS)


class Cautious(SVC):
    """Predict what it does not take for the most probable."""

    def predict(self, X):
        return np.full(len(X), "c")

    def predict_proba(self, X):
        return np.tile(np.linspace(0, 0.2, 10), (len(X), 1))


def test_the_class_is_what_the_classifier_predicts():
    """And the probability is that of this class, though another's is higher."""
    found = _told(exported(Cautious().fit(X, Y)), ROWS[:2])
    assert found == [{"class": "class c", "probability": pytest.approx(0.2 * 2 / 9)}] * 2


def test_keras_prints_no_bars_into_what_a_command_says(monkeypatch):
    """While an export is compared and predicts; what a notebook has chosen is as before."""
    state, seen = {"on": True}, []
    config = SimpleNamespace(
        is_interactive_logging_enabled=lambda: state["on"],
        disable_interactive_logging=lambda: state.update(on=False),
        enable_interactive_logging=lambda: state.update(on=True),
    )
    monkeypatch.setitem(sys.modules, "keras", SimpleNamespace(config=config))

    class Watching(SVC):
        def predict(self, X):
            seen.append(state["on"])
            return super().predict(X)

        decision_function = property()

    fitted = Watching().fit(X, Y)
    exported(fitted).predict(ROWS)
    assert same_predictions(fitted, fitted, ROWS)
    assert seen == [False] * 3
    assert state == {"on": True}
