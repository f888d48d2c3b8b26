"""Factories of one's own: what they build counts, with all its state."""

import keras
import numpy as np
import pytest
from factory_models import (
    CONFIG,
    LAYERS,
    LOSS,
    TEST,
    WORDS,
    X,
    Y,
    compiled,
    configured,
    network,
    proba,
)

from sweep import KerasClassifier
from sweep.errors import ModelError
from sweep.training.engine_cache import engines_built

pytestmark = pytest.mark.tensorflow


class Own(LAYERS.Layer):
    """A layer that looks at a global itself."""

    def call(self, x):
        return x * CONFIG.get("factor", 1.0)


def with_own(input_shape, n_classes):
    """Build around it."""
    parts = [LAYERS.Flatten(), Own(), LAYERS.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input((8, 8)), *parts])


@pytest.mark.parametrize(
    ("factory", "change"),
    [(configured, {"hidden": "tanh"}), (configured, {"l2": 1.0}), (with_own, {"factor": 3.0})],
)
def test_what_is_built_counts_not_who_builds_it(factory, change, monkeypatch):
    """A global that changed between two fits acts, and the old fit predicts as before."""
    first = KerasClassifier(factory, **WORDS).fit(X, Y)
    before = first.predict_proba(TEST)
    for name, value in change.items():
        monkeypatch.setitem(CONFIG, name, value)
    changed = KerasClassifier(factory, **WORDS).fit(X, Y)
    assert changed.history_["loss"] != first.history_["loss"]
    np.testing.assert_array_equal(first.predict_proba(TEST), before)
    monkeypatch.undo()
    np.testing.assert_array_equal(proba(factory), before)


def adapted(input_shape, n_classes, factor=1.0):
    """Learn the scale of rows before any fit."""
    known = LAYERS.Normalization(axis=None)
    known.adapt(X.astype(np.float32) / factor)
    parts = [keras.Input(input_shape), known, LAYERS.Flatten()]
    return keras.Sequential([*parts, LAYERS.Dense(n_classes, "softmax")])


class Tempered(keras.Model):
    """Hold a variable that Keras does not know of."""

    def __init__(self, factor):
        import tensorflow as tf

        super().__init__()
        self.flat, self.end = LAYERS.Flatten(), LAYERS.Dense(10)
        self.factor = tf.Variable(factor, trainable=False)

    def call(self, x):
        return keras.ops.softmax(self.end(self.flat(x)) * self.factor)


def tempered(input_shape, n_classes, factor=1.0):
    """Build it."""
    return Tempered(factor)


def pretrained(input_shape, n_classes, factor=1.0):
    """Set weights after they were made."""
    model = network()
    model.set_weights([w * factor for w in model.get_weights()])
    return model


class Calibrated(LAYERS.Layer):
    """A layer that acts only where the model predicts, and tells no configuration of it."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x, training=False):
        return x if training else x / self.factor

    def get_config(self):
        return {}


def calibrated(input_shape, n_classes, factor=1.0):
    """End in it."""
    parts = [keras.Input(input_shape), LAYERS.Flatten(), LAYERS.Dense(n_classes)]
    return keras.Sequential([*parts, Calibrated(factor), LAYERS.Softmax()])


def held(input_shape, n_classes, factor=1.0):
    """Set what a weight may be after it was made."""
    model = network()
    model.layers[-1].kernel.constraint = keras.constraints.MaxNorm(0.1 * factor)
    return model


class Weighed(keras.Model):
    """A loss of one's own that reads an attribute."""

    def compute_loss(self, *args, **kwargs):
        return self.factor * super().compute_loss(*args, **kwargs)


def weighed(input_shape, n_classes, factor=1.0):
    """Build it, not compiled."""
    x = keras.Input(input_shape)
    model = Weighed(x, LAYERS.Dense(n_classes, "softmax")(LAYERS.Flatten()(x)))
    model.factor = factor
    return model


def excluded(input_shape, n_classes, factor=1.0):
    """Exclude weights from decay, which no configuration tells."""
    model = network()
    adam = keras.optimizers.AdamW(0.05, weight_decay=0.5)
    if factor == 1.0:
        adam.exclude_from_weight_decay(var_names=["kernel"])
    model.compile(adam, loss=LOSS)
    return model


OWN_STATE = [adapted, tempered, pretrained, calibrated, held, weighed, excluded]


@pytest.mark.parametrize("by_global", [False, True])
@pytest.mark.parametrize("factory", OWN_STATE)
def test_state_that_is_no_weight_is_each_models_own(factory, by_global, monkeypatch):
    """Whoever came first; whether a parameter decides on it or a global."""

    def told(input_shape, n_classes):
        return factory(input_shape, n_classes, CONFIG["factor"])

    def fitted_by(factor):
        if not by_global:
            return proba(factory, factor=factor, optimizer=None)
        monkeypatch.setitem(CONFIG, "factor", factor)
        return proba(told)

    first = {factor: fitted_by(factor) for factor in (1.0, 20.0)}
    assert not np.allclose(first[1.0], first[20.0])
    again = {factor: fitted_by(factor) for factor in (20.0, 1.0)}
    for factor, expected in first.items():
        np.testing.assert_array_equal(again[factor], expected)


@pytest.mark.parametrize("factory", [configured, with_own, compiled])
def test_models_that_are_built_alike_share_a_trace(factory):
    """Also where a layer of one's own is in them."""
    proba(factory)
    before = engines_built()
    proba(factory, random_state=9)
    assert engines_built() == before


def test_each_compiled_model_has_its_own_rate():
    """Whoever came first."""
    slow = proba(compiled, learning_rate=1e-3)
    quick = proba(compiled, learning_rate=0.5)
    assert not np.allclose(slow, quick)
    np.testing.assert_array_equal(proba(compiled, learning_rate=1e-3), slow)


def test_a_fitted_model_that_its_factory_no_longer_builds_is_refused(monkeypatch):
    """Its weights belong to another model."""
    fitted = KerasClassifier(configured, **WORDS).fit(X, Y)
    monkeypatch.setitem(CONFIG, "hidden", "tanh")
    with pytest.raises(ModelError, match="another model now"):
        _ = fitted.model_


class Noisy(LAYERS.Layer):
    """Draw without a seed of its own."""

    def call(self, x, training=False):
        return x + 0.3 * keras.random.normal(keras.ops.shape(x)) if training else x


def noisy(input_shape, n_classes):
    """Build around it."""
    parts = [keras.Input(input_shape), LAYERS.Flatten(), Noisy()]
    return keras.Sequential([*parts, LAYERS.Dense(n_classes, "softmax")])


@pytest.mark.parametrize("fast", [True, False])
def test_random_numbers_without_a_seed_of_their_own_are_the_fits(fast):
    """The same seed, the same model, whatever was fitted in between."""
    first = proba(noisy, fast=fast)
    assert not np.allclose(proba(noisy, fast=fast, random_state=9), first)
    np.testing.assert_array_equal(proba(noisy, fast=fast), first)
