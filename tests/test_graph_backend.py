"""The fast fit: reset, swapped, stopped and repeated exactly; equal to Keras's own fit."""

import numpy as np
import pytest

from sweep import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier, load_dataset
from sweep.training.engine_cache import engines_built

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=300, test_rows=100)
X, Y = DIGITS.x_train, DIGITS.y_train
TEST = DIGITS.x_test
SETTINGS = {"scaling": "unit", "random_state": 3, "epochs": 3}
MODELS = [
    KerasMLPClassifier(hidden_size=16, dropout_rate=0.3, **SETTINGS),
    KerasMLPClassifier(hidden_size=[16, 8], batch_norm="before", **SETTINGS),
    KerasCNNClassifier(filters=4, batch_norm="after", conv_dropout_rate=0.2, **SETTINGS),
    KerasCNNClassifier(filters=4, augment="flip_shift", **SETTINGS),
    KerasClassifier("all_conv", filters=4, dense_width=8, **SETTINGS),
    KerasMLPClassifier(kernel_initializer="he_normal", l2=0.01, max_norm=0.8, **SETTINGS),
    KerasCNNClassifier(
        filters=4, kernel_initializer="orthogonal", l2=0.01, max_norm=0.8, **SETTINGS
    ),
    KerasMLPClassifier(hidden_size=16, label_smoothing=0.1, **SETTINGS),
]


def proba(model, **changes):
    """Fit a copy and return its probabilities on the test rows."""
    from sklearn.base import clone

    return clone(model).set_params(**changes).fit(X, Y).predict_proba(TEST)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__ + str(m.get_params()))
def test_the_same_seed_gives_the_same_model_to_the_last_bit(model):
    """Also after other seeds and rates have used the same compiled model in between."""
    first = proba(model)
    proba(model, random_state=9, learning_rate=0.1)
    np.testing.assert_array_equal(proba(model), first)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__ + str(m.get_params()))
def test_the_fast_fit_equals_keras_own(model):
    """Same initial weights, row order and dropout masks: the same probabilities within 1e-4."""
    np.testing.assert_allclose(proba(model), proba(model, fast=False), atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam"},
        {"optimizer": "sgd"},
        {"optimizer": "sgd", "momentum": 0.9, "nesterov": True, "learning_rate_decay": 1e-2},
        {"optimizer": "rmsprop", "momentum": 0.5},
        {"optimizer": "adamw", "weight_decay": 0.01},
        *(
            {"optimizer": name}
            for name in ("adadelta", "adagrad", "adamax", "ftrl", "lion", "nadam")
        ),
    ],
    ids=str,
)
def test_the_fast_fit_equals_keras_own_for_each_optimizer(settings):
    """Accumulators, momenta and the decay of the rate are reset and followed as Keras does."""
    model = KerasMLPClassifier(hidden_size=16, learning_rate=0.02, **SETTINGS).set_params(
        **settings
    )
    proba(model)  # so that the second fit meets a used optimizer
    np.testing.assert_allclose(proba(model), proba(model, fast=False), atol=1e-4)


def test_with_dropout_both_fits_score_alike_over_ten_seeds():
    """Their mean scores differ by less than three standard errors."""
    model = KerasMLPClassifier(hidden_size=16, dropout_rate=0.5, **SETTINGS)
    found = {
        fast: np.array(
            [
                np.mean(proba(model, fast=fast, random_state=seed).argmax(1) == DIGITS.y_test)
                for seed in range(10)
            ]
        )
        for fast in (True, False)
    }
    error = np.hypot(*(scores.std(ddof=1) / np.sqrt(10) for scores in found.values()))
    assert 0 < error < 0.05
    assert abs(found[True].mean() - found[False].mean()) < 3 * error


def test_rates_and_seeds_do_not_trace_anew():
    """One compiled model serves every learning rate, decay and seed of an architecture."""
    model = KerasMLPClassifier(hidden_size=17, learning_rate_decay=0.2, **SETTINGS)
    proba(model)
    before = engines_built()
    for change in ({"learning_rate": 0.1}, {"learning_rate_decay": 0.1}, {"random_state": 8}):
        proba(model, **change)
    assert engines_built() == before


def test_penalties_and_largest_norms_do_not_trace_anew():
    """One compiled model serves them all, each fit as Keras's own with its numbers."""
    words = {"hidden_size": 18, "dropout_rate": 0.2, "l2": 0.1, "max_norm": 3.0, **SETTINGS}
    proba(KerasMLPClassifier(**words))
    before, changed = engines_built(), {"l2": 0.02, "max_norm": 0.5, "dropout_rate": 0.1}
    fast = KerasMLPClassifier(**{**words, **changed}).fit(X, Y)
    assert engines_built() == before
    slow = KerasMLPClassifier(**{**words, **changed, "fast": False}).fit(X, Y)
    np.testing.assert_allclose(fast.predict_proba(TEST), slow.predict_proba(TEST), atol=1e-4)
    np.testing.assert_allclose(fast.history_["loss"], slow.history_["loss"], rtol=1e-4)
    norms = np.sqrt((dict(fast.named_weights())["dense_1/kernel"] ** 2).sum(axis=0))
    assert 0.3 < norms.max() < 0.5001


def test_a_callback_that_saves_the_model_saves_the_rates_of_its_fit(tmp_path):
    """The compiled model has served another fit before, with other rates."""
    import keras

    words = {"hidden_size": 15, "l2": 0.1, "max_norm": 3.0, "dropout_rate": 0.2, **SETTINGS}
    proba(KerasMLPClassifier(**words))
    path = tmp_path / "model.keras"

    class Saving(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.save(path)

    words |= {"l2": 0.02, "max_norm": 0.5, "dropout_rate": 0.1}
    KerasMLPClassifier(**words, callbacks=[Saving()]).fit(X, Y)
    _, dense, drop, _ = keras.models.load_model(path).layers[1:]
    assert dense.kernel_regularizer.l2 == 0.02
    assert dense.kernel_constraint.max_value == 0.5
    assert drop.rate == 0.1


@pytest.mark.parametrize("name", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_the_default_rate_is_the_optimizers_own_whoever_came_before(name, decay):
    """A first fit with another rate leaves nothing behind in the compiled model."""
    words = {"hidden_size": 19, "optimizer": name, "learning_rate_decay": decay, **SETTINGS}
    model = KerasMLPClassifier(**words)
    proba(model, learning_rate=0.5)
    np.testing.assert_allclose(proba(model), proba(model, fast=False), atol=1e-4)


def test_stepping_by_epochs_equals_one_fit():
    """partial_fit three times is fit with three epochs."""
    model = KerasMLPClassifier(hidden_size=16, dropout_rate=0.3, **SETTINGS)
    for _ in range(3):
        model.partial_fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(TEST), proba(MODELS[0]))


def test_two_fits_side_by_side_do_not_disturb_each_other():
    """Estimators of one architecture share a compiled model and keep their own state."""
    a, b = (KerasMLPClassifier(hidden_size=16, random_state=s) for s in (1, 2))
    for _ in range(2):
        a.partial_fit(X, Y)
        b.partial_fit(X, Y)
    alone = KerasMLPClassifier(hidden_size=16, random_state=1, epochs=2).fit(X, Y)
    np.testing.assert_array_equal(a.predict_proba(TEST), alone.predict_proba(TEST))


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_checkpoint_equals_a_separate_fit(epoch):
    """at_epoch(k) is the estimator that epochs=k would have given."""
    long = KerasMLPClassifier(
        hidden_size=16, dropout_rate=0.3, checkpoint_epochs=[1, 2], **SETTINGS
    )
    staged = long.fit(X, Y).at_epoch(epoch)
    np.testing.assert_array_equal(staged.predict_proba(TEST), proba(MODELS[0], epochs=epoch))
    assert staged.n_epochs_ == len(staged.history_["loss"]) == epoch


def test_an_epoch_that_was_not_kept_is_refused():
    """The message says which epochs there are."""
    model = KerasMLPClassifier(checkpoint_epochs=[2], **SETTINGS).fit(X, Y)
    with pytest.raises(ValueError, match=r"kept are \[2, 3\]"):
        model.at_epoch(1)


def test_a_fit_broken_off_leaves_nothing_behind(monkeypatch):
    """After an interrupted epoch the next prediction and fit start from whole weights."""
    from sweep.training import graph_backend

    model = KerasMLPClassifier(hidden_size=16, random_state=4, epochs=2)
    expected = model.fit(X, Y).predict_proba(TEST)
    broken = KerasMLPClassifier(hidden_size=16, random_state=4)
    broken.partial_fit(X, Y)
    monkeypatch.setattr(graph_backend.GraphBackend, "_read_weights", lambda _self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        broken.partial_fit(X, Y)
    monkeypatch.undo()
    broken.partial_fit(X, Y)
    np.testing.assert_array_equal(broken.predict_proba(TEST), expected)


def test_short_graph_calls_change_nothing(monkeypatch):
    """How an epoch is cut into graph calls leaves weights and history untouched."""
    from sweep.training import graph_backend

    whole = KerasMLPClassifier(hidden_size=16, **SETTINGS).fit(X, Y)
    monkeypatch.setattr(graph_backend, "CALL_SECONDS", 0.0)
    cut = KerasMLPClassifier(hidden_size=16, **SETTINGS).fit(X, Y)
    np.testing.assert_array_equal(cut.predict_proba(TEST), whole.predict_proba(TEST))
    assert cut.history_["loss"] == whole.history_["loss"]


def test_fits_in_threads_are_those_of_one_thread():
    """Four seeds of one architecture, side by side."""
    from joblib import Parallel, delayed

    def one(seed):
        return KerasMLPClassifier(hidden_size=19, epochs=4, random_state=seed).fit(X, Y)

    side_by_side = Parallel(n_jobs=4, backend="threading")(delayed(one)(s) for s in range(4))
    for seed, model in enumerate(side_by_side):
        np.testing.assert_array_equal(model.predict_proba(TEST), one(seed).predict_proba(TEST))


def test_a_fit_leaves_the_callers_random_numbers_alone():
    """With a seed of its own it draws nothing from the global generators."""
    import random

    random.seed(5)
    np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    KerasMLPClassifier(hidden_size=18, random_state=0, epochs=1).fit(X, Y)
    assert (random.random(), np.random.random()) == expected


@pytest.mark.parametrize(("name", "value"), [("learning_rate", float("nan")), ("momentum", 1.0)])
def test_rates_that_cannot_be_are_refused(name, value):
    """NaN would give a model that predicts nothing and says nothing."""
    from sweep.errors import ModelError

    with pytest.raises(ModelError, match=f"{name}: must be a number"):
        KerasMLPClassifier(optimizer="sgd", **{name: value}).fit(X, Y)


THREADS = """
from concurrent.futures import ThreadPoolExecutor
from sweep import KerasMLPClassifier, load_dataset
d = load_dataset("digits", train_rows=100)
def one(seed):
    model = KerasMLPClassifier(hidden_size=5, epochs=1, random_state=seed)
    return model.fit(d.x_train, d.y_train).predict_proba(d.x_test).tobytes()
KerasMLPClassifier(hidden_size=5, epochs=1).fit(d.x_train, d.y_train) if WARM else None
with ThreadPoolExecutor(4) as pool:
    found = list(pool.map(one, [3, 3, 3, 3]))
assert set(found) == {one(3)}
"""


@pytest.mark.parametrize("warm", [True, False])
def test_the_first_fits_of_a_process_may_be_in_threads(warm):
    """Four threads at once, one seed: one result, whoever loads TensorFlow."""
    import subprocess
    import sys

    code = THREADS.replace("WARM", str(warm))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
def test_a_model_without_trainable_weights_stays_as_it_began():
    """As in Keras: no step is taken, and the model is scored."""
    import keras

    def frozen(input_shape, n_classes):
        head = keras.layers.Dense(n_classes, "softmax", trainable=False)
        return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), head])

    fast, slow = (
        KerasClassifier(frozen, fast=fast, **SETTINGS).fit(X, Y) for fast in (True, False)
    )
    np.testing.assert_allclose(fast.predict_proba(TEST), slow.predict_proba(TEST), atol=1e-6)
