"""Models of one's own: those that only Keras's own fit trains as they ask, and others."""

import keras
import numpy as np
import pytest

from sweep import KerasClassifier, load_dataset

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=200, test_rows=50)
OPTIMIZERS = keras.optimizers
LOSS = keras.losses.SparseCategoricalCrossentropy


class OwnLoss(keras.Model):
    """A model that trains on nothing."""

    def compute_loss(self, *args, **kwargs):
        """Return zero times what Keras computes."""
        return super().compute_loss(*args, **kwargs) * 0.0


def network(n_classes, kind=keras.Model, dtype="float32"):
    """Return a small network."""
    x = keras.Input((8, 8))
    hidden = keras.layers.Dense(16, "relu", dtype=dtype)(keras.layers.Flatten()(x))
    return kind(x, keras.layers.Dense(n_classes, "softmax")(hidden))


def compiled(**how):
    """Return a factory whose network is compiled so."""

    def build(input_shape, n_classes):
        model = network(n_classes, how.pop("kind", keras.Model))
        words = {"optimizer": "sgd", "loss": LOSS(), "metrics": ["accuracy"]}
        model.compile(**{**words, **{k: v() if callable(v) else v for k, v in how.items()}})
        return model

    return build


def proba(factory, **changes):
    """Fit, and return probabilities."""
    model = KerasClassifier(factory, epochs=2, random_state=0, scaling="unit", **changes)
    return model.fit(DIGITS.x_train, DIGITS.y_train).predict_proba(DIGITS.x_test)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"kind": OwnLoss}, "compute_loss of its own"),
        ({"optimizer": lambda: OPTIMIZERS.Adam(0.01, use_ema=True)}, "moving average"),
        ({"optimizer": lambda: OPTIMIZERS.Adam(gradient_accumulation_steps=2)}, "accumulates"),
        ({"optimizer": lambda: OPTIMIZERS.SGD(0.1, loss_scale_factor=16.0)}, "scales the loss"),
        (
            {"optimizer": lambda: OPTIMIZERS.LossScaleOptimizer(OPTIMIZERS.Adam(0.01))},
            "scales the loss",
        ),
        ({"loss_weights": 3.0}, "loss_weights"),
        ({"loss": lambda: LOSS(reduction="sum")}, "reduced by sum"),
        ({"loss": lambda: LOSS(ignore_class=3)}, "ignores a class"),
    ],
    ids=lambda x: x if isinstance(x, str) else None,
)
def test_what_the_fast_fit_would_not_follow_falls_back_with_the_reason(how, why):
    """Never another result without a word."""
    with pytest.warns(UserWarning, match=why):
        fast = proba(compiled(**how))
    np.testing.assert_array_equal(fast, proba(compiled(**how), fast=False))


def wide(input_shape, n_classes):
    """Return a network with float64 weights."""
    return network(n_classes, dtype="float64")


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


@pytest.mark.parametrize("metrics", [["acc"], None])
def test_a_model_compiled_with_other_metrics_is_fitted(metrics):
    """Accuracy under another name, or not at all."""
    proba(compiled(metrics=metrics), fast=False)
