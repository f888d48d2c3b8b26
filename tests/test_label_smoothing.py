"""``label_smoothing`` trains as Keras's losses with that argument do, or is refused by name."""

import keras
import numpy as np
import pytest
from factory_models import LAYERS, LOSS, WORDS, X, Y, network, proba
from keras.losses import BinaryCrossentropy, CategoricalCrossentropy

from sweep import KerasClassifier, KerasMLPClassifier
from sweep.errors import ModelError
from sweep.models import build_from

pytestmark = pytest.mark.tensorflow

EVEN = (Y % 2 == 0).astype(int)


def mlp_by_hand(input_shape, n_classes):
    """Compile sweep's own mlp with Keras's loss."""
    model = build_from("mlp", input_shape, n_classes, {"hidden_size": 16, "dropout_rate": 0.2})
    model.compile("adam", CategoricalCrossentropy(label_smoothing=0.1))
    return model


@pytest.mark.parametrize("fast", [True, False])
def test_a_built_in_model_trains_as_keras_own_loss_has_it(fast):
    """The same probabilities, and others than without."""
    words = {"hidden_size": 16, "dropout_rate": 0.2, "fast": fast, **WORDS}
    found = KerasMLPClassifier(label_smoothing=0.1, **words).fit(X, Y)
    by_hand = KerasClassifier(mlp_by_hand, fast=fast, **WORDS).fit(X, Y)
    np.testing.assert_allclose(found.predict_proba(X), by_hand.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(found.history_["loss"], by_hand.history_["loss"], rtol=1e-6)
    plain = KerasMLPClassifier(**words).fit(X, Y)
    assert not np.allclose(found.predict_proba(X), plain.predict_proba(X), atol=1e-3)


def open_end(input_shape, n_classes):
    """End in logits."""
    return network(end=None)


def open_end_by_hand(input_shape, n_classes):
    """End in logits, compiled."""
    model = network(end=None)
    model.compile("adam", CategoricalCrossentropy(from_logits=True, label_smoothing=0.2))
    return model


def one_output(input_shape, n_classes):
    """End in a sigmoid."""
    return network(units=1, end="sigmoid")


def one_output_by_hand(input_shape, n_classes):
    """End in a sigmoid, compiled."""
    model = network(units=1, end="sigmoid")
    model.compile("adam", BinaryCrossentropy(label_smoothing=0.2))
    return model


@pytest.mark.parametrize(
    ("factory", "by_hand", "labels"),
    [(open_end, open_end_by_hand, Y), (one_output, one_output_by_hand, EVEN)],
)
def test_a_model_that_sweep_compiles_gets_the_smoothed_loss(factory, by_hand, labels):
    """For logits, and for one output of two classes."""
    found = KerasClassifier(factory, label_smoothing=0.2, **WORDS).fit(X, labels)
    expected = KerasClassifier(by_hand, **WORDS).fit(X, labels)
    np.testing.assert_array_equal(found.predict_proba(X), expected.predict_proba(X))


def compiled(input_shape, n_classes):
    """Compile with a loss of its own."""
    model = network()
    model.compile("adam", LOSS)
    return model


def smoothing(input_shape, n_classes, label_smoothing=0.3):
    """Take it as its own."""
    parts = [keras.Input(input_shape), LAYERS.Flatten(), LAYERS.Dense(n_classes, "softmax")]
    model = keras.Sequential(parts)
    model.compile("adam", CategoricalCrossentropy(label_smoothing=label_smoothing))
    return model


def test_a_factory_that_compiles_gets_it_by_name_or_it_is_refused():
    """Its own default holds unless it is set."""
    with pytest.raises(ModelError, match="label_smoothing: the factory compiles its own loss"):
        proba(compiled, label_smoothing=0.1)
    assert np.array_equal(proba(compiled, label_smoothing=0.0), proba(compiled))
    assert np.array_equal(proba(smoothing), proba(smoothing, label_smoothing=0.3))
    assert not np.allclose(proba(smoothing), proba(smoothing, label_smoothing=0.0), atol=1e-3)


def test_a_fit_of_another_smoothing_is_not_gone_on_with():
    """The loss is part of the compiled model."""
    model = KerasMLPClassifier(hidden_size=4, warm_start=True, **WORDS).fit(X, Y)
    with pytest.raises(ModelError, match=r"another label_smoothing from 0\.0 to 0\.1"):
        model.set_params(label_smoothing=0.1).fit(X, Y)


@pytest.mark.parametrize("value", [1.0, -0.1, float("nan"), "some"])
def test_a_smoothing_that_cannot_be_is_refused(value):
    """Before anything trains."""
    with pytest.raises(ModelError, match="label_smoothing: must be a number from 0 to below 1"):
        KerasMLPClassifier(label_smoothing=value, **WORDS).fit(X, Y)
