"""What both sides of a benchmark are given: rows, grid, splits. Needs NumPy only."""

import json
import os
from pathlib import Path

import numpy as np

GRIDS = {
    "e6": {"epochs": [1, 5, 10], "hidden_size": [32, 64, 256]},
    "pipeline": {"epochs": [1, 5, 10], "hidden_size": [32, 128], "n_components": [30, 60]},
    "e1d": {
        "epochs": [2, 4],
        "filters": [16, 32],
        "kernel_size": [3, 5],
        "dense_dropout_rate": [0.25, 0.5],
    },
}
SPLITS = {"e6": 5, "e1d": 3, "pipeline": 5}


def task_rows(task):
    """Return pixels, uint8, and labels: MNIST's first 6,000 rows, or E1's six against the rest."""
    with np.load(Path(os.environ["SWEEP_DATA_HOME"]) / "mnist.npz") as data:
        x, y = data["x_train"], data["y_train"]
    if task in ("e6", "pipeline"):
        return x[:6000], y[:6000]
    sixes, others = np.flatnonzero(y == 6), np.flatnonzero(y != 6)
    rest = np.random.default_rng(0).choice(others, 6000, replace=False)
    rows = np.sort(np.concatenate([sixes, rest]))
    return x[rows], (y[rows] == 6).astype(int)


def key(params):
    """Return a candidate's name: its sorted parameters as JSON, both sides' names made one."""
    names = {"max_epochs": "epochs"}
    plain = {names.get(k, k).rpartition("__")[2]: v for k, v in params.items()}
    return json.dumps(dict(sorted(plain.items())))


def table(search):
    """Return the mean test score of each candidate of a scikit-learn search."""
    results = search.cv_results_
    return {
        key(params): float(score)
        for params, score in zip(results["params"], results["mean_test_score"], strict=True)
    }
