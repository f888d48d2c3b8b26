"""What every training backend promises, tested for each of them: see ``training/backend.py``."""

import copy
import pickle

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.base import clone

from sweep import KerasClassifier, KerasMLPClassifier, load_dataset
from sweep.errors import LedgerError, ModelError
from sweep.estimators.weight_files import load_fitted, save_fitted
from sweep.export.loading import standalone
from sweep.training import backend_choice
from sweep.training.architecture import Architecture
from sweep.training.backend import Rows, Settings, UnsupportedModelError, epoch_order
from sweep.training.backend_choice import BACKENDS
from sweep.training.blueprint import make_blueprint
from sweep.training.keras_backend import KerasBackend
from sweep.training.optimizers import OptimizerSettings

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=120, test_rows=30)
X, Y, TEST = DIGITS.x_train, DIGITS.y_train, DIGITS.x_test
SHIFT, FACTOR, SEED = 2.0, 1 / 16, 7
SETTINGS = Settings(0.01, 0.0, 32, SEED)
WORDS = {"scaling": "unit", "epochs": 2, "random_state": SEED}
each_backend = pytest.mark.parametrize("kind", BACKENDS, ids=lambda kind: kind.name)
CALLS = []


def network(input_shape, n_classes, end="softmax"):
    """Return a small model with dropout, not compiled."""
    hidden = keras.layers.Dense(8, "relu")
    flat, drop = keras.layers.Flatten(), keras.layers.Dropout(0.2)
    last = keras.layers.Dense(n_classes, end)
    return keras.Sequential([keras.Input(input_shape), flat, hidden, drop, last])


def logits(input_shape, n_classes):
    """Return one that ends without a softmax."""
    return network(input_shape, n_classes, end=None)


class OwnStep(keras.Model):
    """A model with a training step of its own."""

    def train_step(self, data):
        CALLS.append("train_step")
        return super().train_step(data)


class DrawingStep(keras.Model):
    """A model whose training step draws from a global generator."""

    def train_step(self, data):
        x, y = data
        return super().train_step((x + np.float32(0.01 * np.random.random()), y))


class OwnFit(keras.Model):
    """A model with a fit of its own, which sweep would never call."""

    def fit(self, *args, **kwargs):
        raise NotImplementedError


def compiled_as(cls, input_shape, n_classes):
    """Return a compiled model of a class."""
    inner = network(input_shape, n_classes)
    model = cls(inner.inputs[0], inner.outputs[0])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def own_step(input_shape, n_classes):
    """Return a model with its own training step."""
    return compiled_as(OwnStep, input_shape, n_classes)


def drawing_step(input_shape, n_classes):
    """Return a model whose training step draws."""
    return compiled_as(DrawingStep, input_shape, n_classes)


def own_fit(input_shape, n_classes):
    """Return a model with its own fit."""
    return compiled_as(OwnFit, input_shape, n_classes)


def engine_of(kind, factory=network):
    """Return a new backend around a factory's model."""
    architecture = Architecture(factory, (8, 8), 10, {})
    blueprint, model = make_blueprint(
        architecture, OptimizerSettings(), SEED, meaning_by_name(factory)
    )
    return kind(blueprint, SEED, model)


def meaning_by_name(factory):
    """Return what a factory's model outputs."""
    return "logits" if factory is logits else "probabilities"


def rows():
    """Return the training rows as tensors."""
    scaling = (tf.constant(SHIFT), tf.constant(FACTOR, tf.float32))
    weight = tf.ones(len(Y), tf.float32)
    return Rows(tf.constant(X), tf.constant(Y, tf.int64), weight, *scaling)


def trained(engine, epochs, seed=SEED):
    """Return the state of a fit after some epochs."""
    state = engine.start(seed)
    for _ in range(epochs):
        engine.train_epoch(state, rows(), Settings(0.01, 0.0, 32, seed))
    return state


def output_by_keras(engine, state):
    """Return what Keras itself predicts from the same weights."""
    model = engine.blueprint.build(SEED)
    model.set_weights(state.fitted)
    return model.predict((TEST.astype(np.float32) - SHIFT) * np.float32(FACTOR), verbose=0)


def same_arrays(one, other):
    """Return whether two lists of arrays are equal to the last bit."""
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@each_backend
def test_a_fit_starts_from_the_initial_weights_of_its_seed(kind):
    """They are those that Keras gives the model under that seed, whatever was trained before."""
    engine = engine_of(kind)
    trained(engine, 1)
    for seed in (SEED, 8):
        state = engine.start(seed)
        assert same_arrays(state.weights, engine.blueprint.build(seed).get_weights())
        assert (state.epoch, state.learning_rate, state.averaged) == (0, None, None)
    assert not same_arrays(engine.start(SEED).weights, engine.start(8).weights)


@each_backend
def test_an_epoch_updates_the_state_and_reports_loss_and_accuracy(kind):
    """Weights and optimizer change in place; the loss of a second epoch is lower."""
    engine = engine_of(kind)
    state, fresh = engine.start(SEED), engine.start(SEED)
    logs = [engine.train_epoch(state, rows(), SETTINGS) for _ in range(2)]
    assert not same_arrays(state.weights, fresh.weights)
    assert not same_arrays(state.optimizer, fresh.optimizer)
    assert state.epoch == 2
    assert logs[1]["loss"] < logs[0]["loss"]
    assert all(0 <= each["accuracy"] <= 1 for each in logs)


def test_all_backends_train_alike():
    """The same seed gives the same weights within 1e-4, dropout included."""
    first, *others = (trained(engine_of(kind), 3).weights for kind in BACKENDS)
    for other in others:
        for one, two in zip(first, other, strict=True):
            np.testing.assert_allclose(one, two, atol=1e-4)


@each_backend
def test_predictions_are_those_of_the_keras_model(kind):
    """One probability for each row and class, float32, as ``Model.predict`` gives them."""
    engine = engine_of(kind)
    state = trained(engine, 1)
    trained(engine, 1, seed=8)  # a later fit in the same model
    proba = engine.predict(state, TEST, SHIFT, FACTOR)
    assert (proba.shape, proba.dtype) == ((30, 10), np.float32)
    np.testing.assert_allclose(proba, output_by_keras(engine, state), atol=1e-6)


@each_backend
def test_logits_become_probabilities(kind):
    """A model without a softmax is trained, and predicts by the softmax of its output."""
    engine = engine_of(kind, logits)
    state = trained(engine, 2)
    output = output_by_keras(engine, state).astype(np.float64)
    odds = np.exp(output)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(engine.predict(state, TEST, SHIFT, FACTOR), expected, atol=1e-6)
    assert not np.allclose(output, expected, atol=0.1)


@each_backend
def test_a_fit_that_stops_and_goes_on_equals_one_that_runs_through(kind):
    """Also in another engine, and with another fit's epoch in between."""
    straight = trained(engine_of(kind), 3)
    engine = engine_of(kind)
    state = copy.deepcopy(trained(engine, 1))
    trained(engine, 1, seed=8)
    engine.train_epoch(state, rows(), SETTINGS)
    engine_of(kind).train_epoch(state, rows(), SETTINGS)
    assert same_arrays(state.weights, straight.weights)
    assert same_arrays(state.optimizer, straight.optimizer)


@each_backend
@pytest.mark.parametrize("pauses", [(1,), (2, 3), (4, 9)], ids=str)
def test_a_fit_that_pauses_within_an_epoch_equals_one_that_runs_through(kind, pauses):
    """Weights, optimizer, loss; predictions and another fit in between; a part is no whole."""
    straight, engine = engine_of(kind), engine_of(kind)
    whole, state = straight.start(SEED), engine.start(SEED)
    for _ in range(2):
        for batches in pauses:
            engine.train_part(state, rows(), SETTINGS, batches)
            engine.predict(state, TEST, SHIFT, FACTOR)
            trained(engine, 1, seed=8)
        assert same_arrays(state.weights, whole.weights) is False
        logs = engine.train_epoch(state, rows(), SETTINGS)
        assert logs == straight.train_epoch(whole, rows(), SETTINGS)
        assert same_arrays(state.weights, whole.weights)
        assert same_arrays(state.optimizer, whole.optimizer)
    assert (state.epoch, state.part) == (2, None)


@each_backend
def test_a_part_of_an_epoch_trains_its_first_batches(kind):
    """A pause after two of four batches has the weights of an epoch over these rows alone."""
    engine, order = engine_of(kind), epoch_order(len(X), SEED, 0)
    state, few = engine.start(SEED), engine.start(SEED)
    engine.train_part(state, rows(), SETTINGS, 2)
    engine.train_part(state, rows(), SETTINGS, 1)  # it is further already
    first = rows().taken(order[:64])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{kind.__module__}.epoch_order", lambda count, *_: np.arange(count))
        engine.train_epoch(few, first, SETTINGS)
    assert same_arrays(state.weights, few.weights)
    assert state.part.batches == 2


@each_backend
def test_a_visit_lends_the_model_and_stores_what_was_changed(kind):
    """A callback finds the fit's weights; those it sets and its learning rate are kept."""
    engine = engine_of(kind)
    state = trained(engine, 1)
    trained(engine, 1, seed=8)
    before = state.weights
    with engine.visit(state, SETTINGS) as model:
        assert model is engine.model
        assert same_arrays(model.get_weights(), before)
        model.set_weights([2 * each for each in before])
        model.optimizer.learning_rate = 0.5
    assert same_arrays(state.weights, [2 * each for each in before])
    assert state.learning_rate == pytest.approx(0.5)


class Recorder:
    """The two methods of a ``CallbackList`` that a backend calls at each batch."""

    def __init__(self):
        self.calls = []

    def on_train_batch_begin(self, batch):
        self.calls.append(("begin", batch))

    def on_train_batch_end(self, batch, logs):
        self.calls.append(("end", batch))


@each_backend
def test_batch_callbacks_are_called_by_a_backend_that_says_so(kind):
    """Before and after each of the four batches; by another one never."""
    engine, recorder = engine_of(kind), Recorder()
    engine.train_epoch(engine.start(SEED), rows(), SETTINGS, recorder)
    expected = [(when, batch) for batch in range(4) for when in ("begin", "end")]
    assert recorder.calls == (expected if kind.calls_batch_callbacks else [])


def refusal(make):
    """Return why a backend refuses a model; empty if it takes it."""
    try:
        make()
    except UnsupportedModelError as error:
        return str(error)
    return ""


@each_backend
def test_a_model_is_trained_as_it_is_written_or_refused_with_the_reason(kind):
    """A training step of its own is called, or named by the refusal, before and after building."""
    CALLS.clear()
    checked = refusal(lambda: kind.check_model(own_step((8, 8), 10)))
    built = refusal(lambda: trained(engine_of(kind, own_step), 1))
    assert checked == built
    assert CALLS if not built else "OwnStep has its own train_step" in built


@each_backend
def test_a_model_with_a_fit_of_its_own_is_refused_with_the_remedy(kind):
    """No backend would call it, so none takes the model."""
    with pytest.raises(ModelError, match=r"OwnFit\.fit is a method of your own.*train_step"):
        engine_of(kind, own_fit)


# -- the estimators around them ----------------------------------------------------------------


class Third(KerasBackend):
    """A backend that nobody has heard of before."""

    name = "third"


@pytest.fixture(params=["graph", "keras", "third"])
def fitted(request, monkeypatch):
    """Return an estimator fitted by each backend, and by one that was added to the table."""
    chosen = {each.name: each for each in (*BACKENDS, Third)}[request.param]
    others = [each for each in (*BACKENDS, Third) if each is not chosen]
    monkeypatch.setattr(backend_choice, "BACKENDS", (chosen, *others))
    model = KerasMLPClassifier(hidden_size=8, dropout_rate=0.2, checkpoint_epochs=[1], **WORDS)
    model.fit(X, Y)
    assert model._backend_name == request.param
    monkeypatch.setattr(backend_choice, "BACKENDS", (*others, chosen))
    return model


def check_same(restored, model):
    """Compare backend and predictions with those of the fitted estimator."""
    assert type(restored._engine()) is type(model._engine())
    np.testing.assert_array_equal(restored.predict_proba(TEST), model.predict_proba(TEST))


def test_a_pickled_estimator_remembers_its_backend(fitted):
    """Whatever a new fit would choose by now."""
    check_same(pickle.loads(pickle.dumps(fitted)), fitted)  # noqa: S301 - our own


@pytest.mark.parametrize("fast", [True, False])
def test_an_estimator_loaded_from_its_file_remembers_its_backend(fitted, fast, tmp_path):
    """Also where the clone that it is loaded into would choose another."""
    save_fitted(fitted, tmp_path / "w.npz")
    check_same(load_fitted(clone(fitted).set_params(fast=fast), tmp_path / "w.npz"), fitted)


def test_a_file_written_before_backends_had_names_is_loaded(tmp_path):
    """It says only whether the fit was a fast one."""
    model = KerasMLPClassifier(hidden_size=8, fast=False, **WORDS).fit(X, Y)
    save_fitted(model, tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as saved:
        arrays = {name: saved[name] for name in saved.files if name != "backend"}
    for fast, name in ((True, "graph"), (False, "keras")):
        np.savez(tmp_path / "old.npz", **arrays, engine=np.array([fast]))
        old = load_fitted(clone(model), tmp_path / "old.npz")
        assert old._backend_name == name
        np.testing.assert_allclose(old.predict_proba(TEST), model.predict_proba(TEST), atol=1e-6)


def test_a_file_of_an_unknown_backend_is_refused_with_the_known_ones(fitted, monkeypatch, tmp_path):
    """A later version may have written it."""
    save_fitted(fitted, tmp_path / "w.npz")
    left = tuple(each for each in BACKENDS if each.name != fitted._backend_name)
    monkeypatch.setattr(backend_choice, "BACKENDS", left)
    with pytest.raises(
        LedgerError, match=f"backend '{fitted._backend_name}', and .* has: {left[0].name}"
    ):
        load_fitted(clone(fitted), tmp_path / "w.npz")


def test_copies_and_earlier_epochs_predict_by_the_backend_of_their_fit(fitted):
    """No second model is built for them."""
    engine = fitted._engine()
    assert copy.copy(fitted)._engine() is engine
    assert fitted.at_epoch(1)._engine() is engine
    assert not np.array_equal(fitted.at_epoch(1).predict_proba(TEST), fitted.predict_proba(TEST))


def test_models_given_away_predict_as_the_estimator(fitted):
    """``model_`` from scaled pixels, an export's model from raw ones."""
    expected, scale = fitted.predict_proba(TEST), np.float32(fitted._scaling.scale)
    scaled = TEST.astype(np.float32) / scale
    np.testing.assert_allclose(fitted.model_.predict(scaled, verbose=0), expected, atol=1e-6)
    raw = TEST.astype(np.float32)
    np.testing.assert_allclose(standalone(fitted).predict(raw, verbose=0), expected, atol=1e-6)


def test_a_refused_model_goes_to_the_next_backend_with_a_warning():
    """The warning says why, and the estimator keeps the backend that took the model."""
    model = KerasClassifier(own_step, **WORDS)
    with pytest.warns(UserWarning, match="OwnStep has its own train_step; Keras's own fit runs"):
        model.fit(X, Y)
    assert model._backend_name == BACKENDS[-1].name
    check_same(pickle.loads(pickle.dumps(model)), model)  # noqa: S301 - our own


@pytest.mark.filterwarnings("ignore:fast fit not possible")
def test_a_restored_model_whose_step_draws_predicts_the_same(tmp_path):
    """Only an epoch shows that the step draws, and a restored estimator has run none."""
    model = KerasClassifier(drawing_step, **WORDS).fit(X, Y)
    check_same(pickle.loads(pickle.dumps(model)), model)  # noqa: S301 - our own
    save_fitted(model, tmp_path / "w.npz")
    check_same(load_fitted(clone(model), tmp_path / "w.npz"), model)
