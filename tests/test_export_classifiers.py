"""Exports of classifiers that are no Keras models: what the command says of pictures."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from sweep import load_dataset
from sweep.cli.predict import _drawn, _told
from sweep.errors import ResultError
from sweep.evaluation.keras_models_inside import keras_model_inside
from sweep.evaluation.stored_estimators import same_predictions, store
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


class Network:
    """Look like a Keras model."""

    layers = ()

    def get_weights(self):
        return []


def test_a_keras_model_inside_another_estimator_is_found_and_named(tmp_path):
    """At any depth, though it be a step's, a voter's or a table's; nothing else is."""
    vote = VotingClassifier([("svc", SVC()), ("tree", DecisionTreeClassifier())]).fit(X, Y)
    whole = Pipeline([("scale", StandardScaler()), ("vote", vote)])
    assert keras_model_inside(whole) == ""
    vote.estimators_[0].table = {"kept": [Network()]}
    assert keras_model_inside(whole) == "SVC"
    assert keras_model_inside([("vote", vote)]) == "SVC"
    pytest.importorskip("skops")
    with pytest.raises(ResultError, match="a Keras model stands inside SVC, where skops cannot"):
        store(whole, tmp_path / "w", agrees=lambda _: True, pickle=False)


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
