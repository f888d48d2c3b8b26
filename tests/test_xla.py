"""``jit_compile``: batches that XLA compiles train to the same weights."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from sweep import KerasCNNClassifier, KerasMLPClassifier
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow
DIGITS = load_digits()
X, Y = DIGITS.images.astype(np.uint8)[:250], DIGITS.target[:250]
"""Their last batch of 32 is smaller."""

MODELS = {
    "mlp": (KerasMLPClassifier, {"hidden_size": 16}),
    "mlp, batch norm, decaying rate": (
        KerasMLPClassifier,
        {"hidden_size": 8, "batch_norm": "after", "optimizer": "sgd", "learning_rate": 0.1,
         "learning_rate_decay": 0.01},
    ),
    "cnn": (
        KerasCNNClassifier,
        {"filters": 4, "kernel_size": 3, "padding": "same", "dense_width": 8},
    ),
}  # fmt: skip


def fitted(name, **changes):
    """Fit a small model on digits."""
    kind, params = MODELS[name]
    given = {"epochs": 2, "random_state": 0, "scaling": "unit", **params, **changes}
    return kind(**given).fit(X, Y)


def weights(model):
    """Its weights as one vector."""
    return np.concatenate([np.ravel(values) for _, values in model.named_weights()])


@pytest.mark.parametrize("name", MODELS)
def test_compiled_batches_train_to_the_same_weights(name):
    """To 1e-5, the smaller last batch and its statistics included; the losses too."""
    one, other = fitted(name, jit_compile=False), fitted(name, jit_compile=True)
    np.testing.assert_allclose(weights(one), weights(other), atol=1e-5)
    np.testing.assert_allclose(one.history_["loss"], other.history_["loss"], rtol=1e-5)
    assert one.history_["accuracy"] == pytest.approx(other.history_["accuracy"])


def test_without_a_gpu_auto_compiles_nothing():
    """The default gives the weights of False, to the last bit."""
    assert np.array_equal(weights(fitted("mlp")), weights(fitted("mlp", jit_compile=False)))


def test_keras_own_fit_is_compiled_too():
    """The parameter reaches the slower backend as well."""
    model = fitted("mlp", jit_compile=True, fast=False, optimizer="sgd")
    assert model._engine().model.jit_compile is True
    np.testing.assert_allclose(weights(model), weights(fitted("mlp", optimizer="sgd")), atol=1e-5)


def test_what_xla_cannot_compile_is_told():
    """With the layer's name and what to write; the default trains it as before."""
    with pytest.raises(
        ModelError, match=r"no code for shift \(RandomTranslation\); write \"auto\""
    ):
        fitted("cnn", augment="flip_shift", jit_compile=True)
    assert fitted("cnn", augment="flip_shift", epochs=1).history_["loss"]


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_another_value_is_refused(value):
    """With the rule and the value."""
    with pytest.raises(ModelError, match='jit_compile: must be "auto", true or false, got'):
        fitted("mlp", jit_compile=value)
