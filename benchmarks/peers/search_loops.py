"""The search of mnist_cnn.toml or cifar10.toml as one would write it by hand, with Keras's own fit.

python search_loops.py tpe|hyperband|keras_tuner SEED SECONDS [mnist|cifar10], with SWEEP_DATA_HOME.
Prints one line of JSON: seconds of importing, and [seconds since the start, validation accuracy] of
every epoch.
"""

import time

BEGAN = time.perf_counter()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import optuna  # noqa: E402
from sklearn.model_selection import StratifiedShuffleSplit  # noqa: E402

EPOCHS = 9
ROWS = 9216
HELD_OUT = 0.1111


class TimeUpError(BaseException):
    """The budget is spent; no plain exception, which KerasTuner would take for a failed trial."""


class Watch(keras.callbacks.Callback):
    """Notes the validation accuracy of every epoch, and stops when the time is up."""

    def __init__(self, seconds):
        super().__init__()
        self.seconds, self.curve = seconds, []

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002 - Keras's signature
        """Note it."""
        self.curve.append([time.perf_counter() - BEGAN, float(logs["val_accuracy"])])

    def on_train_batch_end(self, batch, logs=None):  # noqa: ARG002 - Keras's signature
        """Stop in time."""
        if time.perf_counter() - BEGAN > self.seconds:
            raise TimeUpError

    def __deepcopy__(self, memo):
        """Stay one: KerasTuner copies callbacks for every trial."""
        return self


def rows(seed):
    """Return the rows to train on and those held out: the same as ours."""
    with np.load(Path(os.environ["SWEEP_DATA_HOME"]) / "mnist.npz") as data:
        x, y = data["x_train"][:ROWS], data["y_train"][:ROWS]
    x = (x.astype("float32") / 255)[..., None]
    splitter = StratifiedShuffleSplit(1, test_size=HELD_OUT, random_state=seed)
    train, test = next(splitter.split(np.zeros(len(y)), y))
    return (x[train], y[train]), (x[test], y[test])


def build(draw):
    """Build the network; ``draw`` is asked for each value, by Optuna or by KerasTuner."""
    layers = [keras.Input((28, 28, 1))]
    filters, kernel = draw.log_int("filters", 4, 64), draw.choice("kernel_size", [3, 5])
    for _ in range(draw.int("blocks", 1, 3)):
        layers += [
            keras.layers.Conv2D(filters, kernel, padding="same", activation="relu"),
            keras.layers.MaxPooling2D(2, padding="same"),
        ]
    layers += [
        keras.layers.Flatten(),
        keras.layers.Dense(draw.log_int("dense_width", 8, 256), activation="relu"),
        keras.layers.Dropout(draw.float("dense_dropout_rate", 0.0, 0.9)),
        keras.layers.Dense(10, activation="softmax"),
    ]
    name, rate = (
        draw.choice("optimizer", ["adam", "sgd"]),
        draw.log_float("learning_rate", 1e-6, 0.1),
    )
    if name == "adam":
        optimizer = keras.optimizers.Adam(rate)
    else:
        optimizer = keras.optimizers.SGD(rate, momentum=draw.float("momentum", 0.0, 0.99))
    model = keras.Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class OfOptuna:
    """Draws from an Optuna trial."""

    def __init__(self, trial):
        self.int, self.float, self.choice = (
            trial.suggest_int, trial.suggest_float, trial.suggest_categorical,
        )  # fmt: skip
        self.log_int = lambda name, low, high: trial.suggest_int(name, low, high, log=True)
        self.log_float = lambda name, low, high: trial.suggest_float(name, low, high, log=True)


class OfKerasTuner:
    """Draws from KerasTuner's hyperparameters."""

    def __init__(self, hp):
        self.int, self.float, self.choice = hp.Int, hp.Float, hp.Choice
        self.log_int = lambda name, low, high: hp.Int(name, low, high, sampling="log")
        self.log_float = lambda name, low, high: hp.Float(name, low, high, sampling="log")


def task_of(name):
    """Return rows, network and batch size of a task."""
    if name == "mnist":
        return rows, build, 128
    import cifar10_network

    return cifar10_network.rows, cifar10_network.build, 64


def by_optuna(seed, watch, task, *, prune):
    """Plain TPE, or TPE with Optuna's Hyperband through its Keras callback."""
    rows, build, size = task
    (x, y), held = rows(seed)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    pruner = optuna.pruners.HyperbandPruner(1, EPOCHS, 3) if prune else optuna.pruners.NopPruner()

    def objective(trial):
        callbacks = [watch]
        if prune:
            from optuna_integration import KerasPruningCallback

            callbacks.append(KerasPruningCallback(trial, "val_accuracy"))
        model = build(OfOptuna(trial))
        done = model.fit(
            x, y, batch_size=size, epochs=EPOCHS, validation_data=held, verbose=0,
            callbacks=callbacks,
        )  # fmt: skip
        keras.backend.clear_session()
        return done.history["val_accuracy"][-1]

    sampler = optuna.samplers.TPESampler(seed=seed)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=pruner)
    study.optimize(objective, n_trials=10_000)


def by_keras_tuner(seed, watch, task):
    """KerasTuner's Hyperband."""
    import keras_tuner

    rows, build, size = task
    (x, y), held = rows(seed)
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.Hyperband(
            lambda hp: build(OfKerasTuner(hp)), objective="val_accuracy", max_epochs=EPOCHS,
            factor=3, hyperband_iterations=1000, seed=seed, directory=folder,
        )  # fmt: skip
        tuner.search(x, y, batch_size=size, validation_data=held, verbose=0, callbacks=[watch])


def main(kind, seed, seconds, task="mnist"):
    """Search until the time is up; print what was seen."""
    imported = time.perf_counter() - BEGAN
    keras.utils.set_random_seed(seed)
    watch = Watch(seconds)
    try:
        if kind == "keras_tuner":
            by_keras_tuner(seed, watch, task_of(task))
        else:
            by_optuna(seed, watch, task_of(task), prune=kind == "hyperband")
    except TimeUpError:
        pass
    print(json.dumps({"import": imported, "curve": watch.curve}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
