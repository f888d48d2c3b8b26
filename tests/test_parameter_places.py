"""A rule about a parameter holds wherever the parameter stands: scores against separate fits."""

import warnings
from dataclasses import asdict

import numpy as np
import pytest
from pretend import Silent

from sweep import load_dataset
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.search.splits import make_splits
from sweep.search.study_data import data_record
from sweep.spec import load_study
from sweep.spec.toml import toml_value
from sweep.workers.job import Job
from sweep.workers.loop import Worker

pytestmark = pytest.mark.tensorflow

EPOCHS = [4, 5]
BASE = {"hidden_size": 32, "learning_rate": 0.03, "optimizer": "rmsprop"}
"""So fast that the loss of held-out rows rises in epoch 4: what stops, or looks back, shows."""

RESTORING = [
    {"name": "EarlyStopping", "monitor": "val_loss", "patience": 9, "restore_best_weights": True}
]
RULES = {
    "callbacks": (RESTORING, {}),
    "early_stopping": (True, {"n_iter_no_change": 1}),
    "n_iter_no_change": (1, {"early_stopping": True}),
    "validation_fraction": (0.3, {"early_stopping": True, "n_iter_no_change": 2}),
    "class_weight": ("balanced", {}),
    "precision": ("mixed_bfloat16", {}),
    "scaling": ("standardize", {}),
    "fast": (False, {}),
    "optimizer": ("SGD", {}),
    "momentum": (0.9, {"optimizer": "sgd"}),
}
"""Parameters that decide how a fit goes: a value that shows, and what it stands beside."""

PLACES = ("model", "space", "drawn", "start", "set")


def study(place, name, value, beside):
    """Return a study with a parameter at a place, epochs searched."""
    model = {**BASE, **beside}
    model.pop(name, None)
    space, search, changes = {"epochs": EPOCHS}, {"method": "grid"}, []
    if place == "model":
        model[name] = value
    elif place == "set":
        changes = [f"model.{name}={toml_value(value)}"]
    else:
        space[name] = [value]
    if place == "drawn":
        search = {"method": "random", "trials": 5}
    if place == "start":
        both = [{"epochs": epochs, name: value} for epochs in reversed(EPOCHS)]
        search = {"method": "tpe", "trials": 2, "start": both}
    sections = {
        "study": {"name": "places"},
        "data": {"dataset": "digits", "train_rows": 240, "test_rows": 20},
        "model": model,
        "search": {**search, "validation": 0.4, "refit": False},
        "space": space,
    }
    return load_study(sections, set_=changes)


def measured(spec, data, folder):
    """Run a study by a worker in this process; return its rows."""
    ledger, plan = Ledger(f"sqlite:///{folder / 'l.db'}"), make_plan(spec)
    header = {
        "spec": spec.plain(), "source": "", "data": asdict(data_record(data)), "environment": {},
        "created": "2026-03-02T09:30:00+00:00", "planned": len(plan.cells),
    }  # fmt: skip
    ledger.create(spec.study.name, header)
    ledger.enqueue(spec.study.name, plan.cells, plan.distributions)
    worker = Worker(Job(ledger.url, spec.study.name), Silent(), ledger, spec, data)
    while (claim := ledger.claim(spec.study.name, worker.name)) is not None:
        worker.one_cell(claim)
    return read_study(ledger, spec.study.name).candidates


def separate(spec, data, params):
    """Return the score of one plain fit, by an estimator of its own."""
    from sweep import KerasMLPClassifier

    ((train, test),) = make_splits(spec, data.y_train, None)
    model = KerasMLPClassifier(**{"scaling": "unit", "random_state": 0, **params})
    model.fit(data.x_train[train], data.y_train[train])
    return float(np.mean(model.predict(data.x_train[test]) == data.y_train[test]))


@pytest.fixture(scope="module")
def digits():
    return load_dataset("digits", train_rows=240, test_rows=20)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", RULES)
def test_every_row_scores_what_a_separate_fit_scores(name, place, digits, tmp_path):
    """Wherever the parameter stands, and however many epochs the other rows have."""
    value, beside = RULES[name]
    spec = study(place, name, value, beside)
    with warnings.catch_warnings():
        rows = measured(spec, digits, tmp_path)
        assert {row.epoch for row in rows} == set(EPOCHS)
        for row in rows:
            (split,) = row.trial.splits
            params = {**BASE, **beside, name: value, "epochs": row.epoch}
            assert split.test[row.epoch] == separate(spec, digits, params), row.epoch
