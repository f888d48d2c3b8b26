"""A ledger's studies in a few numbers, counted by the database."""

from __future__ import annotations

import pytest
from ledgers import GRID, RANDOM, build
from pretend import begin, searched, study, work

from sweep.analysis.overview import overview_of
from sweep.ledger.ledger import Ledger
from sweep.ledger.overview import study_overviews
from sweep.ledger.reading import read_study


def both_ways(path):
    """Return each outlined study by the database and by reading it whole."""
    ledger = Ledger(f"sqlite:///{path}")
    found, others = study_overviews(ledger)
    return found, [overview_of(read_study(ledger, each.name)) for each in found], others


def test_counting_agrees_with_reading(tmp_path, monkeypatch):
    """Finished, half done, failed, empty and refitted studies read the same both ways."""
    path = tmp_path / "l.db"
    build(path, "finished", winner=True)
    build(path, "half", done=1)
    build(path, "failed", failed=(1, 2))
    build(path, "all-failed", failed=(0, 1, 2))
    build(path, "drawn", space=RANDOM, method="random", trials=5, validation=0.2)
    build(path, "untouched", space=GRID, done=0)
    searched(monkeypatch, path, "tpe", name="pretend", trials=8)
    counted, read, others = both_ways(path)
    assert [each.name for each in counted][:2] == ["finished", "half"]
    assert len(counted) == 7
    assert not others
    for ours, theirs in zip(counted, read, strict=True):
        assert ours.best == (None if theirs.best is None else pytest.approx(theirs.best))
        assert {**vars(ours), "best": 0} == {**vars(theirs), "best": 0}


def test_attempts(tmp_path):
    """An attempt cut short is no end of its cell; the second one counts in its place."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    spec = study("random", trials=2)
    begin(ledger, spec)
    first = ledger.claim(spec.study.name, "w")
    ledger.cut(first.trial_id)
    second = ledger.claim(spec.study.name, "w")
    ledger.fail(second, "ModelError: too bad")
    (outline,), (read,), _ = both_ways(tmp_path / "l.db")
    assert outline == read
    assert (outline.done, outline.failed, outline.status) == (1, 1, "stopped")


def test_what_needs_reading(tmp_path, monkeypatch):
    """Studies with time limits or several objectives are named, not guessed."""
    path = tmp_path / "l.db"
    searched(monkeypatch, path, "random", name="limited", trials=3, max_fit_seconds=10)
    objectives = ["score", "parameters"]
    searched(monkeypatch, path, "random", name="two", trials=3, objectives=objectives)
    assert both_ways(path)[2] == ["limited", "two"]


def test_lost_patience_needs_reading(tmp_path, monkeypatch):
    """Where as many trials have ended as patience asks, their order tells what counts."""
    path = tmp_path / "l.db"
    searched(monkeypatch, path, "random", name="whole", trials=8, patience=3)
    ledger, spec = Ledger(f"sqlite:///{path}"), study("random", name="early", trials=8, patience=3)
    begin(ledger, spec)
    work(monkeypatch, ledger, spec, 2)
    (early,), (read,), others = both_ways(path)
    assert (early, others) == (read, ["whole"])
    work(monkeypatch, ledger, spec, 1)
    assert both_ways(path)[2] == ["whole", "early"]


def test_other_programs_studies_are_left_out(tmp_path):
    """A study that sweep has not made is none of its studies."""
    import optuna

    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    optuna.create_study(storage=ledger.storage, study_name="foreign")
    assert study_overviews(ledger) == ([], [])
