"""Write keras_tuner/ anew: python write_keras_tuner.py FOLDER, where keras-tuner is installed."""

import sys

import keras
import keras_tuner
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 6)).astype("float32")
y = (X[:, 0] + X[:, 1] > 0).astype("int32")


def build(hp):
    width = hp.Int("width", 4, 32, step=4)
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    kind = hp.Choice("optimizer", ["adam", "sgd"])
    if width == 28:
        raise keras_tuner.errors.FailedTrialError("this width is not for us")
    layers = [keras.layers.Dense(width, activation="relu"), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((6,)), *layers])
    made = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD}[kind](rate)
    if hp.Boolean("smooth"):
        loss = keras.losses.BinaryCrossentropy(label_smoothing=0.1)
    else:
        loss = "binary_crossentropy"
    model.compile(optimizer=made, loss=loss, metrics=["accuracy"])
    return model


random = keras_tuner.RandomSearch(
    build, "val_accuracy", max_trials=6, executions_per_trial=2, seed=3, directory=sys.argv[1],
    project_name="random", overwrite=True, max_consecutive_failed_trials=6,
)  # fmt: skip
random.search(X, y, epochs=3, validation_split=0.25, verbose=0)
hyperband = keras_tuner.Hyperband(
    build, keras_tuner.Objective("val_loss", "min"), max_epochs=4, factor=2, seed=1,
    directory=sys.argv[1], project_name="hyperband", overwrite=True,
    max_consecutive_failed_trials=9,
)  # fmt: skip
hyperband.search(X, y, epochs=4, validation_split=0.25, verbose=0)
