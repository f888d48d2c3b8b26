"""Constraints, objectives and patience, by a real worker with a fake estimator."""

from dataclasses import replace

import numpy as np
import pytest
from pretend import DATA, begin, searched, skill, study, work

from sweep import analysis
from sweep.ledger.ledger import Ledger
from sweep.ledger.objectives import undominated
from sweep.ledger.reading import read_study
from sweep.search.constraints import TooLargeError, check_size, ruled_out
from sweep.search.plan import make_plan
from sweep.study.check import cells_left
from sweep.study.preparation import update
from sweep.support.layer import Layer
from sweep.tables import candidates_frame
from sweep.workers.recovery import cancel_waiting, enqueue_missing, patience_exhausted

WIDTHS = {"hidden_size": [8, 16, 64]}
OBJECTIVES = ["score", "parameters", "fit_seconds", "inference_ms"]


def test_models_that_are_too_large_are_not_trained(monkeypatch, tmp_path):
    """They are rows with a reason and a count, without scores, and never ranked."""
    record = searched(monkeypatch, tmp_path / "l.db", "grid", space=WIDTHS, max_parameters=80)
    assert [c.trial.state for c in record.candidates] == ["COMPLETE", "PRUNED", "PRUNED"]
    refused = record.candidates[2].trial
    assert refused.reason == "322 parameters, above max_parameters = 80"
    assert (refused.parameters, refused.splits) == (322, ())
    assert [c.index for c in analysis.ranked(record)] == [0]
    assert record.status == "finished"


def test_a_grid_says_beforehand_which_cells_are_too_large():
    """Built-in models are counted without TensorFlow."""
    spec = study("grid", space=WIDTHS, max_parameters=80)
    cells = ruled_out(spec, make_plan(spec).cells, DATA.shape, 2)
    assert [cell.params for cell in cells] == [{"hidden_size": 16}, {"hidden_size": 64}]


def test_a_model_of_ones_own_is_counted_after_building(monkeypatch):
    """What a factory returns is built, and its layers counted."""
    spec = study("grid", space={"hidden_size": [3]}, max_parameters=10)
    spec = spec.model_copy(update={"model": spec.model.model_copy(update={"factory": "m:build"})})
    monkeypatch.setattr(
        "sweep.support.code_references.resolve", lambda *_a, **_k: lambda s, n, hidden_size: None
    )
    monkeypatch.setattr("sweep.search.constraints.build_from", lambda *a: a)
    seen = []
    monkeypatch.setattr(
        "sweep.search.constraints.model_layers",
        lambda built: seen.append(built[3]) or (Layer("d", "Dense", "(2,)", 11),),
    )
    with pytest.raises(TooLargeError, match="11 parameters, above max_parameters = 10"):
        check_size(spec, {"hidden_size": 3}, (2,), 2, ())
    assert seen == [{"hidden_size": 3}]


def test_fits_that_take_too_long_are_complete_but_never_ranked(monkeypatch, tmp_path):
    """In a grid each epoch is judged by its own seconds: the fake takes half a second an epoch."""
    space = {"epochs": [1, 3]}
    record = searched(monkeypatch, tmp_path / "l.db", "grid", space=space, max_fit_seconds=1)
    assert [(c.epoch, c.trial.state) for c in record.candidates] == [
        (1, "COMPLETE"),
        (3, "INFEASIBLE"),
    ]
    assert record.candidates[1].trial.reason == "a fit took 1.5 s, above max_fit_seconds = 1"
    assert [c.epoch for c in analysis.ranked(record)] == [1]
    frame = candidates_frame(record)
    assert frame["mean_test_score"].isna().tolist() == [False, True]
    assert record.status == "finished"


def test_samplers_are_told_how_far_past_a_limit_a_trial_is(monkeypatch, tmp_path):
    """Optuna's own constraint values: above 0 is past it."""
    spec = study("tpe", trials=8, max_parameters=200, max_fit_seconds=0.4)
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    work(monkeypatch, ledger, spec)
    for trial in ledger.trials("pretend"):
        weights = trial.user_attrs["sweep:result"]["parameters"]
        if trial.state.name == "PRUNED":
            assert trial.constraints == {"max_parameters": weights - 200}
            assert weights > 200
        else:
            assert trial.constraints["max_fit_seconds"] == pytest.approx(0.1)


@pytest.mark.parametrize("method", ["random", "tpe", "nsga2", "grid"])
def test_each_objective_is_a_value_of_the_trial(monkeypatch, tmp_path, method):
    """The score first, to be high; the rest to be low."""
    options = {"space": WIDTHS} if method == "grid" else {"trials": 4}
    spec = study(method, objectives=OBJECTIVES, **options)
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    record = work(monkeypatch, ledger, spec)
    assert [d.name for d in ledger.load("pretend").directions] == ["MAXIMIZE"] + ["MINIMIZE"] * 3
    for trial, held in zip(ledger.trials("pretend"), record.trials, strict=True):
        score, weights, seconds, inference = trial.values
        assert score == pytest.approx(skill(held.params), abs=0.01)
        assert (weights, seconds) == (3, 0.5)
        assert inference == held.splits[0].inference_ms > 0


def test_the_undominated_are_those_that_no_other_beats():
    """As good in all and better in one beats; equals do not beat each other."""
    rows = [(0.9, 100), (0.8, 50), (0.8, 60), (0.9, 100), (0.7, 50)]
    assert undominated(rows, ("score", "parameters")) == [True, True, False, True, False]
    assert undominated(np.empty((0, 2)), ("score", "parameters")) == []


def test_patience_ends_a_search_and_more_of_it_goes_on(monkeypatch, tmp_path):
    """What waits is withdrawn; raising patience or trials continues."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    space = {"learning_rate": {"float": [1e-2, 1e-1], "log": True}}
    start = [{"learning_rate": 1e-2}]
    first = study("random", trials=9, patience=3, space=space, start=start)
    begin(ledger, first)
    work(monkeypatch, ledger, first, cells=3)
    assert not patience_exhausted(ledger, "pretend")
    work(monkeypatch, ledger, first, cells=1)
    assert patience_exhausted(ledger, "pretend")
    assert read_study(ledger, "pretend").status == "stopped"
    assert cancel_waiting(ledger, "pretend") == 5
    record = read_study(ledger, "pretend")
    assert (record.status, record.done) == ("finished", 4)
    assert record.standing == "finished (no improvement in 3 trials)"
    assert cells_left(make_plan(first), record) == ()

    patient = study("random", trials=9, patience=5, space=space, start=start)
    assert len(cells_left(make_plan(patient), record)) == 5
    more = study("random", trials=12, patience=3, space=space, start=start)
    assert len(cells_left(make_plan(more), record)) == 8
    update(ledger, more, make_plan(more), "pretend")
    assert not patience_exhausted(ledger, "pretend")
    assert enqueue_missing(ledger, "pretend", make_plan(more)) == 8
    work(monkeypatch, ledger, more, cells=3)
    assert patience_exhausted(ledger, "pretend")


def test_patience_waits_for_running_trials(monkeypatch, tmp_path):
    """One that runs may still improve; those after it are not judged."""
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    spec = study("random", trials=9, patience=2)
    begin(ledger, spec)
    held = ledger.claim("pretend", "elsewhere:1:1")
    work(monkeypatch, ledger, spec, cells=5)
    assert not patience_exhausted(ledger, "pretend")
    ledger.complete(held, 1.0, (), ())
    assert patience_exhausted(ledger, "pretend")


def test_a_record_that_ended_early_is_not_finished_while_something_runs(monkeypatch, tmp_path):
    """The word comes when the last trial has ended."""
    record = searched(monkeypatch, tmp_path / "l.db", "random", trials=2)
    early = replace(record, planned=9, ended_by="no improvement in 2 trials")
    assert early.standing == "finished (no improvement in 2 trials)"
    assert replace(record, ended_by="no improvement in 2 trials").standing == "finished"
