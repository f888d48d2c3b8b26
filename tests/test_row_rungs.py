"""Budgets in training rows: rungs within the first epoch, in ledger, tables, exports and words."""

from dataclasses import replace

import numpy as np
import optuna
import pytest
from pretend import DATA, begin, study, work

from sweep.cli.plan_text import rungs as rungs_in_words
from sweep.errors import StudyFileError
from sweep.evaluation.split_checks import checked_splits
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.records import Rung
from sweep.report.curve_data import curve_folds
from sweep.report.curves import learning_curves
from sweep.report.leaderboard import how_far
from sweep.screens.optuna_study import OptunaStudy
from sweep.screens.runs import runs_of
from sweep.search.promotion import bracket_plan, rank_across_budgets, row_rungs
from sweep.storage.attributes import RUNG
from sweep.tables import candidates_frame, epochs_frame, folds_frame, splits_frame, trials_frame
from sweep.tables.plain_rows import leaderboard_rows

SPACE = {"learning_rate": {"float": [1e-4, 1e-1], "log": True}, "epochs": [3]}
PRUNER = {"name": "hyperband", "resource": "n_samples", "min_samples": 32}
SHARES = (32 / 200, 96 / 200)


def search(monkeypatch, path, trials=24, method="tpe", cells=None, **more):
    """Search with rungs of 32 and 96 of 200 rows, 1 and 3 epochs; no weights are kept."""
    spec = study(method, space=SPACE, trials=trials, **{"pruner": PRUNER, **more})
    ledger = Ledger(f"sqlite:///{path}")
    if not ledger.has(spec.study.name):
        begin(ledger, spec)
    monkeypatch.setattr("sweep.workers.cell_evaluator.CellEvaluator._store", lambda *_: None)
    return work(monkeypatch, ledger, spec, cells)


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    """Return a finished study."""
    with pytest.MonkeyPatch.context() as patch:
        return search(patch, tmp_path_factory.mktemp("rows") / "l.db")


def test_rungs_grow_by_the_factor_and_are_whole_epochs_from_one_on():
    """The first has min_samples, the last is all epochs; two that round alike are one."""
    assert row_rungs(1024, 3, 5400, 9) == (1024 / 5400, 3072 / 5400, 2, 5, 9)
    assert row_rungs(100, 2, 350, 2) == (100 / 350, 200 / 350, 1, 2)
    assert row_rungs(64, 4, 100, 1) == (0.64, 1)
    assert row_rungs(300, 3, 200, 4) == (2, 4)
    with pytest.raises(ValueError, match="training rows"):
        row_rungs(64, 4, 0, 1)


def test_brackets_begin_at_each_rung():
    """Hyperband's four begin with 32 rows, 96 rows, 1 and 3 epochs; halving has one."""
    spec = study("tpe", space=SPACE, trials=9, pruner=PRUNER)
    plan = bracket_plan(spec, 200)
    assert [each.rungs for each in plan.brackets] == [
        (*SHARES, 1, 3), (SHARES[1], 1, 3), (1, 3), (3,),
    ]  # fmt: skip
    assert [each.starts for each in plan.brackets] == [27, 12, 6, 4]
    assert plan.first_rung(0) == Rung(0, SHARES[0], rows=32)
    assert plan.within == dict(zip(SHARES, (32, 96), strict=True))
    halving = study("tpe", space=SPACE, trials=9, pruner={**PRUNER, "name": "successive_halving"})
    assert bracket_plan(halving, 200).brackets[0].rungs == (0.16, 0.64, 3)
    assert rungs_in_words(plan) == (
        "32 rows (0.16 epochs), 96 rows (0.48 epochs), 200 rows (1 epoch), 600 rows (3 epochs); "
        "1 of 3 goes on\nof 49 candidates begin 27 at 32 rows, 12 at 96 rows, 6 at 1 epoch, 4 at "
        "3 epochs"
    )


def test_a_trial_is_scored_at_every_rung_and_epoch_up_to_its_own(record):
    """Those that begin higher too, so that samplers can compare them; a seed is complete at 3."""
    assert {t.rung.epochs for t in record.trials} >= {*SHARES, 1, 3}
    for each in record.trials:
        stops = [e for e in (*SHARES, 1, 2, 3) if e <= each.rung.epochs]
        assert sorted(each.splits[0].test) == stops
        assert sorted(each.splits[0].seconds) == stops
        assert each.rung.rows == round(200 * each.rung.epochs)
        assert each.state == ("COMPLETE" if each.rung.epochs == 3 else "PRUNED")
        assert len(each.splits[0].history["loss"]) == int(each.rung.epochs)
    assert any(t.rung.continues is not None and t.state == "COMPLETE" for t in record.trials)


def test_a_study_in_pieces_is_the_study_in_one(monkeypatch, tmp_path):
    """With one worker, stopped between two cells: the same trials, rungs and scores."""
    whole = search(monkeypatch, tmp_path / "a.db", trials=9)
    for cells in (5, None):
        parts = search(monkeypatch, tmp_path / "b.db", trials=9, cells=cells)

    def told(record):
        return [(t.key, t.rung, t.state, t.params, t.splits[0].test) for t in record.trials]

    assert told(parts) == told(whole)


def test_optuna_counts_rows(record, tmp_path, monkeypatch):
    """Its steps are whole numbers: training rows, of an epoch too; and samplers rank by them."""
    search(monkeypatch, tmp_path / "l.db", trials=6)
    trials = Ledger(f"sqlite:///{tmp_path / 'l.db'}").trials("pretend")
    for each in trials:
        last = each.user_attrs[RUNG]["rows"]
        assert sorted(each.intermediate_values) == [r for r in (32, 96, 200, 400, 600) if r <= last]

    def ended(number, scores):
        made = optuna.trial.create_trial(value=0.5, intermediate_values=scores)
        made.number = number
        return made

    ranked = rank_across_budgets([ended(0, {32: 0.9}), ended(1, {32: 0.3, 96: 0.4})], enough=2)
    assert [t.value for t in ranked] == [1, 0]
    ranked = rank_across_budgets([ended(0, {32: 0.9}), ended(1, {32: 0.3, 96: 0.4})], enough=3)
    assert [t.value for t in ranked] == [1, 0]


def test_tables_say_rows_and_shares_of_an_epoch(record):
    """In every table; where only epochs count nothing is added, and epochs stay whole."""
    frame = candidates_frame(record)
    assert set(frame["epochs_run"]) >= {SHARES[0], 3.0}
    assert (frame["rows_run"] == (frame["epochs_run"] * 200).round()).all()
    for table in (folds_frame(record), epochs_frame(record)):
        assert (table["rows"] == (table["epoch"] * 200).round()).all()
        assert table.loc[table["epoch"] < 1, "loss"].isna().all()
        assert table.loc[table["epoch"] >= 1, "loss"].notna().all()
    assert (splits_frame(record)["rows"] > 0).all()
    assert (trials_frame(record)["rows_run"] > 0).all()
    assert leaderboard_rows(record)[0]["rows_run"] == 600


def test_a_study_by_epochs_has_no_rows(monkeypatch, tmp_path):
    """Its tables, its ledger and its rungs are what they were."""
    plain = search(monkeypatch, tmp_path / "l.db", trials=9, pruner="hyperband")
    assert "rows" not in folds_frame(plain)
    assert "rows_run" not in candidates_frame(plain)
    assert str(epochs_frame(plain)["epoch"].dtype) == "Int64"
    assert str(candidates_frame(plain)["epochs_run"].dtype) == "Int64"
    trials = Ledger(f"sqlite:///{tmp_path / 'l.db'}").trials("pretend")
    assert all(set(t.user_attrs[RUNG]) == {"bracket", "epochs", "continues"} for t in trials)


def test_a_paused_candidate_is_told_in_rows_and_epochs(record):
    """How far it came, in the leaderboard of the report."""
    paused = [c for c in record.candidates if c.trial.rung.epochs == SHARES[0]]
    score = paused[0].trial.splits[0].test[SHARES[0]]
    assert how_far(paused[0], 1) == f": {score:.4f} after 32 rows (0.16 epochs)"
    trial = replace(paused[0].trial, splits=(replace(paused[0].trial.splits[0], test={1: 0.5}),))
    later = replace(paused[0], trial=replace(trial, rung=Rung(0, 1, rows=200)))
    assert how_far(later, 1) == ": 0.5000 after 200 rows (1 epoch)"


def test_curves_have_a_point_at_each_share(record):
    """Their table too, its columns named by epochs."""
    plot = learning_curves(record, *curve_folds(record))[0]
    assert list(plot.data.head[2:]) == ["0.16", "0.48", "1", "2", "3"]


def test_other_tools_get_rows_as_steps(record, tmp_path):
    """No two measurements of a fit share a step."""
    complete = next(run for run in runs_of(record) if run.state == "COMPLETE")
    scores = complete.curves[0].values["test_score"]
    assert [complete.step(epoch) for epoch in scores] == [32, 96, 200, 400, 600]
    shown = OptunaStudy(str(tmp_path / "o.db"), record, "sqlite:///l.db")
    shown.put(record, runs_of(record))
    theirs = optuna.load_study(study_name="pretend", storage=f"sqlite:///{tmp_path / 'o.db'}")
    assert {step for t in theirs.trials for step in t.intermediate_values} == {
        32, 96, 200, 400, 600,
    }  # fmt: skip


def test_the_ledger_reads_back_what_was_measured(record, monkeypatch, tmp_path):
    """Whole epochs as ints, shares to the last bit, and no digest complains."""
    made = search(monkeypatch, tmp_path / "l.db", trials=5)
    again = read_study(Ledger(f"sqlite:///{tmp_path / 'l.db'}"), "pretend")
    assert (again.damage, again.trials) == ((), made.trials)
    kinds = {type(epoch) for t in again.trials for epoch in t.splits[0].test if epoch >= 1}
    assert kinds == {int}


@pytest.mark.parametrize(
    ("pruner", "problem"),
    [
        (
            {**PRUNER, "min_epochs": 1},
            (
                'search.pruner.min_epochs: rungs count rows with resource = "n_samples", so '
                "min_epochs must be left out; say min_samples = 1024"
            ),
        ),
        (
            {"name": "hyperband", "min_samples": 64},
            (
                "search.pruner.min_samples: rungs count epochs unless resource = "
                '"n_samples"; say that too, or leave it out'
            ),
        ),
        (
            {**PRUNER, "resource": "rows"},
            'search.pruner.resource: must be "epochs" or "n_samples", got "rows"',
        ),
        (
            {**PRUNER, "min_samples": 31},
            ("search.pruner.min_samples: must hold a whole batch of batch_size = 32, got 31"),
        ),
        (
            {"name": "median", "resource": "n_samples"},
            (
                'search.pruner.resource: "median" takes min_epochs, startup_trials; resource is '
                "for hyperband, successive_halving"
            ),
        ),
        (
            {**PRUNER, "min_samples": 0},
            "search.pruner.min_samples: must be a whole number from 1, got 0",
        ),
    ],
)
def test_what_cannot_be_is_told(pruner, problem):
    """The rule, the value, the remedy."""
    with pytest.raises(StudyFileError) as refused:
        study("tpe", space=SPACE, trials=9, pruner=pruner)
    assert refused.value.problems == [problem]


def test_the_largest_batch_of_the_search_counts():
    """Wherever batch_size stands."""
    with pytest.raises(StudyFileError) as refused:
        study("tpe", space={**SPACE, "batch_size": [16, 64]}, trials=9, pruner=PRUNER)
    assert "batch_size = 64" in refused.value.problems[0]
    study("tpe", space={**SPACE, "batch_size": [16, 32]}, trials=9, pruner=PRUNER)


def test_the_first_rung_is_below_an_epoch():
    """Of the smallest split; and epochs said as such are the default."""
    for least, fine in ((200, False), (199, True)):
        spec = study("tpe", space=SPACE, trials=9, pruner={**PRUNER, "min_samples": least})
        if fine:
            checked_splits(spec, DATA)
            continue
        with pytest.raises(StudyFileError) as refused:
            checked_splits(spec, DATA)
        (problem,) = refused.value.problems
        assert problem == (
            "search.pruner.min_samples: must be below the training rows of a split, 200, got 200; "
            'lower it, or leave resource = "n_samples" out'
        )
    plain = study("tpe", trials=9, pruner={"name": "hyperband", "resource": "epochs"})
    assert plain.search.pruner == study("tpe", trials=9, pruner="hyperband").search.pruner


def test_rows_stay_with_the_ends_of_a_rung():
    """Before they are rounded to a candidate's batches; none where rungs count epochs."""
    assert Rung(0, SHARES[0], rows=32).rows_at(1) == 200
    assert Rung(0, 3, rows=600).rows_at(SHARES[1]) == 96
    assert replace(Rung(0, 3)).rows_at(1) is None
    assert np.isclose(SHARES[0], 0.16)
