"""Factories of one's own: what reaches them, what they build, and what that means."""

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

from sweep import KerasClassifier, OptunaSearchCV, load_dataset, run_study
from sweep.cli.main import cli
from sweep.errors import ModelError
from sweep.training.engine_cache import engines_built

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=200, test_rows=80)
X, Y, TEST = DIGITS.x_train, DIGITS.y_train, DIGITS.x_test
WORDS = {"epochs": 3, "random_state": 1, "scaling": "unit"}
LAYERS = keras.layers
LOSS = "sparse_categorical_crossentropy"


def network(units=10, end="softmax", hidden="relu", width=16):
    """Return a small network."""
    parts = [keras.Input((8, 8)), LAYERS.Flatten(), LAYERS.Dense(width, hidden)]
    return keras.Sequential([*parts, LAYERS.Dense(units, end)])


def compiled(input_shape, n_classes, optimizer="sgd", learning_rate=None):
    """Compile as tutorials do."""
    model = network()
    made = keras.optimizers.get(optimizer)
    if learning_rate is not None:
        made.learning_rate = learning_rate
    model.compile(made, loss=LOSS, metrics=["accuracy"])
    return model


def proba(factory, **changes):
    """Fit, and return probabilities."""
    return KerasClassifier(factory, **{**WORDS, **changes}).fit(X, Y).predict_proba(TEST)


# -- parameters ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [True, False])
def test_a_parameter_that_the_factory_names_reaches_it(fast):
    """Three optimizers, three results; without one, the factory's own default."""
    found = {name: proba(compiled, optimizer=name, fast=fast) for name in ("sgd", "adam", "lion")}
    assert not np.allclose(found["sgd"], found["adam"])
    assert not np.allclose(found["adam"], found["lion"])
    np.testing.assert_array_equal(proba(compiled, fast=fast), found["sgd"])
    slow, quick = (proba(compiled, learning_rate=rate, fast=fast) for rate in (1e-5, 0.5))
    assert not np.allclose(slow, quick)


@pytest.mark.parametrize(
    ("name", "value"),
    [("momentum", 0.9), ("weight_decay", 0.1), ("learning_rate_decay", 0.1), ("nesterov", True)],
)
def test_a_parameter_that_cannot_act_is_refused_by_name(name, value):
    """The factory compiles, and does not name it."""
    with pytest.raises(ModelError, match=f"{name}: the factory compiles its own optimizer"):
        proba(compiled, **{name: value})


def scheduled(input_shape, n_classes):
    """Compile with a schedule."""
    model = network()
    rates = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(keras.optimizers.SGD(rates), loss=LOSS)
    return model


def test_a_rate_beside_a_schedule_is_refused():
    """Two rates would score equally."""
    with pytest.raises(ModelError, match="learning_rate: the factory compiles"):
        proba(scheduled, learning_rate=0.1)


OWN = """
import keras

def build(input_shape, n_classes, optimizer="sgd"):
    layers = keras.layers
    model = keras.Sequential([keras.Input(input_shape), layers.Flatten(),
                              layers.Dense(n_classes, "softmax")])
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


STUDY = """
[study]
name = "{module}"
[data]
dataset = "digits"
train_rows = 200
test_rows = 60
[model]
factory = "{module}:build"
epochs = 3
[search]
method = "grid"
cv = 2
[space]
{space}
"""


def study(folder, space, module="tutorial"):
    """Write a study over such a factory; return its file."""
    (folder / f"{module}.py").write_text(OWN, "utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(module=module, space=space), "utf-8")
    return path


def test_in_a_study_it_reaches_the_factory_too(tmp_path):
    """The three rows of the table differ."""
    asked = study(tmp_path, 'optimizer = ["sgd", "adam", "rmsprop"]')
    result = run_study(asked, allow=["tutorial"], storage=str(tmp_path / "l.db"), n_jobs=1)
    assert result.frame["mean_test_score"].nunique() == 3


def test_check_refuses_one_that_cannot_act(tmp_path):
    """Before anything trains."""
    asked = study(tmp_path, "momentum = [0.1, 0.9]", "tutorial_two")
    words = ["check", str(asked), "--allow", "tutorial_two", "--storage", str(tmp_path / "l.db")]
    done = CliRunner().invoke(cli, words)
    assert "momentum: the factory compiles its own optimizer" in " ".join(done.output.split())


def with_momentum(input_shape, n_classes, learn_rate=0.05, momentum=0.0, nesterov=False):
    """Compile SGD as the momentum tutorial does."""
    model = network()
    model.compile(keras.optimizers.SGD(learn_rate, momentum, nesterov), loss=LOSS)
    return model


def test_momentum_that_the_factory_names_is_not_sweeps():
    """No Adam is anywhere in it."""
    plain, heavy, ahead = (
        proba(with_momentum, **words)
        for words in ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True})
    )
    assert not np.allclose(plain, heavy)
    assert not np.allclose(heavy, ahead)


def uncompiled(input_shape, n_classes, optimizer="sgd"):
    """Take an optimizer and leave it."""
    return network()


def test_an_optimizer_that_the_factory_takes_and_does_not_use_is_refused():
    """It would reach nothing."""
    with pytest.raises(ModelError, match="not compiled, so that sweep's optimizer"):
        proba(uncompiled, optimizer="adam")


def neurons_second(input_shape, n_neurons=30):
    """Take something else where the number of classes comes."""
    return network(width=n_neurons)


def reversed_order(n_classes, input_shape):
    """Take the two the other way round."""
    return network()


@pytest.mark.parametrize("factory", [neurons_second, reversed_order])
def test_a_signature_that_begins_otherwise_is_refused(factory):
    """The number of classes would be taken for something else, in silence."""
    with pytest.raises(ModelError, match=r"must take \(input_shape, n_classes"):
        proba(factory)


def test_a_model_in_place_of_its_function_is_refused():
    """With what to write."""
    with pytest.raises(ModelError, match="the function that builds the model"):
        KerasClassifier(network()).fit(X, Y)


# -- what is built ---------------------------------------------------------------------------------

LTWO = keras.regularizers.L2
CONFIG = {"hidden": "relu", "l2": 0.0}


def configured(input_shape, n_classes, width=16):
    """Build what a global says."""
    hidden = LAYERS.Dense(width, CONFIG["hidden"], kernel_regularizer=LTWO(CONFIG["l2"]))
    parts = [LAYERS.Flatten(), hidden, LAYERS.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input(input_shape), *parts])


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


# -- what the output means -------------------------------------------------------------------------


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


# -- going on --------------------------------------------------------------------------------------


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


# -- diverged fits ---------------------------------------------------------------------------------


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
