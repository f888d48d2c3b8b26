"""Models as people compile them: as one call of ``Model.fit``, or by Keras itself, or refused."""

import keras
import numpy as np
import pytest

from sweep import KerasClassifier, load_dataset
from sweep.errors import ModelError
from tests.keras_fit import keras_weights

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=200, test_rows=50)
X, Y = DIGITS.x_train, DIGITS.y_train
UNIT = X.astype(np.float32) / np.float32(X.max())
LAYERS, LOSSES, OPT = keras.layers, keras.losses, keras.optimizers
SPARSE = "sparse_categorical_crossentropy"


def network(*hidden, end="softmax", units=10, **last):
    """Return a small network around some layers."""
    flat = [keras.Input((8, 8)), LAYERS.Flatten()]
    return keras.Sequential([*flat, *hidden, LAYERS.Dense(units, end, **last)])


def dense(units=12, **words):
    """Return a dense layer with ReLU."""
    return LAYERS.Dense(units, "relu", **words)


def functional():
    """Return a network of Keras's functional kind, with a name for its output."""
    x = keras.Input((8, 8))
    return keras.Model(x, LAYERS.Dense(10, "softmax", name="last")(LAYERS.Flatten()(x)))


def frozen():
    """Return a network whose first layer is not trained."""
    return network(dense(trainable=False), dense())


def shared():
    """Return a network that uses a layer twice."""
    x = keras.Input((8, 8))
    again = LAYERS.Dense(16, "relu")
    flat = LAYERS.Dense(16)(LAYERS.Flatten()(x))
    return keras.Model(x, LAYERS.Dense(10, "softmax")(again(again(flat))))


def masked():
    """Return a network whose rows of pixels are masked where they are empty."""
    x = keras.Input((8, 8))
    return keras.Model(x, LAYERS.Dense(10, "softmax")(LAYERS.GRU(6)(LAYERS.Masking()(x))))


class Layered(LAYERS.Layer):
    """A layer of one's own, with a loss of its own."""

    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        self.add_loss(0.01 * keras.ops.sum(keras.ops.square(self.factor)))
        return x * self.factor


class Written(keras.Model):
    """A model written as a class, its layers known at its first rows."""

    def __init__(self):
        super().__init__()
        self.flat, self.hidden = LAYERS.Flatten(), LAYERS.Dense(12, "relu")
        self.inner = keras.Sequential([LAYERS.Dense(8, "relu"), LAYERS.Dropout(0.3)])
        self.end = LAYERS.Dense(10)

    def call(self, x, training=False):
        return self.end(self.inner(self.hidden(self.flat(x)), training=training))


class OwnLoss(keras.Model):
    """A model that weighs what Keras computes."""

    def compute_loss(self, *args, **kwargs):
        return super().compute_loss(*args, **kwargs) * 0.5


class OwnStep(keras.Model):
    """A model with a training step of its own: half the gradient."""

    def train_step(self, data):
        import tensorflow as tf

        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = 0.5 * self.compute_loss(y=y, y_pred=self(x, training=True), sample_weight=weight)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self._loss_tracker.update_state(loss)
        return {"loss": self._loss_tracker.result()}


class GuideStep(keras.Model):
    """As Keras's guide writes it: two parts of data, metrics by name."""

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


def of_kind(kind):
    """Return a small network of a class of models."""
    x = keras.Input((8, 8))
    return kind(x, LAYERS.Dense(10, "softmax")(dense()(LAYERS.Flatten()(x))))


def focal(y_true, y_pred):
    """Return a loss of one's own, on class numbers."""
    picked = keras.ops.take_along_axis(y_pred, keras.ops.cast(y_true, "int32")[:, None], axis=1)
    return -keras.ops.square(1 - picked[:, 0]) * keras.ops.log(picked[:, 0] + 1e-6)


class Halved(keras.losses.Loss):
    """A loss of one's own as a class, on class numbers."""

    def call(self, y_true, y_pred):
        return 0.5 * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)


L2 = keras.regularizers.L2(0.01)
STEPS = {"steps_per_execution": 7}
EMA = {"use_ema": True, "ema_momentum": 0.9}
RATES = OPT.schedules
# name: (network, what it is compiled with)
SAME = {
    "plain": (network, {"optimizer": "adam"}),
    "clipnorm": (network, {"optimizer": lambda: OPT.Adam(0.01, clipnorm=0.1)}),
    "clipvalue": (network, {"optimizer": lambda: OPT.SGD(0.1, clipvalue=0.01)}),
    "global clipnorm": (network, {"optimizer": lambda: OPT.Adam(0.01, global_clipnorm=0.1)}),
    "amsgrad": (network, {"optimizer": lambda: OPT.Adam(0.01, amsgrad=True)}),
    "decay": (network, {"optimizer": lambda: OPT.AdamW(0.01, weight_decay=0.1)}),
    "schedule": (
        network,
        {"optimizer": lambda: OPT.SGD(RATES.ExponentialDecay(0.5, 5, 0.5), momentum=0.9)},
    ),
    "steps": (
        network,
        {"optimizer": lambda: OPT.Adam(RATES.PiecewiseConstantDecay([4], [0.05, 0.001]))},
    ),
    "ema": (network, {"optimizer": lambda: OPT.Adam(0.01, **EMA)}),
    "ema often": (
        network,
        {"optimizer": lambda: OPT.SGD(0.1, ema_overwrite_frequency=3, **EMA)},
    ),
    "accumulation": (network, {"optimizer": lambda: OPT.Adam(0.01, gradient_accumulation_steps=2)}),
    "loss scale": (network, {"optimizer": lambda: OPT.SGD(0.1, loss_scale_factor=16.0)}),
    "dynamic scale": (network, {"optimizer": lambda: OPT.LossScaleOptimizer(OPT.Adam(0.01))}),
    "l2": (lambda: network(dense(kernel_regularizer=L2, activity_regularizer=L2)), {}),
    "constraint": (lambda: network(dense(kernel_constraint=keras.constraints.MaxNorm(0.5))), {}),
    "masking": (masked, {}),
    "frozen": (frozen, {}),
    "shared": (shared, {}),
    "batch norm": (lambda: network(dense(), LAYERS.BatchNormalization()), {}),
    "layer norm": (lambda: network(dense(), LAYERS.LayerNormalization()), {}),
    "dropout": (lambda: network(dense(), LAYERS.Dropout(0.4)), {}),
    "noise": (lambda: network(LAYERS.GaussianNoise(0.2), dense()), {}),
    "own layer": (lambda: network(dense(), Layered()), {}),
    "lambda": (lambda: network(LAYERS.Lambda(lambda x: x * 2), dense()), {}),
    "nested": (lambda: network(keras.Sequential([dense(), LAYERS.Dropout(0.2)])), {}),
    "no input": (
        lambda: keras.Sequential([LAYERS.Flatten(), dense(), LAYERS.Dense(10, "softmax")]),
        {},
    ),
    "written": (Written, {"loss": lambda: LOSSES.SparseCategoricalCrossentropy(from_logits=True)}),
    "compute_loss": (lambda: of_kind(OwnLoss), {}),
    "own function": (network, {"loss": lambda: focal}),
    "own loss": (network, {"loss": Halved}),
    "logits": (
        lambda: network(end=None),
        {"loss": lambda: LOSSES.SparseCategoricalCrossentropy(from_logits=True)},
    ),
    "sum": (
        network,
        {
            "loss": lambda: LOSSES.SparseCategoricalCrossentropy(reduction="sum"),
            "optimizer": lambda: OPT.SGD(1e-3),
        },
    ),
    "ignored": (network, {"loss": lambda: LOSSES.SparseCategoricalCrossentropy(ignore_class=3)}),
    "loss weights": (network, {"loss_weights": [3.0], "loss": [SPARSE]}),
    "listed": (network, {"loss": [SPARSE]}),
    "no metrics": (network, {"metrics": None}),
    "acc": (network, {"metrics": ["acc", "sparse_top_k_categorical_accuracy"]}),
    "several steps a call": (network, STEPS),
    "xla": (network, {"jit_compile": True}),
}
ONE_HOT = {
    "crossentropy": (network, {"loss": "categorical_crossentropy"}),
    "crossentropy listed": (network, {"loss": ["categorical_crossentropy"]}),
    "smoothed": (network, {"loss": lambda: LOSSES.CategoricalCrossentropy(label_smoothing=0.1)}),
    "mse": (network, {"loss": "mse", "optimizer": lambda: OPT.SGD(0.5)}),
    "MeanSquaredError": (network, {"loss": LOSSES.MeanSquaredError}),
    "hinge": (lambda: network(end=None), {"loss": "categorical_hinge"}),
    "kld": (network, {"loss": "kl_divergence"}),
    "focal": (network, {"loss": LOSSES.CategoricalFocalCrossentropy}),
    "hinge object": (network, {"loss": LOSSES.CategoricalHinge}),
    "mse in a list": (network, {"loss": ["mean_squared_error"]}),
    "mse in a dict": (network, {"loss": {"last": "mse"}}),
    "weighed in a dict": (functional, {"loss": {"last": "mse"}, "loss_weights": {"last": 2.0}}),
    "a function": (network, {"loss": lambda: LOSSES.categorical_crossentropy}),
    "Keras's class name": (network, {"loss": "CategoricalCrossentropy"}),
    "ten sigmoids": (lambda: network(end="sigmoid"), {"loss": "binary_crossentropy"}),
}
KERAS_OWN = {
    "train_step": (lambda: of_kind(OwnStep), {"metrics": None}),
    "guide": (lambda: of_kind(GuideStep), {}),
    "eager": (network, {"run_eagerly": True}),
}


def factory_of(make, how):
    """Return a factory whose network is compiled so."""

    def build(input_shape, n_classes):
        model = make()
        words = {"optimizer": "sgd", "loss": SPARSE, "metrics": ["accuracy"], **how}
        model.compile(**{k: v() if callable(v) else v for k, v in words.items()})
        return model

    return build


def fitted(make, how, **changes):
    """Fit such a model on digits."""
    words = {"epochs": 3, "batch_size": 32, "random_state": 5, "scaling": "unit", **changes}
    return KerasClassifier(factory_of(make, how), **words)


def check(make, how, one_hot=False, sample_weight=None, **changes):
    """Compare with one call of ``Model.fit``."""
    ours = fitted(make, how, **changes).fit(X, Y, sample_weight)
    scaled = X.astype(np.float32) * np.float32(1 / ours._scaling.scale)
    theirs = keras_weights(ours, scaled, Y, sample_weight, one_hot=one_hot)
    for one, other in zip([w for _, w in ours.named_weights()], theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)
    assert np.isfinite(ours.history_["loss"]).all()
    return ours


@pytest.mark.parametrize("name", SAME)
def test_the_fast_fit_is_one_call_of_keras_fit(name):
    """Whatever the model is compiled with, and without falling back."""
    ours = check(*SAME[name])
    assert ours._backend_name == "graph"


@pytest.mark.parametrize("name", ["ema", "ema often", "accumulation", "schedule", "dropout"])
def test_the_plain_fit_is_one_call_of_keras_fit(name):
    """Not one call an epoch: what Keras does at the end of a fit happens once."""
    check(*SAME[name], fast=False)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("name", ONE_HOT)
def test_losses_on_one_hot_labels_get_them(name, fast):
    """Labels are encoded as the loss wants them."""
    ours = check(*ONE_HOT[name], one_hot=True, fast=fast)
    proba = ours.predict_proba(DIGITS.x_test)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", KERAS_OWN)
def test_what_the_fast_fit_cannot_follow_is_given_to_keras_with_the_reason(name):
    """Never another result without a word."""
    with pytest.warns(UserWarning, match="fast fit not possible"):
        check(*KERAS_OWN[name])


def test_several_outputs_are_refused():
    """The message counts them."""

    def build(input_shape, n_classes):
        x = keras.Input((8, 8))
        flat = LAYERS.Flatten()(x)
        return keras.Model(x, [LAYERS.Dense(10)(flat), LAYERS.Dense(10)(flat)])

    with pytest.raises(ModelError, match="one input and one output, got 1 and 2"):
        KerasClassifier(build).fit(X, Y)


WEIGHTS = np.random.default_rng(0).uniform(0, 3, len(Y)).astype(np.float32)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
def test_sample_weights_act_as_keras_lets_them(optimizer, fast):
    """A batch's loss is divided by its rows, not by its weights."""
    check(network, {"optimizer": optimizer}, sample_weight=WEIGHTS, fast=fast)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("weights", [{0: 1, 1: 9}, {0: 10, 1: 90}])
def test_class_weights_act_as_keras_lets_them(weights, fast):
    """They are the weights of their rows."""
    y = (Y == 6).astype(int)
    build = factory_of(lambda: network(dense(), end="sigmoid", units=1), {"loss": "bce"})
    words = {"epochs": 2, "random_state": 5, "batch_size": 16, "fast": fast, "scaling": "unit"}
    ours = KerasClassifier(build, class_weight=weights, **words).fit(X, y)
    scaled = X.astype(np.float32) * np.float32(1 / ours._scaling.scale)
    theirs = keras_weights(ours, scaled, y, np.array([weights[label] for label in y], np.float32))
    for one, other in zip([w for _, w in ours.named_weights()], theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4, rtol=1e-4)
