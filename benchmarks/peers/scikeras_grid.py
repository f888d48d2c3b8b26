"""The grid of a benchmark by plain GridSearchCV over SciKeras: what one would write by hand.

python scikeras_grid.py TASK N_JOBS, with SWEEP_DATA_HOME; prints one line of JSON.
"""

import json
import os
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
BEGAN = time.perf_counter()

import keras  # noqa: E402
import numpy as np  # noqa: E402
from scikeras.wrappers import KerasClassifier  # noqa: E402
from sklearn.model_selection import GridSearchCV, StratifiedKFold  # noqa: E402
from tasks import GRIDS, SPLITS, table, task_rows  # noqa: E402

IMPORTED = time.perf_counter() - BEGAN


def mlp(hidden_size):
    """Build E6's network."""
    return compiled(
        [
            keras.Input((28, 28)),
            keras.layers.Flatten(),
            keras.layers.Dense(hidden_size, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ],
        "adam",
    )


def cnn(filters, kernel_size, dense_dropout_rate):
    """Build E1d's network."""
    conv = {"activation": "relu", "padding": "valid"}
    return compiled(
        [
            keras.Input((28, 28)),
            keras.layers.Reshape((28, 28, 1)),
            keras.layers.Conv2D(filters, kernel_size, **conv),
            keras.layers.Conv2D(filters, kernel_size, **conv),
            keras.layers.MaxPooling2D(2),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(dense_dropout_rate),
            keras.layers.Dense(2, activation="softmax"),
        ],
        "sgd",
    )


def compiled(layers, optimizer):
    """Return the model, ready to fit."""
    model = keras.Sequential(layers)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def main(task, n_jobs):
    """Run the grid and print what it took."""
    x, y = task_rows(task)
    x = np.asarray(x, "float32") / 255
    build = {"e6": mlp, "e1d": cnn}[task]
    batch = {"e6": 128, "e1d": 64}[task]
    grid = {k if k == "epochs" else f"model__{k}": v for k, v in GRIDS[task].items()}
    model = KerasClassifier(build, batch_size=batch, verbose=0, random_state=0)
    search = GridSearchCV(
        model, grid, cv=StratifiedKFold(SPLITS[task]), refit=False, n_jobs=n_jobs,
        return_train_score=task == "e6",
    )  # fmt: skip
    began = time.perf_counter()
    search.fit(x, y)
    seconds = time.perf_counter() - began
    print(json.dumps({"import": IMPORTED, "search": seconds, "scores": table(search)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
