"""Factories of one's own: what the output of their model means."""

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
    network,
    proba,
)

from sweep import KerasClassifier
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow


class Bare(keras.Model):
    """A model written as a class."""

    def __init__(self, end, units=10):
        super().__init__()
        self.flat, self.end = LAYERS.Flatten(), LAYERS.Dense(units, end)

    def call(self, x):
        return self.end(self.flat(x))


def logarithm(input_shape, n_classes):
    """Begin with the logarithm of the pixels, end without a softmax."""
    x = keras.Input(input_shape)
    logs = LAYERS.Lambda(keras.ops.log)(LAYERS.Rescaling(1.0, 1e-3)(x))
    return keras.Model(x, LAYERS.Dense(n_classes)(LAYERS.Flatten()(logs)))


def zeros(input_shape, n_classes):
    """End in one logit that begins at zero."""
    parts = [keras.Input(input_shape), LAYERS.Flatten()]
    return keras.Sequential([*parts, LAYERS.Dense(1, kernel_initializer="zeros")])


def codes(input_shape, n_classes):
    """Look pixels up: an Embedding knows the values of the data, no others."""
    x = keras.Input(input_shape)
    whole = LAYERS.Lambda(lambda v: keras.ops.cast(v * 16, "int32"))(x)
    looked = LAYERS.Flatten()(LAYERS.Embedding(17, 2)(whole))
    return keras.Model(x, LAYERS.Dense(n_classes, "softmax")(looked))


def softmax_then_reshaped(input_shape, n_classes):
    """End in layers that change no number."""
    model = network()
    return keras.Sequential([*model.layers, LAYERS.Reshape((10,)), LAYERS.Activation("linear")])


def scored(factory, y=Y, **changes):
    """Return the meaning and the accuracy on training rows."""
    words = {"epochs": 30, "learning_rate": 0.02, **WORDS, **changes}
    model = KerasClassifier(factory, **{**words, "epochs": 30}).fit(X, y)
    return model.output_meaning_, model.score(X, y)


@pytest.mark.parametrize(
    ("factory", "meaning"),
    [
        (logarithm, "logits"),
        (codes, "probabilities"),
        (softmax_then_reshaped, "probabilities"),
        (lambda *_: network(end="sigmoid"), "shares"),
        (lambda *_: Bare("softmax"), "probabilities"),
        (lambda *_: Bare(None), "logits"),
    ],
)
def test_the_meaning_is_told_and_the_model_learns(factory, meaning):
    """By its last layer, else by rows of the fit; never by random rows."""
    found, score = scored(factory)
    assert found == meaning
    assert score > 0.85


def test_one_logit_that_begins_at_zero_is_a_logit():
    """Zero lies between 0 and 1, and is no probability."""
    found, score = scored(zeros, (Y % 2))
    assert found == "logits"
    assert score > 0.85


def test_shares_sum_to_one_without_being_squashed_twice():
    """Ten sigmoids are divided by their sum."""
    model = KerasClassifier(lambda *_: network(end="sigmoid"), **WORDS).fit(X, Y)
    raw = model.model_(TEST[:5] / np.float32(model._scaling.scale)).numpy()
    expected = raw / raw.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(TEST[:5]), expected, rtol=1e-5)


def test_what_is_left_open_is_refused():
    """One number between 0 and 1 may be either."""
    with pytest.raises(ModelError, match="cannot be told"):
        KerasClassifier(lambda *_: Bare("sigmoid", 1), **WORDS).fit(X, Y % 2)


@pytest.mark.parametrize("make", [network, Bare])
def test_a_loss_on_probabilities_of_a_model_that_gives_none_is_refused(make):
    """Keras would clip the numbers and train on what is left."""

    def build(input_shape, n_classes):
        model = make(end=None)
        model.compile("sgd", loss=LOSS)
        return model

    with pytest.raises(ModelError, match="from_logits=True"):
        proba(build)
