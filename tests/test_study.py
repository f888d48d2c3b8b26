"""Studies run for real, in worker processes, on small real data."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from processes import alive, descendants, wait_for

from sweep import load_dataset, load_study, run_study
from sweep.errors import (
    InterruptedRunError,
    LedgerError,
    ReferenceError_,
    ResultError,
    StudyChangedError,
    StudyFileError,
)
from sweep.ledger.ledger import Ledger
from sweep.ledger.overview import study_overviews
from sweep.runner.progress import Watcher
from sweep.study import check_study, open_study

pytestmark = pytest.mark.tensorflow

GRID = {
    "study": {"name": "grid"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100},
    "model": {"factory": "mlp", "dropout_rate": 0.2, "learning_rate": 0.01},
    "search": {"method": "grid", "cv": 3},
    "space": {"epochs": [1, 3], "hidden_size": [4, 16, 32]},
}
RANDOM = {
    **GRID,
    "study": {"name": "random"},
    "model": {"factory": "mlp", "dropout_rate": 0.2},
    "search": {"method": "random", "trials": 5, "validation": 0.25},
    "space": {
        "hidden_size": {"int": [4, 64]},
        "learning_rate": {"float": [1e-3, 1e-1], "log": True},
    },
}
SEEDED = {**RANDOM, "search": {**RANDOM["search"], "trials": 3, "seeds": 2}}
TPE = {
    **RANDOM,
    "study": {"name": "tpe"},
    "search": {**RANDOM["search"], "method": "tpe", "pruner": "median"},
}
OWN = {
    "study": {"name": "own"},
    "data": {"dataset": "digits", "train_rows": 100, "test_rows": 50},
    "model": {"factory": "own_models:plain", "epochs": 1},
    "search": {"method": "grid", "cv": 2, "refit": False},
    "space": {"width": [4, 13, 8]},
}


def table(result):
    """Return the table without its times, which no two runs share."""
    frame = result.frame
    return frame.drop(columns=[name for name in frame.columns if name.endswith("_time")])


def own(factory):
    """Return a study with a factory of the person's own, beside the tests."""
    sections = {**OWN, "model": {**OWN["model"], "factory": f"own_models:{factory}"}}
    return load_study(sections).model_copy(update={"folder": Path(__file__).parent})


@pytest.fixture
def storage(ledger_url, tmp_path, monkeypatch):
    """Return the address of a ledger that is not there yet: a file, then one on a server."""
    monkeypatch.chdir(tmp_path)  # beside a server's ledger lie the project's files
    return ledger_url


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Return a finished grid study, run by two workers."""
    return run_study(GRID, storage=str(tmp_path_factory.mktemp("grid") / "l.db"), n_jobs=2)


@pytest.mark.parametrize("study", [GRID, RANDOM, SEEDED], ids=["grid", "random", "seeded"])
def test_the_table_is_the_same_for_any_number_of_workers(study, tmp_path):
    """All columns but times, to the last bit."""
    one, two = (run_study(study, storage=str(tmp_path / f"{n}.db"), n_jobs=n) for n in (1, 2))
    pd.testing.assert_frame_equal(table(one), table(two), check_exact=True)
    assert one.test_score_ == two.test_score_


def test_the_table_is_that_of_grid_search_cv(grid):
    """A plain GridSearchCV over our estimator gives the same scores, candidate by candidate."""
    from sklearn.model_selection import GridSearchCV

    from sweep import KerasMLPClassifier

    data = load_dataset("digits", train_rows=200, test_rows=100)
    estimator = KerasMLPClassifier(
        dropout_rate=0.2, learning_rate=0.01, scaling="unit", random_state=0
    )
    theirs = GridSearchCV(estimator, GRID["space"], cv=3, refit=False, return_train_score=True)
    results = theirs.fit(data.x_train, data.y_train).cv_results_
    for column in ("mean_test_score", "std_test_score", "split2_test_score", "mean_train_score"):
        np.testing.assert_allclose(grid.frame[column], results[column], atol=1e-12)
    np.testing.assert_array_equal(grid.frame["rank_test_score"], results["rank_test_score"])
    assert grid.frame["param_epochs"].tolist() == results["param_epochs"].tolist()


def test_a_finished_study_is_only_read(grid):
    """Running it again starts no worker and gives the same table, quickly."""
    began = time.monotonic()
    again = run_study(GRID, storage=grid.url)
    assert time.monotonic() - began < 2
    pd.testing.assert_frame_equal(table(again), table(grid))


def test_the_winner_is_refitted_and_the_test_set_opened_once(grid):
    """The estimator from the ledger scores what the ledger says."""
    data = load_dataset("digits", train_rows=200, test_rows=100)
    winner = grid.record.winner
    assert (winner.test_openings, winner.test_rows, winner.train_rows) == (1, 100, 200)
    assert grid.best_params_ == dict(winner.params)
    assert grid.best_estimator_.score(data.x_test, data.y_test) == grid.test_score_
    assert np.sum(winner.confusion) == 100
    assert np.trace(winner.confusion) / 100 == pytest.approx(grid.test_score_)


def test_a_result_shows_itself(grid, tmp_path):
    """Frames, pivot, report, notebook."""
    assert len(grid.folds) == 3 * 3 * 3
    assert grid.pivot("epochs", "hidden_size").mean.shape == (2, 3)
    assert "hidden_size" in grid._repr_html_()
    assert repr(grid) == "<StudyResult 'grid': finished, 3 of 3 cells>"
    page = grid.report(tmp_path / "r.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert open_study("grid", grid.url).best_params_ == grid.best_params_


def test_a_study_grows_and_another_question_is_refused(storage):
    """New values are added to what is there; the winner is chosen anew and the opening counted."""
    small = {**GRID, "space": {"epochs": [1], "hidden_size": [4]}}
    first = run_study(small, storage=storage, n_jobs=1)
    grown = run_study(
        {**GRID, "space": {"epochs": [1], "hidden_size": [4, 32]}}, storage=storage, n_jobs=1
    )
    assert grown.frame["split0_test_score"][0] == first.frame["split0_test_score"][0]
    assert [trial.params["hidden_size"] for trial in grown.record.trials] == [4, 32]
    assert grown.record.winner.test_openings == 2
    with pytest.raises(StudyChangedError):
        run_study({**GRID, "data": {**GRID["data"], "train_rows": 150}}, storage=storage)


def test_a_tpe_study_with_one_worker_repeats_itself_exactly(tmp_path):
    """Also when it was stopped half-way: trials, order and pruning."""
    whole = run_study(TPE, storage=str(tmp_path / "a.db"), n_jobs=1)
    half = {**TPE, "search": {**TPE["search"], "trials": 3}}
    run_study(
        {**half, "search": {**half["search"], "refit": True}},
        storage=str(tmp_path / "b.db"),
        n_jobs=1,
    )
    continued = run_study(TPE, storage=str(tmp_path / "b.db"), n_jobs=1)
    pd.testing.assert_frame_equal(table(whole), table(continued), check_exact=True)


def test_studies_of_one_name_do_not_share_files(tmp_path):
    """Two ledgers in one folder each have their own weights and winner."""
    search = {**RANDOM["search"], "trials": 3, "pruner": "successive_halving"}
    one = {**RANDOM, "model": {**RANDOM["model"], "epochs": 4}, "search": search}
    other = {**one, "data": {**one["data"], "one_vs_rest": 3}}
    first = run_study(one, storage=str(tmp_path / "a.db"), n_jobs=1)
    mixed = run_study(other, storage=str(tmp_path / "b.db"), n_jobs=1)
    alone = run_study(other, storage=str(tmp_path / "alone" / "b.db"), n_jobs=1)
    pd.testing.assert_frame_equal(table(mixed), table(alone), check_exact=True)
    assert first.best_estimator_.classes_.tolist() == list(range(10))


def test_a_longer_fit_that_fails_takes_nothing_away(storage):
    """What the shorter one has measured stays in the table, in the list and in the answer."""
    grown = {**GRID["space"], "epochs": [1, 3, 4]}
    before = run_study(GRID, storage=storage, n_jobs=1)
    search = {**GRID["search"], "trial_timeout": 0.001}
    after = run_study({**GRID, "search": search, "space": grown}, storage=storage, n_jobs=1)
    assert after.record.planned == 3
    assert (after.frame["state"] == "FAIL").sum() == 3
    assert after.best_score_ == before.best_score_
    with closing(Ledger(storage)) as ledger:
        (outline,), _ = study_overviews(ledger)
    assert outline.best == pytest.approx(before.best_score_)
    assert outline.failed == 3


def test_hyperband_lets_candidates_go_on(storage, tmp_path):
    """From their weights, within an epoch too; the end is that of an uninterrupted fit."""
    model = {**RANDOM["model"], "epochs": 3}
    pruner = {"name": "hyperband", "resource": "n_samples", "min_samples": 64}
    search = {**RANDOM["search"], "refit": False}
    climb = {**search, "method": "tpe", "trials": 22, "pruner": pruner}
    climbing = {**RANDOM, "study": {"name": "climb"}, "model": model, "search": climb}
    trials = run_study(climbing, storage=storage, n_jobs=2).record.trials
    whole = [t for t in trials if t.state == "COMPLETE" and t.rung.continues is not None]
    assert whole
    assert list(tmp_path.glob("**/artifacts/climb/*/checkpoints/*.npz"))
    alone = {**search, "trials": 1, "start": [whole[0].params]}
    again = {**RANDOM, "study": {"name": "alone"}, "model": model, "search": alone}
    (other,) = run_study(again, storage=storage, n_jobs=1).record.trials
    found = whole[0].splits[0].test
    assert other.splits[0].test == {e: score for e, score in found.items() if e >= 1}
    assert len(found) > 3
    assert any(t.rung.continues is not None and t.rung.epochs <= 1 for t in trials)
    assert other.splits[0].history["loss"] == whole[0].splits[0].history["loss"]


def test_refit_false_leaves_the_test_set_closed(storage):
    """No winner, no test score, and a plain word about it."""
    result = run_study(
        {**GRID, "search": {**GRID["search"], "refit": False}}, storage=storage, n_jobs=2
    )
    assert result.record.winner is None
    assert result.test_score_ is None
    assert result.best_params_["hidden_size"] in (16, 32)
    with pytest.raises(ResultError, match="refit = false"):
        _ = result.best_estimator_


def test_own_code_runs_when_allowed_and_only_then(storage):
    """A study file that names code is code."""
    with pytest.raises(ReferenceError_, match="may not be loaded"):
        run_study(own("plain"), storage=storage, n_jobs=1)
    with closing(Ledger(storage)) as ledger:
        assert not ledger.names()
    result = run_study(own("plain"), storage=storage, n_jobs=1, allow=["own_models"])
    assert result.frame["state"].tolist() == ["COMPLETE"] * 3


def test_a_dataset_of_ones_own(storage):
    """module:function, beside the study file."""
    study = {**OWN, "data": {"dataset": "own_models:dataset"}, "model": {"epochs": 1},
             "space": {"hidden_size": [4]}}  # fmt: skip
    spec = load_study(study).model_copy(update={"folder": Path(__file__).parent})
    assert (
        run_study(spec, storage=storage, n_jobs=1, allow=["own_models"]).record.data.train_rows
        == 120
    )


def test_a_model_that_raises_is_a_row_with_its_reason(storage):
    """The others are complete; --retry-failed tries it again."""
    result = run_study(own("fails"), storage=storage, n_jobs=1, allow=["own_models"])
    rows = result.frame.set_index("param_width")
    assert rows["state"].to_dict() == {4: "COMPLETE", 13: "FAIL", 8: "COMPLETE"}
    assert rows["reason"][13] == "ValueError: thirteen is not a width (own_models.py:18)"
    again = run_study(
        own("fails"), storage=storage, n_jobs=1, allow=["own_models"], retry_failed=True
    )
    assert [trial.state for trial in again.record.trials].count("FAIL") == 2


def test_a_model_that_ends_its_worker_is_set_aside(storage):
    """Three workers die of it; the study ends all the same."""
    result = run_study(own("deadly"), storage=storage, n_jobs=1, allow=["own_models"])
    rows = result.frame.set_index("param_width")
    assert rows["state"].to_dict() == {4: "COMPLETE", 13: "FAIL", 8: "COMPLETE"}
    assert rows["reason"][13] == "ended its worker 3 times: the worker ended with exit status 41"


def test_a_trial_over_its_time_is_a_failure(storage):
    """trial_timeout is recorded as the reason."""
    spec = own("slow")
    spec = spec.model_copy(update={"search": spec.search.model_copy(update={"trial_timeout": 5.0})})
    result = run_study(spec, storage=storage, n_jobs=1, allow=["own_models"])
    assert (
        result.frame.set_index("param_width")["reason"][13]
        == "took longer than trial_timeout = 5 s"
    )


def test_a_study_with_a_time_budget_ends_with_what_it_has(storage):
    """No new trials are begun when the time is up; the winner is still refitted."""
    study = {**TPE, "search": {**TPE["search"], "trials": 500, "timeout": 20}}
    result = run_study(study, storage=storage, n_jobs=1)
    assert 0 < result.record.done < 500
    assert result.test_score_ is not None
    assert not [t for t in result.record.trials if t.state == "RUNNING"]


class StopAfterOne(Watcher):
    """Sends this process a signal when the first cell has ended."""

    def ended(self, progress, trial):
        """Send it."""
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_study_continues_to_the_same_table(grid, storage):
    """Ctrl-C leaves nothing running; the same call goes on from there."""
    with pytest.raises(InterruptedRunError):
        run_study(GRID, storage=storage, n_jobs=1, watcher=StopAfterOne())
    with closing(Ledger(storage)) as ledger:
        states = [trial.state.name for trial in ledger.trials("grid")]
    assert "RUNNING" not in states
    assert 1 <= states.count("COMPLETE") < 3
    pd.testing.assert_frame_equal(table(run_study(GRID, storage=storage, n_jobs=1)), table(grid))


KILLED = """
import sys
from sweep import run_study
from test_study import GRID
LONG = {**GRID, "space": {"epochs": [400], "hidden_size": [4, 16, 32]}}
run_study(LONG, storage=sys.argv[1], n_jobs=2)
"""


def test_a_killed_run_leaves_no_orphans_and_is_continued(storage):
    """kill -9 of the command: its workers leave, and the same study completes."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen([sys.executable, "-c", KILLED, storage], env=environment)
    wait_for(lambda: running(storage), 60)
    workers = wait_for(lambda: descendants(process.pid), 30)
    process.kill()
    process.wait()
    wait_for(lambda: not any(alive(pid) for pid in workers), 12)
    result = run_study(
        {**GRID, "space": {"epochs": [400], "hidden_size": [4, 16, 32]}}, storage=storage, n_jobs=2
    )
    reasons = [trial.reason for trial in result.record.trials]
    assert result.frame["state"].tolist() == ["COMPLETE"] * 3, reasons


def running(storage):
    """Return the running trials."""
    try:
        with closing(Ledger(storage, reading=True)) as ledger:
            trials = ledger.trials("grid")
    except LedgerError:
        return []
    return [trial for trial in trials if trial.state.name == "RUNNING"]


def test_check_plans_without_running(tmp_path, monkeypatch):
    """The plan and an estimate; no ledger appears."""
    monkeypatch.chdir(tmp_path)
    check = check_study(load_study(GRID))
    assert (check.plan.candidates, len(check.plan.cells), check.splits) == (6, 3, 3)
    assert (check.fits, check.candidate_fits) == (10, 19)
    assert 0 < check.minutes < 5
    seeded = {**GRID, "search": {**GRID["search"], "seeds": 2}}
    assert check_study(load_study(seeded), probe=False).fits == 19
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_an_own_factory_lacks_is_refused(storage):
    """Before anything trains, with a suggestion."""
    spec = own("plain")
    wrong = load_study({**spec.sections(), "space": {"widht": [4]}})
    wrong = wrong.model_copy(update={"folder": spec.folder})
    with pytest.raises(StudyFileError, match="widht"):
        run_study(wrong, storage=storage, n_jobs=1, allow=["own_models"])


def test_a_refused_run_changes_nothing_in_the_ledger(storage):
    """A grid grown by a value that the model refuses is still the grid it was."""
    small = {**GRID, "space": {"epochs": [1], "hidden_size": [4]}}
    run_study(small, storage=storage, n_jobs=1)
    grown = {**small, "space": {"epochs": [1], "hidden_size": [4, [8, 0]]}}
    with pytest.raises(StudyFileError):
        run_study(grown, storage=storage, n_jobs=1)
    assert open_study("grid", storage).record.status == "finished"
    run_study(small, storage=storage)


def test_more_epochs_in_a_finished_grid_are_run(storage):
    """The cells are known, their epochs are not."""
    small = {**GRID, "space": {"epochs": [1], "hidden_size": [4]}}
    run_study(small, storage=storage, n_jobs=1)
    longer = {**GRID, "space": {"epochs": [1, 2], "hidden_size": [4]}}
    assert run_study(longer, storage=storage, n_jobs=1).frame["param_epochs"].tolist() == [1, 2]


def test_a_scorer_for_two_classes_is_refused_for_ten(storage):
    """With the one that fits."""
    study = {**GRID, "search": {**GRID["search"], "scoring": "f1"}}
    with pytest.raises(StudyFileError, match='these data have 10; take "f1_macro"'):
        run_study(study, storage=storage)


def test_a_choice_of_one_value_is_searched_by_tpe_too(storage):
    """And epochs may be searched beside it."""
    space = {"hidden_size": [4], "epochs": [1], "learning_rate": {"float": [0.001, 0.1]}}
    study = {**TPE, "search": {**TPE["search"], "trials": 2}, "space": space}
    assert run_study(study, storage=storage, n_jobs=1).frame["state"].tolist() == ["COMPLETE"] * 2


def test_a_finished_study_notices_that_its_file_has_changed(storage, tmp_path):
    """Its table would otherwise stand for data that are gone."""
    data = load_dataset("digits", train_rows=200, test_rows=50)
    arrays = {n: getattr(data, n) for n in ("x_train", "y_train", "x_test", "y_test")}
    np.savez(tmp_path / "d.npz", **arrays)
    study = {
        **GRID,
        "data": {"dataset": str(tmp_path / "d.npz")},
        "space": {"epochs": [1], "hidden_size": [4]},
    }
    run_study(study, storage=storage, n_jobs=1)
    np.savez(tmp_path / "d.npz", **{**arrays, "x_train": 255 - data.x_train})
    with pytest.raises(StudyChangedError, match="ran on other data"):
        run_study(study, storage=storage)


def test_a_model_that_would_leave_the_process_is_a_failure(storage):
    """SystemExit is a reason, not an end."""
    result = run_study(own("leaves"), storage=storage, n_jobs=1, allow=["own_models"])
    assert result.frame.set_index("param_width")["reason"][13].startswith("SystemExit: 3")


def test_pruning_by_split_leaves_the_other_rows_as_they_are(tmp_path, grid):
    """What is complete has the very scores of the unpruned study; the best is the same."""
    spaced = {**GRID["space"], "learning_rate": [1e-5, 0.01]}
    study = {**GRID, "model": {"factory": "mlp", "dropout_rate": 0.2}, "space": spaced}
    whole = run_study(study, storage=str(tmp_path / "a.db"), n_jobs=1).frame
    search = {**GRID["search"], "split_pruner": True}
    pruned = run_study({**study, "search": search}, storage=str(tmp_path / "b.db"), n_jobs=1)
    frame = pruned.frame
    assert set(frame["state"]) == {"COMPLETE", "PRUNED"}
    kept = frame["state"] == "COMPLETE"
    for name in [n for n in frame.columns if n.endswith("_score") and not n.startswith("rank")]:
        pd.testing.assert_series_equal(frame[name][kept], whole[name][kept], check_exact=True)
    assert frame["mean_test_score"].idxmax() == whole["mean_test_score"].idxmax()
    given_up = [t for t in pruned.record.trials if t.state == "PRUNED"]
    assert {len(t.splits) for t in given_up} == {2}


def test_a_duplicate_is_copied_and_a_larger_budget_continues(tmp_path):
    """Of few combinations, none is trained twice; the table says whose result a row shows."""
    search = {"method": "random", "trials": 14, "validation": 0.25}
    study = {**RANDOM, "search": search, "space": {"hidden_size": [4, 8], "epochs": [1, 2, 3]}}
    result = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    copied = [t for t in result.record.trials if t.copied_from is not None]
    assert copied
    trials = {t.number: t for t in result.record.trials}
    for trial in copied:
        source = trials[trial.copied_from]
        assert source.copied_from is None
        assert trial.params["hidden_size"] == source.params["hidden_size"]
        epoch = trial.epochs[0]
        assert trial.splits[0].test[epoch] == source.splits[0].test[epoch]
    equal = result.frame.groupby(["param_hidden_size", "param_epochs"])["mean_test_score"]
    assert (equal.max() == equal.min()).all()
    assert result.frame["copied_from"].notna().sum() == len(copied)


def test_a_winner_may_be_refitted_in_another_precision(tmp_path):
    """Searched in mixed_bfloat16, refitted in float32, and both said."""
    study = {
        **GRID,
        "model": {**GRID["model"], "precision": "mixed_bfloat16"},
        "search": {**GRID["search"], "refit_precision": "float32"},
        "space": {"epochs": [1, 2]},
    }
    result = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    assert result.record.winner.precision == "float32"
    assert result.record.spec["model"]["precision"] == "mixed_bfloat16"
    assert result.best_estimator_.precision == "float32"


def test_a_worker_is_replaced_after_many_architectures_and_the_table_stays(tmp_path):
    """Sixty hidden sizes: one worker is replaced on the way; two share them."""
    study = {
        **OWN,
        "model": {"factory": "mlp", "epochs": 1},
        "search": {"method": "grid", "validation": 0.3, "refit": False},
        "space": {"hidden_size": {"int": [1, 60]}},
    }
    runs = [run_study(study, storage=str(tmp_path / f"{n}.db"), n_jobs=n) for n in (1, 2)]
    workers = [{trial.worker for trial in run.record.trials} for run in runs]
    assert len(workers[0]) == 2
    assert len(workers[1]) >= 2
    frames = [run.frame.filter(regex="param_|score|rank") for run in runs]
    frames = [frame.drop(columns=frame.filter(like="time").columns) for frame in frames]
    pd.testing.assert_frame_equal(*frames)


def test_a_search_without_improvement_ends_early_and_says_so(tmp_path):
    """Two workers; what still waits is withdrawn, and a larger patience goes on."""
    storage = str(tmp_path / "l.db")
    study = {**RANDOM, "search": {**RANDOM["search"], "trials": 40, "patience": 3}}
    first = run_study(study, storage=storage, n_jobs=2).record
    assert first.standing == "finished (no improvement in 3 trials)"
    assert first.winner is not None
    ended = sum(trial.state == "COMPLETE" for trial in first.trials)
    assert 4 <= ended < 40
    assert run_study(study, storage=storage, n_jobs=2).record.trials == first.trials
    study["search"]["patience"] = 6
    more = run_study(study, storage=storage, n_jobs=2).record
    assert sum(trial.state == "COMPLETE" for trial in more.trials) > ended
