"""Studies searched by a real worker over a real ledger, with a fake estimator: no TensorFlow."""

from __future__ import annotations

import math
import warnings
from dataclasses import asdict

import numpy as np
from fakes import FakeClassifier

from sweep.datasets import Dataset
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.search.study_data import data_record
from sweep.spec import load_study
from sweep.storage.attributes import BY_DRAW
from sweep.workers.job import Job
from sweep.workers.loop import Worker

Y = np.tile([0, 1], 200)
X = np.column_stack([Y, np.arange(400)])
DATA = Dataset("digits", X, Y, X[:40], Y[:40], ("0", "1"))
SPACE = {
    "learning_rate": {"float": [1e-4, 1e-1], "log": True},
    "hidden_size": {"int": [8, 64], "step": 8},
    "optimizer": ["sgd", "adam"],
    "momentum": {"float": [0.0, 0.9], "when": {"optimizer": "sgd"}},
}


class Silent:
    """A control that hears nothing."""

    stopping = interrupting = pausing = False

    def __init__(self):
        self.events = []

    def tell(self, event, **details):
        """Keep the event."""
        self.events.append({"event": event, **details})

    def interruptible(self):
        """Never interrupt."""
        from contextlib import nullcontext

        return nullcontext()


def skill(params):
    """Best at a learning rate of 0.01 and 32 units."""
    off = abs(math.log10(params.get("learning_rate", 0.01)) + 2) / 2
    width = params.get("hidden_size", 32)
    off += abs(width - 32) / 64 if isinstance(width, int) else 0
    return max(0.05, 0.9 - 0.4 * off - 0.1 * params.get("momentum", 0.0))


def estimator(_spec, params, _allow=()):
    """Stand in for ``make_estimator``; it leaves epochs alone."""
    return FakeClassifier(skill=skill(params) / params.get("epochs", 1), epochs=1)


def study(method, name="pretend", space=None, **search):
    """Read a study of one epoch."""
    return load_study(
        {
            "study": {"name": name, "seed": 1},
            "data": {"dataset": "digits"},
            "model": {"factory": "mlp", **({} if "epochs" in (space or {}) else {"epochs": 1})},
            "search": {"method": method, "validation": 0.5, **search},
            "space": SPACE if space is None else space,
        }
    )


def begin(ledger, spec):
    """Make the study and enqueue its cells."""
    plan = make_plan(spec)
    header = {
        "spec": spec.plain(),
        "source": "",
        "data": asdict(data_record(DATA)),
        "environment": {},
        "created": "2026-03-02T09:30:00+00:00",
        "planned": len(plan.cells),
        BY_DRAW: not plan.sampled,
    }
    ledger.create(spec.study.name, header)
    ledger.enqueue(spec.study.name, plan.cells, plan.distributions)


def work(monkeypatch, ledger, spec, cells=None):
    """Evaluate so many cells, all by default; return the record."""
    monkeypatch.setattr("sweep.workers.cell_evaluator.make_estimator", estimator)
    worker = Worker(Job(ledger.url, spec.study.name), Silent(), ledger, spec, DATA)
    done = 0
    while cells is None or done < cells:
        claim = ledger.claim(spec.study.name, worker.name, by_draw=spec.search.patience is not None)
        if claim is None:
            break
        with warnings.catch_warnings():  # the fake is not told of callbacks
            warnings.filterwarnings("ignore", message=".*does not support callbacks")
            worker.one_cell(claim)
        done += 1
    return read_study(ledger, spec.study.name)


def searched(monkeypatch, path, method, **options):
    """Run a study from its beginning to its end; return its record."""
    spec, ledger = study(method, **options), Ledger(f"sqlite:///{path}")
    begin(ledger, spec)
    return work(monkeypatch, ledger, spec)
