"""Layers of one's own that draw without a seed: every fit under one seed is the same."""

import random

import keras
import numpy as np
import pytest

from sweep import KerasClassifier, load_dataset, run_study
from sweep.errors import NotRepeatableWarning
from sweep.training.model_identity import inspect_model
from tests.keras_fit import keras_weights

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:fast fit not possible"),
]

DIGITS = load_dataset("digits", train_rows=80, test_rows=20)
X, Y = DIGITS.x_train, DIGITS.y_train
SHARED = keras.random.SeedGenerator(3)


def noise_by_keras(x):
    """Draw from Keras's generator of the thread."""
    return keras.random.normal(keras.ops.shape(x))


def noise_by_shared(x):
    """Draw from a generator that no layer holds."""
    return keras.random.normal(keras.ops.shape(x), seed=SHARED)


def noise_by_op(x):
    """Draw from TensorFlow's global generator."""
    import tensorflow as tf

    return tf.random.normal(tf.shape(x))


def noise_by_seeded_op(x):
    """Draw from TensorFlow by the seed of an operation."""
    import tensorflow as tf

    return tf.random.normal(tf.shape(x), seed=3)


def noise_by_numpy(x):
    """Draw from NumPy's global generator inside the graph."""
    import tensorflow as tf

    def draw(x):
        return np.random.normal(size=x.shape).astype("float32")

    return tf.ensure_shape(tf.numpy_function(draw, [x], tf.float32), x.shape)


def noise_while_traced(x):
    """Draw from Python's generator when the graph is made."""
    return random.gauss(0, 1) + 0 * x


def noise_unseeded(x):
    """Draw from a generator that nobody can seed."""
    import tensorflow as tf

    def draw(x):
        return np.random.default_rng().normal(size=x.shape).astype("float32")

    return tf.ensure_shape(tf.numpy_function(draw, [x], tf.float32), x.shape)


def noise_by_generator(x):
    """Draw from one of TensorFlow's generators."""
    import tensorflow as tf

    if not hasattr(noise_by_generator, "held"):
        with tf.init_scope():
            noise_by_generator.held = tf.random.Generator.from_non_deterministic_state()
    return noise_by_generator.held.normal(tf.shape(x))


class Noise(keras.layers.Layer):
    """Add half of what a function draws, while training."""

    def __init__(self, draw, **words):
        super().__init__(**words)
        self.draw = draw

    def call(self, x, training=False):
        return x + 0.5 * self.draw(x) if training else x


def build(input_shape, n_classes, draw=noise_by_keras, width=8):
    """Return a small network with noise; one with dropout where nothing draws."""
    layer = keras.layers.Dropout(0.5) if draw is None else Noise(draw)
    dense = keras.layers.Dense(width, "relu")
    end = keras.layers.Dense(n_classes, "softmax")
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), dense, layer, end])


DRAWS = {
    "dropout": (None, True),
    "keras": (noise_by_keras, True),
    "shared": (noise_by_shared, True),
    "generator": (noise_by_generator, True),
    "op": (noise_by_op, False),
    "seeded op": (noise_by_seeded_op, False),
    "numpy": (noise_by_numpy, False),
    "traced": (noise_while_traced, False),
}
"""What draws, and whether the fast fit can take it."""


def made(draw, **words):
    """Return an estimator."""
    words = {"epochs": 3, "batch_size": 40, "random_state": 5, "scaling": "unit", **words}
    return KerasClassifier(build, draw=draw, **words)


@pytest.mark.parametrize("name", DRAWS)
def test_a_fit_is_the_same_whoever_has_drawn_before(name):
    """After other fits, epoch by epoch between them, in either engine, and as Keras's own fit."""
    draw, fast = DRAWS[name]
    first = made(draw).fit(X, Y)
    assert (first._backend_name, first.unrepeatable_) == ("graph" if fast else "keras", "")
    expected = first.predict_proba(X)
    stepped, other = made(draw), made(draw, random_state=8)
    random.random(), np.random.random()
    for _ in range(3):
        other.partial_fit(X, Y)
        stepped.partial_fit(X, Y)
    np.testing.assert_array_equal(stepped.predict_proba(X), expected)
    np.testing.assert_allclose(
        made(draw, fast=False).fit(X, Y).predict_proba(X), expected, atol=1e-4
    )
    assert np.abs(other.predict_proba(X) - expected).max() > 1e-3


@pytest.mark.parametrize("name", ["keras", "op"])
def test_a_fit_that_draws_is_one_call_of_keras_fit(name):
    """Under the same seeds the weights are those of ``Model.fit``."""
    draw, fast = DRAWS[name]

    def compiled(input_shape, n_classes):
        model = build(input_shape, n_classes, draw)
        model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
        return model

    ours = KerasClassifier(compiled, epochs=2, batch_size=40, random_state=5, scaling="unit")
    ours.fit(X, Y)
    scaled = X.astype(np.float32) * np.float32(1 / ours._scaling.scale)
    theirs = keras_weights(ours, scaled, Y, eager=not fast)
    for one, two in zip([w for _, w in ours.named_weights()], theirs, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-4, rtol=1e-4)


def test_what_no_seed_reaches_is_said():
    """The warning and the estimator name what differs."""
    with pytest.warns(NotRepeatableWarning, match="not repeatable: it gives different numbers"):
        found = made(noise_unseeded, epochs=1).fit(X, Y)
    assert "EagerPyFunc" in found.unrepeatable_ or "PyFunc" in found.unrepeatable_


OWN_RANDOM = np.random.default_rng(1)


class Scaled(keras.layers.Layer):
    """Multiplies by a number from a generator of the module, which no seed reaches."""

    def call(self, x, training=None):
        return x * OWN_RANDOM.uniform(0, 2) if training else x


def test_a_model_that_runs_eagerly_is_compared_too():
    """Its graph is not looked at: two models of one seed are asked, and what differs is said."""

    def factory(input_shape, n_classes):
        layers = [keras.Input(input_shape), keras.layers.Flatten(), Scaled()]
        model = keras.Sequential([*layers, keras.layers.Dense(n_classes, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        return model

    with pytest.warns(NotRepeatableWarning, match="not repeatable: it gives different numbers"):
        assert KerasClassifier(factory, epochs=1, random_state=1).fit(X, Y).unrepeatable_


def test_a_training_step_that_draws_is_seeded_too():
    """It runs without a graph, and twice alike."""

    class Drawing(keras.Model):
        def train_step(self, data):
            import tensorflow as tf

            x, y = data[:2]
            return super().train_step((x + 0.3 * tf.random.normal(tf.shape(x)), y))

    def factory(input_shape, n_classes):
        x = keras.Input(input_shape)
        end = keras.layers.Dense(n_classes, "softmax")(keras.layers.Flatten()(x))
        model = Drawing(x, end)
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    fits = [KerasClassifier(factory, epochs=2, random_state=1).fit(X, Y) for _ in range(2)]
    np.testing.assert_array_equal(fits[0].predict_proba(X), fits[1].predict_proba(X))


def test_a_layer_of_a_notebook_is_a_person_s_own():
    """What it computes tells its model from others, though Keras gives it no module."""

    class Shift(keras.layers.Layer):
        by = 0.0

        def call(self, x):
            return x + self.by

    Shift.__module__ = "__main__"

    def identity(by):
        Shift.by = by
        keras.utils.set_random_seed(0)
        return inspect_model(
            keras.Sequential([keras.Input((4,)), Shift(), keras.layers.Dense(2)]), (4,)
        )

    assert identity(1.0) == identity(1.0)
    assert identity(1.0) != identity(2.0)


STUDY = """
[study]
name = "noisy"
[data]
dataset = "digits"
train_rows = 120
[model]
factory = "tests.test_random_state:{factory}"
epochs = 3
[search]
method = "grid"
cv = 2
refit = false
scoring = "neg_log_loss"
[space]
width = {widths}
"""


def by_keras(input_shape, n_classes, width=8):
    """Return a network that draws from Keras."""
    return build(input_shape, n_classes, noise_by_keras, width)


def by_op(input_shape, n_classes, width=8):
    """Return a network that draws from TensorFlow."""
    return build(input_shape, n_classes, noise_by_op, width)


@pytest.mark.parametrize("factory", ["by_keras", "by_op"])
def test_a_table_is_the_same_for_any_workers_and_order(tmp_path, factory):
    """One worker; two that go on with half of it in the other order."""

    def scores(name, widths, n_jobs):
        text = STUDY.format(factory=factory, widths=widths)
        (tmp_path / "study.toml").write_text(text, "utf-8")
        storage = str(tmp_path / f"{name}.db")
        result = run_study(tmp_path / "study.toml", storage=storage, n_jobs=n_jobs, allow=["tests"])
        trials = result.record.trials
        return {t.params["width"]: [dict(s.test) for s in t.splits] for t in trials}

    expected = scores("one", [4, 6], 1)
    scores("two", [6], 1)
    assert scores("two", [6, 4], 2) == expected
