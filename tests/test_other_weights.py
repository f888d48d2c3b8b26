"""Weights and gradients that no single kernel is for."""

import keras
import numpy as np
import pytest

from sweep import KerasClassifier, load_dataset

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=200, test_rows=50)


def network(n_classes, dtype):
    """Return a small network."""
    x = keras.Input((8, 8))
    hidden = keras.layers.Dense(16, "relu", dtype=dtype)(keras.layers.Flatten()(x))
    return keras.Model(x, keras.layers.Dense(n_classes, "softmax")(hidden))


def proba(factory, **changes):
    """Fit, and return probabilities."""
    model = KerasClassifier(factory, epochs=2, random_state=0, scaling="unit", **changes)
    return model.fit(DIGITS.x_train, DIGITS.y_train).predict_proba(DIGITS.x_test)


def wide(input_shape, n_classes):
    """Return a network with float64 weights."""
    return network(n_classes, "float64")


def embedded(input_shape, n_classes):
    """Return a network whose gradient is sparse."""
    x = keras.Input((8, 8))
    whole = keras.layers.ReLU(max_value=15)(keras.layers.Rescaling(15)(x))
    codes = keras.layers.Flatten()(keras.layers.Embedding(16, 2)(whole))
    return keras.Model(x, keras.layers.Dense(n_classes, "softmax")(codes))


@pytest.mark.parametrize("factory", [wide, embedded])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_weights_and_gradients_of_other_kinds_are_trained_as_keras_does(factory, optimizer):
    """Where no single kernel is for them."""
    fast, plain = (proba(factory, optimizer=optimizer, fast=fast) for fast in (True, False))
    np.testing.assert_allclose(fast, plain, atol=1e-4)
