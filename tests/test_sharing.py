"""Several people and machines on one ledger: submit, work along, stop, tidy up."""

import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from commands import here, ledger, read, sweep  # noqa: F401
from ledgers import build, with_folder
from processes import wait_for
from records import grid_record
from test_study import table

from sweep import run_study
from sweep.analysis.overview import all_overviews
from sweep.cli.worker import _Shift
from sweep.errors import InterruptedRunError, ResultError, StudyChangedError
from sweep.ledger.ledger import Ledger
from sweep.runner.local_pool import LocalPool
from sweep.storage.attributes import STUDY
from sweep.study import open_study
from sweep.study.join import join_study, open_studies
from sweep.study.run import _Run
from sweep.study.submit import submit_study

ROOT = Path(__file__).resolve().parent.parent
GRID = {
    "study": {"name": "shared"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100},
    "model": {"factory": "mlp", "learning_rate": 0.01},
    "search": {"method": "grid", "cv": 2},
    "space": {"epochs": [2, 20], "hidden_size": [4, 6, 8, 12, 16, 24]},
}


def test_a_submitted_study_waits_for_workers(ledger_url):
    """Every cell is enqueued once, whoever submits it, and however often."""
    assert submit_study(GRID, storage=ledger_url) == 6
    assert submit_study(GRID, storage=ledger_url) == 0
    assert open_studies(ledger_url) == ["shared"]
    grown = {**GRID, "space": {**GRID["space"], "hidden_size": [4, 6, 8, 12, 16, 24, 32]}}
    assert submit_study(grown, storage=ledger_url) == 1
    with pytest.raises(StudyChangedError):
        submit_study({**GRID, "study": {"name": "shared", "seed": 1}}, storage=ledger_url)


@pytest.mark.parametrize("cv", [2, 3])
def test_a_study_made_by_somebody_else_at_the_same_moment(ledger_url, monkeypatch, cv):
    """The same settings are shared; others are refused, as they are a moment later."""
    create = Ledger.create

    def overtaken(self, name, header):
        monkeypatch.setattr(Ledger, "create", create)
        submit_study({**GRID, "search": {"method": "grid", "cv": cv}}, storage=ledger_url)
        create(self, name, header)

    monkeypatch.setattr(Ledger, "create", overtaken)
    if cv == 2:
        assert submit_study(GRID, storage=ledger_url) == 0
        return
    with pytest.raises(StudyChangedError, match=r"search\.cv: was 3, now 2"):
        submit_study(GRID, storage=ledger_url)


def test_a_winner_that_a_stop_has_prevented_is_work_for_a_worker(ledger_url):
    """Until it is refitted; not where the study file asks for no refit, nor while it is stopped."""
    build(None, "ended", url=ledger_url)
    build(None, "closed", url=ledger_url, refit=False)
    build(None, "refitted", url=ledger_url, winner=True)
    build(None, "failed", url=ledger_url, failed=(0, 1, 2))
    assert open_studies(ledger_url) == ["ended"]
    said = read("best", "ended", "--storage", ledger_url)
    assert "still closed (`sweep run` refits the winner, or a worker)" in said
    with pytest.raises(ResultError, match="stopped before the refit; `sweep run`"):
        _ = open_study("ended", ledger_url).best_estimator_
    with closing(Ledger(ledger_url)) as opened:
        opened.stop("ended", "now")
    assert open_studies(ledger_url) == []


def test_a_stopped_study_is_left_alone_until_it_is_run_again(ledger_url):
    """Workers that take all studies pass it by."""
    submit_study(GRID, storage=ledger_url)
    with closing(Ledger(ledger_url)) as opened:
        opened.stop("shared", "2026-01-01")
    assert open_studies(ledger_url) == []
    submit_study(GRID, storage=ledger_url)
    assert open_studies(ledger_url) == ["shared"]


def test_only_the_request_to_stop_that_a_run_found_is_taken_back(ledger_url, monkeypatch):
    """One that comes while the study is prepared to go on holds."""
    submit_study(GRID, storage=ledger_url)

    def meanwhile(*_words):
        assert "shared stops" in read("stop", "shared", "--storage", ledger_url)

    with closing(Ledger(ledger_url)) as opened:
        opened.stop("shared", "2026-01-01")
        with monkeypatch.context() as patch:
            patch.setattr("sweep.study.preflight.check_same", meanwhile)
            submit_study(GRID, storage=ledger_url)
        assert opened.stopped("shared") not in (None, "2026-01-01")
        submit_study(GRID, storage=ledger_url)
        assert opened.stopped("shared") is None


def test_a_nested_study_stops_in_its_outer_folds(ledger_url, ledger):  # noqa: F811
    """Cells in hand there count, where the study itself has none left."""
    whole = build(None, "whole", url=ledger_url, winner=True)
    with closing(Ledger(ledger_url)) as opened:
        assert "nothing to stop" in read("stop", "whole", "--storage", ledger_url)
        build(None, "fold", url=ledger_url, done=1)
        header = {**opened.header("fold"), "part": {"study": "whole", "outer": 0}}
        opened._write("fold", STUDY, header)
        assert opened.parts(whole.name) == ["fold"]
        opened.claim("fold", "node1:7:1:1")
        said = read("stop", "whole", "--storage", ledger_url)
        assert said.startswith("whole stops: 1 cell in hand will be finished")
        assert opened.stopped("whole")


@pytest.mark.tensorflow
def test_a_nested_study_that_was_stopped_in_its_outer_folds_goes_on(ledger_url, monkeypatch):
    """The request is taken back though the study's own search has ended."""
    nested = {
        **GRID,
        "search": {"method": "grid", "cv": 2, "nested": 2},
        "space": {"epochs": [2], "hidden_size": [4, 6]},
    }
    see_through = _Run.see_through

    def stopped_meanwhile(run, spec, part):
        if part is not None and not run.ledger.nested("shared"):
            run.ledger.stop("shared", "now")
        return see_through(run, spec, part)

    with monkeypatch.context() as patch:
        patch.setattr(_Run, "see_through", stopped_meanwhile)
        assert run_study(nested, storage=ledger_url, n_jobs=1).record.nested is None
    assert run_study(nested, storage=ledger_url, n_jobs=1).record.nested is not None


def test_the_list_says_who_and_where_and_when(ledger_url):
    """Owner, hosts of the cells in hand, seconds since the last sign of life."""
    submit_study(GRID, storage=ledger_url)
    with closing(Ledger(ledger_url)) as opened:
        before = all_overviews(opened)[0]
        opened.claim("shared", "node1:7:1:1")
        opened.claim("shared", "node1:8:1:1")
        (outline,) = all_overviews(opened)
    assert (before.hosts, before.last_sign) == ((), None)
    assert outline.hosts == ("node1", "node1")
    assert "@" in outline.owner
    assert 0 <= outline.last_sign < 60


def test_stop_and_worker_on_the_command_line(ledger):  # noqa: F811
    """What they say, and how they refuse."""
    assert "`sweep run` or `sweep submit` continues it" in read("stop", "half", "--storage", ledger)
    assert read("worker", "--all", "--storage", ledger) == "no cell is left to take\n"
    assert "name a study with --study" in sweep("worker", "--storage", ledger).stderr
    assert sweep("stop", "none", "--storage", ledger).exit_code == 2
    assert (
        read("stop", "tiny", "--storage", ledger)
        == "tiny: no cell waits or runs; nothing to stop\n"
    )
    assert read("worker", "--study", "half", "--storage", ledger) == (
        "no cell is left to take\n"
        "half was stopped, 2 cells left: `sweep submit` or `sweep run` continues it\n"
    )
    assert read("worker", "--study", "tiny", "--storage", ledger) == (
        "no cell is left to take\n"
        "tiny is finished: 3 of 3 cells done, best score 0.8910; `sweep show tiny`\n"
    )
    assert "not both" in sweep("worker", "--all", "--study", "x", "--storage", ledger).stderr
    unknown = sweep("worker", "--study", "tinny", "--storage", ledger)
    assert (unknown.exit_code, "Did you mean" in unknown.stderr) == (2, True), unknown.stderr


def test_prune_removes_what_no_study_needs(here):  # noqa: F811
    """Old folders of studies that are gone; nothing recent, nothing of a study that is there."""
    path = here / "l.db"
    url = f"sqlite:///{path}"
    folders = []
    for name, age in (("tiny", 40), ("gone", 40), ("fresh", 0)):
        build(path, name)
        folders.append(with_folder(url, name, f"abc-{name}", age))
    with closing(Ledger(url)) as opened:  # as the dashboard does, and Optuna
        opened.delete("gone")
        opened.delete("fresh")
    own, gone, fresh = folders
    said = read("prune", "--dry-run", "--storage", path)
    assert "its study is not in the ledger" in said
    assert "fresh" not in said
    assert gone.exists()
    assert sweep("prune", "--storage", path, input="n\n").exit_code == 1
    assert "removed 1.9 MB" in read("prune", "--yes", "--storage", path)
    assert [f.exists() for f in (gone, fresh, own)] == [False, True, True]
    assert "nothing to remove that is older than 30 days" in read("prune", "--storage", path)


def started(folder, url, *words):
    """Start a worker in a folder of its own, which knows the address alone."""
    folder.mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", "worker", "-j", "1", *words], cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SWEEP_STORAGE": url, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.tensorflow
def test_workers_elsewhere_give_the_table_of_one(ledger_url, tmp_path):
    """Two processes that share nothing but the ledger; the last one refits the winner."""
    submit_study(GRID, storage=ledger_url)
    workers = [started(tmp_path / str(n), ledger_url, "--study", "shared") for n in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=180)
        assert worker.returncode == 0, errors
    whole = run_study(GRID, storage=str(tmp_path / "one.db"), n_jobs=1)
    shared = open_study("shared", ledger_url)
    pd.testing.assert_frame_equal(table(shared), table(whole), check_exact=True)
    assert shared.record.winner.test_score == whole.record.winner.test_score
    keys = [t.key for t in shared.record.trials if t.state == "COMPLETE"]
    assert len(keys) == len(set(keys)) == 6


@pytest.mark.tensorflow
def test_a_grown_study_is_refitted_though_its_machine_has_gone(ledger_url, monkeypatch):
    """Between the last cell and the refit: the winner of before is not that of the grown study."""
    small = {**GRID, "space": {"epochs": [20], "hidden_size": [4, 6]}}
    run_study(small, storage=ledger_url, n_jobs=1)
    submit_study({**small, "space": {**small["space"], "hidden_size": [4, 6, 40]}},
                 storage=ledger_url)  # fmt: skip

    def gone(_pool):
        raise InterruptedRunError("the machine is switched off")

    with monkeypatch.context() as patch:
        patch.setattr(LocalPool, "_refit", gone)
        with pytest.raises(InterruptedRunError):
            join_study("shared", ledger_url, n_jobs=1)
    before = open_study("shared", ledger_url).record
    assert (before.status, before.winner.params["hidden_size"] < 40) == ("finished", True)
    assert open_studies(ledger_url) == ["shared"]
    after = join_study("shared", ledger_url, n_jobs=1).record
    assert after.winner.params["hidden_size"] == 40
    assert open_studies(ledger_url) == []


@pytest.mark.tensorflow
def test_a_study_whose_time_is_up_is_stopped(ledger_url):
    """No machine begins anew with as much time; somebody who hands it in again gives it more."""
    timed = {**GRID, "search": {**GRID["search"], "timeout": 0.1}}
    submit_study(timed, storage=ledger_url)
    assert join_study("shared", ledger_url, n_jobs=1).record.status != "finished"
    assert open_studies(ledger_url) == []
    with closing(Ledger(ledger_url)) as opened:
        assert opened.stopped("shared")
    submit_study(timed, storage=ledger_url)
    assert open_studies(ledger_url) == ["shared"]


def test_a_study_that_others_were_at_is_taken_up_again(monkeypatch):
    """They may have gone before it ended; one that this machine cannot help with is left."""
    shift, record = _Shift(SimpleNamespace(progress=None)), grid_record()

    def refuse(_name):
        raise StudyChangedError("other data")

    shift.work("shared", lambda _: SimpleNamespace(record=replace(record, winner=None)))
    shift.work("other data", refuse)
    shift.work("ended", lambda _: SimpleNamespace(record=record))
    assert shift.aside() == {"shared", "other data"}
    later = time.monotonic() + 61
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert shift.aside() == {"other data"}


@pytest.mark.tensorflow
def test_stop_lets_workers_finish_their_cells(ledger_url, tmp_path):
    """The cell in hand is complete, the others wait; the worker leaves by itself."""
    slow = {**GRID, "space": {"epochs": [150], "hidden_size": [4, 6, 8, 12, 16, 24]}}
    submit_study(slow, storage=ledger_url)
    worker = started(tmp_path / "w", ledger_url, "--all")
    with closing(Ledger(ledger_url)) as opened:
        wait_for(lambda: opened.counts("shared")["RUNNING"], 60)
        opened.stop("shared", "now")
        _, errors = worker.communicate(timeout=120)
        counts = opened.counts("shared")
    assert worker.returncode == 0, errors
    assert "stop requested" in errors
    assert counts["RUNNING"] == counts["FAIL"] == 0
    assert counts["COMPLETE"] >= 1
    assert counts["WAITING"] >= 1


@pytest.mark.tensorflow
def test_a_worker_with_other_data_refuses_to_mix(ledger_url, tmp_path):
    """The fingerprint tells; the study is left to others."""
    import numpy as np

    data = tmp_path / "d.npz"

    def write(seed):
        x = np.random.default_rng(seed).integers(0, 255, (60, 8, 8), np.uint8)
        y = np.arange(60) % 3
        np.savez(data, x_train=x, y_train=y, x_test=x[:30], y_test=y[:30])

    write(0)
    own = {**GRID, "data": {"dataset": str(data)}}
    submit_study(own, storage=ledger_url)
    write(1)
    with pytest.raises(StudyChangedError, match="ran on other data"):
        join_study("shared", ledger_url, n_jobs=1)
    worker = started(tmp_path / "w", ledger_url, "--all")
    _, errors = worker.communicate(timeout=60)
    assert worker.returncode == 2
    assert "study shared is left to others: study 'shared' ran on other data" in errors
    assert "give this machine the same data" in errors
