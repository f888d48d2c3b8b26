"""Keras callbacks hear what ``Model.fit`` tells them, on copies of their own."""

import pickle

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from sweep import KerasClassifier, KerasMLPClassifier, load_dataset
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=120, test_rows=40)
X, Y = DIGITS.x_train, DIGITS.y_train
WORDS = {"epochs": 2, "random_state": 0, "scaling": "unit", "hidden_size": 8, "batch_size": 50}


class Guide(keras.callbacks.Callback):
    """As Keras's guide writes it: every hook looks at the keys of its logs."""

    def __init__(self):
        super().__init__()
        self.heard = []

    def on_train_begin(self, logs=None):
        self.heard.append(("train begin", *logs.keys()))

    def on_train_end(self, logs=None):
        self.heard.append(("train end", *sorted(logs.keys())))

    def on_epoch_begin(self, epoch, logs=None):
        self.heard.append((f"epoch {epoch} begin", *logs.keys()))

    def on_epoch_end(self, epoch, logs=None):
        self.heard.append((f"epoch {epoch} end", *sorted(logs.keys())))


class ByBatch(Guide):
    """One that hears of batches too."""

    def on_train_batch_begin(self, batch, logs=None):
        self.heard.append((f"batch {batch} begin", *logs.keys()))

    def on_train_batch_end(self, batch, logs=None):
        self.heard.append((f"batch {batch} end", *sorted(logs.keys())))


def told_by_keras(callback):
    """Return what ``Model.fit`` tells a callback over as many rows."""
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten(), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss=loss, metrics=["accuracy"])
    model.fit(X, Y, epochs=2, batch_size=50, verbose=0, callbacks=[callback])
    return callback


@pytest.mark.filterwarnings("ignore:fast fit not possible")
@pytest.mark.parametrize("kind", [Guide, ByBatch])
def test_they_hear_what_keras_tells(kind):
    """The same hooks in the same order with the same keys; ours adds the rate to epochs' logs."""
    theirs = told_by_keras(kind())
    ours = KerasMLPClassifier(callbacks=[kind()], **WORDS).fit(X, Y).callbacks_[0]
    plain = [tuple(word for word in event if word != "learning_rate") for event in ours.heard]
    assert plain == theirs.heard
    assert ours.params == {**theirs.params, "verbose": 0}


def test_lambda_callbacks_hear():
    """Their hooks stand on the instance, and take what Keras gives them."""
    heard = []
    callback = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: heard.append("begin"),
        on_epoch_begin=lambda epoch, logs: heard.append(epoch),
        on_train_end=lambda logs: heard.append("end"),
    )
    KerasMLPClassifier(callbacks=[callback], **WORDS).fit(X, Y)
    assert heard == ["begin", 0, 1, "end"]


@pytest.mark.filterwarnings("ignore:fast fit not possible")
def test_lambda_callbacks_on_batches_hear_of_each():
    """120 rows in batches of 50, two epochs."""
    heard = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: heard.append((batch, logs["loss"] > 0))
    )
    KerasMLPClassifier(callbacks=[callback], **WORDS).fit(X, Y)
    assert heard == [(0, True), (1, True), (2, True)] * 2


@pytest.mark.parametrize("given", [Guide(), "ReduceLROnPlateau", {"name": "ReduceLROnPlateau"}])
def test_a_single_callback_needs_no_list(given):
    """As for ``Model.fit``."""
    model = KerasMLPClassifier(callbacks=given, **WORDS).fit(X, Y)
    assert len(model.callbacks_) == 1


@pytest.mark.parametrize("monitor", ["val_accuracy", "accuracy", "val_loss"])
def test_they_find_the_metric_that_they_monitor(monitor):
    """EarlyStopping asks the model whether more of it is better."""
    stopping = keras.callbacks.EarlyStopping(monitor=monitor, patience=1)
    model = KerasMLPClassifier(callbacks=[stopping], **WORDS).fit(X, Y)
    assert model.callbacks_[0].best == pytest.approx(
        (min if monitor == "val_loss" else max)(model.history_[monitor])
    )


def test_fit_leaves_the_parameter_as_it_was():
    """What a callback gathers is on the copy; clones, pickles and searches carry no model."""
    callback = Guide()
    model = KerasMLPClassifier(callbacks=[callback], **WORDS).fit(X, Y)
    assert callback.heard == []
    assert callback._model is None
    assert len(model.callbacks_[0].heard) == 6
    assert model.get_params()["callbacks"] == [callback]
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert not hasattr(clone(model), "callbacks_")


class Own(keras.layers.Layer):
    """A layer that no pickle holds."""

    def call(self, x):
        return x * 1.0

    def __reduce__(self):
        raise TypeError("no")


def with_own_layer(input_shape, n_classes):
    """Return a model around it."""
    layers = keras.layers
    ends = [layers.Flatten(), Own(), layers.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input(input_shape), *ends])


def test_models_that_no_pickle_holds_and_open_files_are_searched(tmp_path):
    """CSVLogger opens a file; neither it nor the model travels with the parameters."""
    log = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    model = KerasClassifier(with_own_layer, callbacks=[log], epochs=1, random_state=0)
    assert np.isfinite(cross_val_score(model, X, Y, cv=2)).all()
    search = GridSearchCV(model, {"batch_size": [20, 40]}, cv=2).fit(X, Y)
    clone(search.best_estimator_).fit(X, Y)
    assert (tmp_path / "log.csv").read_text("utf-8").startswith("epoch,accuracy")


def test_a_callback_that_a_keras_fit_has_used_is_taken():
    """Its model of before does not come along."""
    callback = told_by_keras(Guide())
    callback.heard.clear()
    model = KerasMLPClassifier(callbacks=[callback], **WORDS).fit(X, Y)
    assert model.callbacks_[0].heard[0] == ("train begin",)
    clone(model)


def test_one_that_cannot_be_copied_is_refused(tmp_path):
    """With what to write instead."""
    callback = Guide()
    with (tmp_path / "open").open("w") as callback.file, pytest.raises(ModelError, match="copied"):
        KerasMLPClassifier(callbacks=[callback], **WORDS).fit(X, Y)
