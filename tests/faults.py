"""Whole small studies with a fake estimator, and processes that die at a chosen moment."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import closing
from types import SimpleNamespace

import numpy as np
from fakes import FakeWinner
from pretend import DATA, begin, study, work
from sqlalchemy import event

from sweep.evaluation.refit import finish_study
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.search.sealed_data import seal
from sweep.tables import candidates_frame
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

NAME = "pretend"
GRID = {"epochs": [1, 2], "hidden_size": [8, 16, 32]}
DAMAGED, DONE = 2, 0


def forked(act):
    """Run something in a process of its own; return its exit status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            status = act() or 0
        except BaseException:  # noqa: BLE001 - said, and told by the status
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def the_study(**search):
    """A grid of three cells and six candidates."""
    return study("grid", name=NAME, space=GRID, **search)


def see_through(monkeypatch, url, spec):
    """Do what the command does: make the study or continue it, up to its winner."""
    monkeypatch.setattr("sweep.evaluation.refit.make_estimator", refitted)
    monkeypatch.setattr("sweep.evaluation.winner_file.save_winner", lambda *_: None)
    with closing(Ledger(url)) as ledger:
        if ledger.has(NAME):
            fail_orphaned_trials(ledger, NAME)
            enqueue_missing(ledger, NAME, make_plan(spec))
        else:
            begin(ledger, spec)
        work(monkeypatch, ledger, spec)
        training, sealed = seal(DATA)
        finish_study(ledger, NAME, training, sealed)
        return read_study(ledger, NAME)


def refitted(_spec, params, _allow=()):
    """The estimator of the refit."""
    return FakeWinner(skill=0.2 + params["hidden_size"] / 100, epochs=params["epochs"])


def plain(record):
    """What must be the same whatever happened: the table but for its times, and the winner."""
    frame = candidates_frame(record)
    times = [name for name in frame.columns if name.endswith("_time")]
    winner = record.winner
    return frame.drop(columns=times).to_dict("list"), dict(winner.params), winner.test_score


def whole(record):
    """Check that each cell is complete, exactly once, and nothing is left under way."""
    complete = [trial.key for trial in record.trials if trial.state == "COMPLETE"]
    assert sorted(complete) == sorted({trial.key for trial in record.trials})
    assert {trial.state for trial in record.trials} <= {"COMPLETE", "CUT"}
    assert record.status == "finished"


def die_at(moment, number):
    """Have this process killed at its ``number``-th transaction: before or after it is written."""
    from sqlalchemy.orm import Session

    seen = SimpleNamespace(count=0)

    def count(*_):
        seen.count += 1
        if seen.count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Session, f"{moment}_commit", count)


def equal(one, other):
    """Compare tables in which NaN stands for nothing."""
    (table, *rest), (known, *others) = one, other
    assert rest == others
    assert table.keys() == known.keys()
    for name, column in table.items():
        np.testing.assert_array_equal(np.array(column, object), np.array(known[name], object), name)
