"""Methods of Keras's that a person overrides: each is called, and a fit is one of Keras's own."""

import types

import keras
import numpy as np
import pytest

from sweep import KerasClassifier, load_dataset
from sweep.errors import ModelError
from tests.keras_fit import keras_weights

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=100, test_rows=20)
X, Y = DIGITS.x_train, DIGITS.y_train
LAYERS, OPT = keras.layers, keras.optimizers
SPARSE = "sparse_categorical_crossentropy"
CALLS = []


def over(kind, name, scale=None):
    """Return a subclass whose method notes that it was called, and may halve what comes out."""
    before = getattr(kind, name)

    def method(self, *args, **kwargs):
        CALLS.append(name)
        found = before(self, *args, **kwargs)
        return found if scale is None else found * scale

    return type("Own", (kind,), {name: method, "__module__": "mine"})


def noted(method, name):
    """Return a method, bound already, that notes that it was called."""

    def call(self, *args, **kwargs):
        CALLS.append(name)
        return method(*args, **kwargs)

    return call


def halving(kind, name):
    """Return a subclass that makes half of each gradient."""
    before = getattr(kind, name)

    def method(self, grads, *rest, **words):
        CALLS.append(name)
        pairs = list(grads)
        if name == "apply_gradients":
            return before(self, [(0.5 * g, v) for g, v in pairs], *rest, **words)
        return before(self, [0.5 * g for g in pairs], *rest, **words)

    return type("Own", (kind,), {name: method, "__module__": "mine"})


def model(kind=keras.Model):
    """Return a small network of a class of models."""
    x = keras.Input((8, 8))
    hidden = LAYERS.Dense(8, "relu")(LAYERS.Flatten()(x))
    return kind(x, LAYERS.Dense(10, "softmax")(hidden))


def compiled(made, **words):
    """Compile a network."""
    made.compile(**{"optimizer": OPT.SGD(0.1), "loss": SPARSE, "metrics": ["accuracy"], **words})
    return made


def with_optimizer(optimizer):
    """Return a network with an optimizer."""
    return compiled(model(), optimizer=optimizer)


def step(self, gradient, variable, rate):
    """Note the call and make a step of half the length."""
    CALLS.append("update_step")
    self.assign_sub(variable, gradient * rate * 0.5)


def on_instance(thing, name, method):
    """Set a method on an object."""
    setattr(thing, name, types.MethodType(method, thing))
    return thing


def own_train_step():
    """Return a model with a train_step set on it."""
    made = compiled(model())
    return on_instance(made, "train_step", noted(made.train_step, "train_step"))


def own_train_function():
    """Return a model whose function that takes the batches is a person's own."""

    class Own(keras.Model):
        def make_train_function(self, force=False):
            import tensorflow as tf

            CALLS.append("make_train_function")

            @tf.function
            def function(iterator):
                return self.train_step(next(iterator))

            self.train_function = function
            return function

    return compiled(model(Own))


def counting_loss():
    """Return the loss with a method set on it."""
    loss = keras.losses.SparseCategoricalCrossentropy()
    before = loss.call

    def call(self, y_true, y_pred):
        CALLS.append("call")
        return 0.5 * before(y_true, y_pred)

    return on_instance(loss, "call", call)


def shown_metric(y_true, y_pred):
    """Note that a metric was asked."""
    CALLS.append("metric")
    return keras.metrics.sparse_categorical_crossentropy(y_true, y_pred)


AROUND = {
    "train_step": lambda: compiled(model(over(keras.Model, "train_step"))),
    "train_step set": own_train_step,
    "compute_metrics": lambda: compiled(model(over(keras.Model, "compute_metrics"))),
    "reset_metrics": lambda: compiled(model(over(keras.Model, "reset_metrics"))),
    "get_metrics_result": lambda: compiled(model(over(keras.Model, "get_metrics_result"))),
    "make_train_function": own_train_function,
    "predict_step": lambda: compiled(model(over(keras.Model, "predict_step"))),
    "make_predict_function": lambda: compiled(model(over(keras.Model, "make_predict_function"))),
    "predict": lambda: compiled(model(over(keras.Model, "predict"))),
    "apply_gradients": lambda: with_optimizer(halving(OPT.SGD, "apply_gradients")(0.1)),
    "apply": lambda: with_optimizer(halving(OPT.Adam, "apply")(0.01)),
    "apply_gradients set": lambda: with_optimizer(
        on_instance(
            made := OPT.SGD(0.1), "apply_gradients", noted(made.apply_gradients, "apply_gradients")
        )
    ),
    "update_step": lambda: with_optimizer(
        type("Own", (OPT.SGD,), {"update_step": step, "__module__": "mine"})(0.1)
    ),
    "update_step set": lambda: with_optimizer(on_instance(OPT.SGD(0.1), "update_step", step)),
    "_backend_update_step": lambda: with_optimizer(halving(OPT.Adam, "_backend_update_step")(0.01)),
    "scale_loss": lambda: with_optimizer(over(OPT.SGD, "scale_loss", 0.5)(0.1)),
    "inner": lambda: with_optimizer(
        OPT.LossScaleOptimizer(halving(OPT.SGD, "apply")(0.1), initial_scale=4.0)
    ),
    "metric": lambda: compiled(model(), metrics=["accuracy", shown_metric]),
    "update_state": lambda: compiled(
        model(), metrics=[over(keras.metrics.SparseCategoricalAccuracy, "update_state")()]
    ),
}
"""Methods that the fast fit goes around."""

THROUGH = {
    "compute_loss": lambda: compiled(model(over(keras.Model, "compute_loss", 0.5))),
    "__call__": lambda: compiled(
        model(), loss=over(keras.losses.SparseCategoricalCrossentropy, "__call__", 0.5)()
    ),
    "call": lambda: compiled(
        model(), loss=over(keras.losses.SparseCategoricalCrossentropy, "call", 0.5)()
    ),
    "call set": lambda: compiled(model(), loss=counting_loss()),
    "schedule": lambda: with_optimizer(
        OPT.SGD(over(OPT.schedules.ExponentialDecay, "__call__", 0.5)(0.5, 5, 0.5))
    ),
    "constraint": lambda: compiled(
        dense(kernel_constraint=over(keras.constraints.MaxNorm, "__call__")(0.5))
    ),
    "regularizer": lambda: compiled(
        dense(kernel_regularizer=over(keras.regularizers.L2, "__call__")(0.1))
    ),
    "initializer": lambda: compiled(
        dense(kernel_initializer=over(keras.initializers.HeNormal, "__call__")(3))
    ),
}
"""Methods that the fast fit calls as Keras does."""


def dense(**words):
    """Return a network with one layer."""
    return keras.Sequential(
        [keras.Input((8, 8)), LAYERS.Flatten(), LAYERS.Dense(10, "softmax", **words)]
    )


def fitted(make, fast=True, **words):
    """Fit a network on digits."""

    def build(input_shape, n_classes):
        return make()

    words = {"epochs": 2, "batch_size": 32, "random_state": 5, "scaling": "unit", **words}
    return KerasClassifier(build, fast=fast, **words).fit(X, Y)


def as_keras(ours):
    """Compare with one call of ``Model.fit``."""
    scaled = X.astype(np.float32) * np.float32(1 / ours._scaling.scale)
    theirs = keras_weights(ours, scaled, Y)
    for one, other in zip([w for _, w in ours.named_weights()], theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", AROUND)
def test_what_the_fast_fit_would_go_around_is_keras_own_fit(name):
    """The reason names the method; it is called, and the weights are those of ``Model.fit``."""
    CALLS.clear()
    method = {"inner": "apply", "metric": "shown_metric"}.get(name, name.split()[0])
    with pytest.warns(UserWarning, match=f"fast fit not possible: .*{method}"):
        ours = fitted(AROUND[name])
    ours.predict(X[:5])
    assert ours._backend_name == "keras"
    assert {"metric": "metric"}.get(name, method) in CALLS
    as_keras(ours)


@pytest.mark.parametrize("name", THROUGH)
def test_what_the_fast_fit_calls_is_called_as_keras_does(name):
    """Losses, schedules, constraints, regularizers and initializers, of a class or set."""
    CALLS.clear()
    ours = fitted(THROUGH[name])
    assert ours._backend_name == "graph"
    assert CALLS
    as_keras(ours)


def test_a_method_put_into_a_class_of_keras_counts(monkeypatch):
    """Also where sweep compiles the model; it is called."""
    monkeypatch.setattr(OPT.SGD, "update_step", step)
    CALLS.clear()
    with pytest.warns(UserWarning, match="SGD has its own update_step"):
        fitted(model, optimizer="sgd")
    assert "update_step" in CALLS


def test_a_fit_of_ones_own_is_refused():
    """Sweep runs the epochs itself; the message says what to do."""
    with pytest.raises(ModelError, match=r"Own\.fit is a method of your own.*train_step"):
        fitted(lambda: compiled(model(over(keras.Model, "fit"))))


def test_predictions_are_those_of_ones_own_predict_step():
    """Probabilities that it makes of logits are taken as they are."""

    class Own(keras.Model):
        def predict_step(self, data):
            return keras.ops.softmax(super().predict_step(data) * 3.0)

    def make():
        x = keras.Input((8, 8))
        made = Own(x, LAYERS.Dense(10)(LAYERS.Flatten()(x)))
        return compiled(made, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))

    with pytest.warns(UserWarning, match="Own has its own predict_step"):
        ours = fitted(make)
    scaled = X.astype(np.float32) * np.float32(1 / ours._scaling.scale)
    expected = ours.model_.predict(scaled, verbose=0)
    np.testing.assert_allclose(ours.predict_proba(X), expected, atol=1e-5)
