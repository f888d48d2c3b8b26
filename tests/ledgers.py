"""Small studies in a real SQLite ledger, for the tests of the command line: no TensorFlow."""

from __future__ import annotations

import os
import time
from dataclasses import asdict

from sweep.analysis import best
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import DataRecord, WinnerRecord
from sweep.ledger.reading import read_study
from sweep.ledger.records import SplitResult
from sweep.ledger.scores import mean_split_score
from sweep.ledger.study_folders import ledger_id, own_folder
from sweep.search.plan import make_plan
from sweep.spec import load_study
from sweep.support.layer import Layer

DATA = DataRecord(
    name="digits",
    fingerprint="9f2c" * 16,
    train_rows=1437,
    test_rows=360,
    shape=(8, 8),
    classes=tuple("0123456789"),
    class_counts=(142, 145, 142, 146, 145, 146, 145, 143, 139, 144),
)
LAYERS = (Layer("out", "Dense", "10", 9),)
GRID = {"epochs": [2, 5], "hidden_size": [16, 32, 64]}
RANDOM = {
    "hidden_size": {"int": [16, 64]},
    "learning_rate": {"float": [1e-4, 1e-1], "log": True},
}


def with_folder(url, name, uid="0123456789ab", age=0.0):
    """Give a study of a ledger its folder, with weights so many days old; return the folder."""
    ledger = Ledger(url)
    ledger.update(name, uid=uid, ledger=ledger_id(ledger))
    folder = own_folder(ledger, name)
    (folder / "winner.npz").write_bytes(b"0" * 2_000_000)
    then = time.time() - age * 24 * 3600
    for each in (*folder.iterdir(), folder):
        os.utime(each, (then, then))
    ledger.close()
    return folder


def sections(name="tiny", space=None, factory="mlp", **search):
    """A study file as plain values."""
    search = {"method": "grid", "cv": 3, **search}
    if search.get("validation"):
        del search["cv"]
    return {
        "study": {"name": name},
        "data": {"dataset": "digits"},
        "model": {"factory": factory},
        "search": search,
        "space": space or GRID,
    }


def split(value, epochs, number=0, others=()):
    """One split's result: the score grows with the epoch, a little other in each split.

    Further scorers say a tenth less, each than the one before.
    """
    at = {epoch: round(value + epoch / 100 + number / 1000, 4) for epoch in epochs}
    return SplitResult(
        test=at,
        seconds={epoch: 0.1 * epoch for epoch in epochs},
        score_seconds=0.01,
        n_test=479,
        split=number,
        others={
            name: {epoch: round(score - place / 10, 4) for epoch, score in at.items()}
            for place, name in enumerate(others, 1)
        },
    )


def build(
    path, name="tiny", *, space=None, done=None, failed=(), winner=False, url=None, study=None,
    **search,
):  # fmt: skip
    """Make a study in the ledger at ``path``, or at the address ``url``; return its record.

    ``done`` cells are complete (all by default), the numbers in ``failed`` fail instead. ``study``
    is a whole study file, in place of what ``space`` and ``search`` make.
    """
    spec = load_study(study or sections(name, space, **search))
    plan, ledger = make_plan(spec), Ledger(url or f"sqlite:///{path}")
    header = {
        "spec": spec.plain(),
        "source": spec.source,
        "data": asdict(DATA),
        "environment": {"python": "3.11.9", "tensorflow": "2.21.0", "scikit-learn": "1.9.0"},
        "created": "2026-03-02T09:30:00+00:00",
        "planned": len(plan.cells),
    }
    ledger.create(name, header)
    ledger.enqueue(name, plan.cells, plan.distributions)
    for number in range(len(plan.cells) if done is None else done):
        claim = ledger.claim(name, "elsewhere:1:1")
        if number in failed:
            ledger.fail(claim, "ModelError: out of luck [bold]really[/bold]")
            continue
        count = 1 if search.get("validation") else 3
        others = spec.search.scorers[1:]
        splits = [split(0.8 + number / 50, claim.epochs, i, others) for i in range(count)]
        ledger.complete(claim, mean_split_score(splits, claim.epochs[-1]), splits, LAYERS)
    if winner:
        ledger.set_winner(name, winner_of(best(read_study(ledger, name))))
    record = read_study(ledger, name)
    ledger.close()
    return record


def stop(path, name):
    """Stop a study of the ledger at ``path``: it is then stopped for a server too."""
    ledger = Ledger(f"sqlite:///{path}")
    ledger.stop(name, "2026-03-02T10:00:00+00:00")
    ledger.close()


def winner_of(candidate):
    """The refit of a candidate and what the test set said."""
    return WinnerRecord(
        params=dict(candidate.params),
        chosen_at="2026-03-02T09:40:00+00:00",
        test_score=0.9306,
        test_opened_at="2026-03-02T09:41:12+00:00",
        test_rows=360,
        train_rows=1437,
        refit_seconds=0.4,
        history={"loss": (0.6, 0.3)},
        layers=LAYERS,
        confusion=((36, 0), (1, 35)),
    )
