"""A fit that is cut short goes on in another process, to exactly the uninterrupted result."""

import os
import time
from math import inf

import numpy as np
import pytest
from pretend import Silent

from sweep import KerasMLPClassifier, load_study
from sweep.estimators.fit import Fit
from sweep.evaluation import fit_checkpoints
from sweep.evaluation.fit_checkpoints import FitCheckpointer, remove_old
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.search.sealed_data import seal
from sweep.search.study_data import data_record, load_data
from sweep.workers.control import StopWork
from sweep.workers.job import Job
from sweep.workers.loop import Worker
from sweep.workers.recovery import enqueue_missing

pytestmark = pytest.mark.tensorflow

BASE = {
    "study": {"name": "long"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100},
    "model": {"factory": "mlp", "hidden_size": 8, "dropout_rate": 0.2, "optimizer": "adam"},
    "search": {"method": "grid", "cv": 3},
    "space": {"epochs": [2, 6]},
}
STOPPING = {**BASE, "model": {**BASE["model"], "early_stopping": True, "n_iter_no_change": 2}}
TPE = {
    **BASE,
    "search": {"method": "tpe", "trials": 1, "cv": 3, "pruner": "median"},
    "model": {**BASE["model"], "epochs": 6},
    "space": {"learning_rate": {"float": [1e-3, 1e-2]}},
}
BY_SPLIT = {**BASE, "search": {**BASE["search"], "split_pruner": {"p": 0.1}}}


class Stops(Silent):
    """Stops the work at the n-th epoch, as an order to stop does."""

    def __init__(self, at=None):
        super().__init__()
        self.at = at

    @property
    def epochs(self):
        """Epochs that were run."""
        return sum(event["event"] == "epoch" for event in self.events)

    def tell(self, event, **details):
        """Keep the event."""
        super().tell(event, **details)
        if event == "epoch" and self.epochs == self.at:
            raise StopWork


@pytest.fixture
def often(monkeypatch):
    """Write every fit at every epoch."""
    monkeypatch.setattr("sweep.evaluation.checkpoint_interval.EVERY_SECONDS", 0)
    monkeypatch.setattr("sweep.evaluation.checkpoint_interval.SHARE", 0)


@pytest.fixture(autouse=True)
def never_replaced(monkeypatch):
    """Work in this process whatever other tests have built in it before."""
    monkeypatch.setattr("sweep.workers.loop.SHAPES_LIMIT", inf)
    monkeypatch.setattr("sweep.workers.loop.MEMORY_LIMIT", inf)


@pytest.fixture
def trained(monkeypatch):
    """Count the epochs that are really trained."""
    seen, epoch = [], Fit.epoch
    monkeypatch.setattr(Fit, "epoch", lambda self: seen.append(1) or epoch(self))
    return seen


def worked(path, sections, stops=()):
    """Run a study's only cell, stopped at these epochs; return its record."""
    from dataclasses import asdict

    spec, ledger = load_study(sections), Ledger(f"sqlite:///{path}")
    data = load_data(spec, None, ())
    plan = make_plan(spec)
    header = {
        "spec": spec.plain(), "source": "", "data": asdict(data_record(data)), "environment": {},
        "created": "", "planned": 1, "uid": "abc",
    }  # fmt: skip
    ledger.create("long", header)
    for at in (*stops, None):
        enqueue_missing(ledger, "long", plan)
        control = Stops(at)
        job = Job(ledger.url, "long")
        Worker(job, control, ledger, spec, seal(data)[0]).run()
    return read_study(ledger, "long")


@pytest.mark.parametrize(
    "sections", [BASE, STOPPING, TPE, BY_SPLIT], ids=["grid", "early stopping", "tpe", "by split"]
)
def test_a_continued_fit_gives_the_uninterrupted_result(sections, tmp_path, often, trained):
    """Scores and curves of every epoch to the last bit; what was written is not trained again."""
    whole = worked(tmp_path / "whole.db", sections)
    epochs = len(trained)
    parted = worked(tmp_path / "parted.db", sections, stops=(4, 3, 5))
    again = len(trained) - epochs
    (one,), (other,) = (
        [t for t in record.trials if t.state == "COMPLETE"] for record in (whole, parted)
    )
    for mine, theirs in zip(one.splits, other.splits, strict=True):
        assert mine.test == theirs.test
        assert mine.train == theirs.train
        assert mine.losses == theirs.losses
        assert mine.history == theirs.history
    unwritten = 3 * 2 if "pruner" in sections["search"] else 0  # of splits side by side
    assert epochs <= again <= epochs + unwritten
    assert not list((tmp_path / "artifacts").rglob("*.npz"))


def test_a_short_fit_writes_nothing(tmp_path):
    """It takes less time than is worth the writing."""
    worked(tmp_path / "l.db", BASE)
    assert not list(tmp_path.rglob("epoch-*"))


def test_a_damaged_file_costs_the_fit_its_past_and_no_more(tmp_path, often):
    """The fit begins anew, and comes to the same end."""
    data = load_data(load_study(BASE), None, ())

    def fit(keeper):
        model = KerasMLPClassifier(hidden_size=8, epochs=4, random_state=0)
        return model.set_callbacks(keeper).fit(data.x_train, data.y_train)

    first = fit(FitCheckpointer(tmp_path, {}))
    (state,) = tmp_path.rglob("state.npz")
    state.write_bytes(state.read_bytes()[:100])
    second = fit(FitCheckpointer(tmp_path, {}))
    assert second.history_["loss"] == first.history_["loss"]
    third = fit(FitCheckpointer(tmp_path, {}))
    np.testing.assert_array_equal(
        third.predict_proba(data.x_train), first.predict_proba(data.x_train)
    )


def test_unfinished_fits_are_bounded_in_size_and_age(tmp_path, often, monkeypatch):
    """The longest untouched go first; old ones go when a worker begins."""
    data = load_data(load_study(BASE), None, ())
    for number in range(3):
        model = KerasMLPClassifier(hidden_size=8, epochs=2, random_state=0)
        model.set_callbacks(FitCheckpointer(tmp_path, {"n": number})).fit(
            data.x_train, data.y_train
        )
    old, *rest = sorted(tmp_path.iterdir(), key=lambda folder: folder.stat().st_mtime)
    size = sum(file.stat().st_size for file in old.iterdir())
    monkeypatch.setattr(fit_checkpoints, "LIMIT_BYTES", 3 * size)
    model.set_callbacks(FitCheckpointer(tmp_path, {"n": 9})).fit(data.x_train, data.y_train)
    assert not old.exists()
    assert all(folder.exists() for folder in rest)
    os.utime(rest[0], (time.time() - 15 * 24 * 3600,) * 2)
    remove_old(tmp_path)
    assert [folder.exists() for folder in rest] == [False, True]


def test_own_callbacks_are_not_continued(tmp_path, often):
    """What they remember is unknown."""
    data = load_data(load_study(BASE), None, ())
    model = KerasMLPClassifier(hidden_size=8, epochs=2, callbacks=["ReduceLROnPlateau"])
    model.set_callbacks(FitCheckpointer(tmp_path, {})).fit(data.x_train, data.y_train)
    assert not list(tmp_path.rglob("*.npz"))
