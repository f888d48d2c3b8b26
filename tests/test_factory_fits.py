"""Factories of one's own: fits that go on, and fits that diverge."""

import keras
import numpy as np
import pytest
from factory_models import (
    LAYERS,
    LOSS,
    TEST,
    WORDS,
    X,
    Y,
    configured,
    network,
    proba,
)
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sweep import KerasClassifier, OptunaSearchCV
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize(
    "change", [{"optimizer": "sgd"}, {"width": 8}, {"scaling": None}, {"fast": False}]
)
def test_a_warm_start_that_cannot_go_on_is_refused_by_name(change):
    """And predictions stay those of what was fitted."""
    model = KerasClassifier(configured, warm_start=True, width=16, optimizer="adam", **WORDS)
    before = model.fit(X, Y).predict_proba(TEST)
    model.set_params(**change)
    np.testing.assert_array_equal(model.predict_proba(TEST), before)
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ModelError, match=f"another {next(iter(change))} from"):
            go_on(X, Y)


def test_a_warm_start_with_another_rate_goes_on():
    """Nothing of the trace depends on it."""
    model = KerasClassifier(configured, warm_start=True, **WORDS).fit(X, Y)
    model.set_params(learning_rate=0.05, epochs=1, batch_size=16).fit(X, Y)
    assert model.n_epochs_ == 4


def test_a_fit_that_diverges_fails():
    """It would predict class 0 everywhere: 0.9 and more on labels that are mostly that."""
    mostly_zero = (Y == 3).astype(int)
    with pytest.raises(ArithmeticError, match="diverged: after epoch 1"):
        KerasClassifier(network_of, optimizer="sgd", learning_rate=1e30, **WORDS).fit(
            X, mostly_zero
        )


def network_of(input_shape, n_classes):
    """Return a network that is not compiled."""
    return network(n_classes)


def explodes(input_shape, n_classes, factor=1.0):
    """Predict NaN for one value."""
    x = keras.Input(input_shape)
    flat = LAYERS.Dense(n_classes)(LAYERS.Flatten()(x))
    far = LAYERS.Lambda(lambda v: v * factor - v * factor)(flat)
    return keras.Model(x, LAYERS.Activation("softmax")(LAYERS.Add()([flat, far])))


@pytest.mark.parametrize("kind", [GridSearchCV, OptunaSearchCV])
def test_it_does_not_win_a_search(kind):
    """Both searches count it as failed."""
    mostly_zero = (load_digits().target[:200] == 3).astype(int)
    model = clone(KerasClassifier(network_of, optimizer="sgd", **WORDS))
    words = {"n_trials": 6, "random_state": 1} if kind is OptunaSearchCV else {}
    search = kind(model, {"learning_rate": [1e30, 0.1]}, cv=2, **words)
    with pytest.warns(Warning, match="fits failed|non-finite"):
        search.fit(X, mostly_zero)
    assert search.best_params_ == {"learning_rate": 0.1}
    tried = search.cv_results_["param_learning_rate"] == 1e30
    assert tried.any() == (kind is GridSearchCV)  # a batch of failures is left out there
    assert np.isnan(search.cv_results_["mean_test_score"][tried]).all()


@pytest.mark.parametrize("fast", [True, False])
def test_an_epoch_on_the_way_is_a_fit_of_its_own_with_averages_too(fast):
    """The average stands in for the weights at the end of each fit, and the fit goes on without."""

    def averaged(input_shape, n_classes):
        model = network()
        adam = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
        model.compile(adam, loss=LOSS)
        return model

    long = KerasClassifier(averaged, checkpoint_epochs=[1, 2], fast=fast, **WORDS).fit(X, Y)
    for epoch in (1, 2):
        alone = proba(averaged, epochs=epoch, fast=fast)
        np.testing.assert_array_equal(long.at_epoch(epoch).predict_proba(TEST), alone)


def test_predictions_that_are_not_finite_are_refused():
    """Where only the prediction is NaN."""
    model = KerasClassifier(explodes, factor=1.0, epochs=1, random_state=0).fit(X / 16.0, Y)
    with pytest.raises(ArithmeticError, match="predicted probabilities"):
        model.predict(np.full((3, 8, 8), 3e38, np.float32))
