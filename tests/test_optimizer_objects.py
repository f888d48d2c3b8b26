"""Optimizers as Keras spells them, as classes, and as objects that each fit makes anew."""

import pickle

import keras
import numpy as np
import pytest
from factory_models import WORDS, X, Y, compiled
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sweep import KerasClassifier, KerasMLPClassifier
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow

OPT = keras.optimizers


def config(optimizer, **changes):
    """Fit, and return what the optimizer really was."""
    return KerasClassifier("mlp", optimizer=optimizer, **{**WORDS, **changes}).fit(X, Y)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_keras_spelling_is_understood(name):
    """As a name and as a class: the same fit as with ours."""
    ours = config(name.lower())
    assert ours.optimizer_config_["name"] == name
    assert ours.optimizer_config_["learning_rate"] in (0.01, 0.001)  # none of float32's digits
    for other in (name, getattr(OPT, name)):
        found = config(other)
        assert found.optimizer_config_ == ours.optimizer_config_
        np.testing.assert_array_equal(found.predict_proba(X), ours.predict_proba(X))


def test_an_object_is_what_its_settings_say():
    """The same fit as with these settings one by one, and the object is not changed."""
    given = OPT.SGD(0.05, momentum=0.9, nesterov=True)
    fitted = config(given)
    apart = config("sgd", learning_rate=0.05, momentum=0.9, nesterov=True)
    np.testing.assert_array_equal(fitted.predict_proba(X), apart.predict_proba(X))
    found = fitted.optimizer_config_
    assert (found["name"], found["learning_rate"], found["momentum"]) == ("SGD", 0.05, 0.9)
    assert int(given.iterations) == 0
    again = clone(fitted).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_settings_that_have_no_parameter_act():
    """Keras's ``clipnorm``, and a schedule."""
    plain = config(OPT.SGD(0.5))
    clipped = config(OPT.SGD(0.5, clipnorm=0.01))
    falling = config(OPT.SGD(OPT.schedules.ExponentialDecay(0.5, 5, 0.1)))
    assert clipped.optimizer_config_["clipnorm"] == 0.01
    assert falling.optimizer_config_["learning_rate"]["class_name"] == "ExponentialDecay"
    first, second, third = (e.predict_proba(X) for e in (plain, clipped, falling))
    assert not np.allclose(first, second)
    assert not np.allclose(first, third)


def test_fits_with_other_rates_share_no_rate():
    """Objects that differ in the rate alone, fitted one after the other."""
    found = {rate: config(OPT.Adam(rate)) for rate in (1e-4, 1e-1)}
    for rate, fitted in found.items():
        assert fitted.optimizer_config_["learning_rate"] == rate
        apart = config("adam", learning_rate=rate)
        np.testing.assert_array_equal(fitted.predict_proba(X), apart.predict_proba(X))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.1),
        ("momentum", 0.5),
        ("weight_decay", 0.1),
        ("learning_rate_decay", 1.0),
    ],
)
def test_a_setting_beside_an_object_is_refused(name, value):
    """Which of the two would hold?"""
    with pytest.raises(ModelError, match=f"{name}: the optimizer is given as an object"):
        config(OPT.Adam(1e-3), **{name: value})


def test_something_else_is_refused():
    """Neither a name nor an optimizer."""
    with pytest.raises(ModelError, match='optimizer: must be a name, such as "adam"'):
        config(3)


def test_a_search_over_objects():
    """scikit-learn clones them; each fit has a fresh one."""
    words = {key: value for key, value in WORDS.items() if key != "epochs"}
    grid = {"optimizer": [OPT.SGD(1e-6), OPT.Adam(0.01)]}
    search = GridSearchCV(KerasMLPClassifier(epochs=3, **words), grid, cv=2).fit(X, Y)
    low, high = search.cv_results_["mean_test_score"]
    assert low < high
    assert search.best_estimator_.optimizer_config_["name"] == "Adam"


def test_an_object_for_the_factory_is_made_anew_for_each_model():
    """A factory that compiles with the optimizer it is given."""
    given = OPT.Adam(0.02)
    estimator = KerasClassifier(compiled, optimizer=given, **WORDS)
    first, second = (clone(estimator).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    by_name = KerasClassifier(compiled, optimizer="adam", learning_rate=0.02, **WORDS).fit(X, Y)
    np.testing.assert_allclose(first, by_name.predict_proba(X), atol=1e-6)
    assert int(given.iterations) == 0


def test_a_fitted_estimator_with_an_object_is_pickled():
    """And predicts the same."""
    fitted = config(OPT.Adam(0.01))
    copied = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - our own
    np.testing.assert_array_equal(copied.predict_proba(X), fitted.predict_proba(X))
