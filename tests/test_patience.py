"""Patience, and what lies beyond it: the same table however many workers were at it."""

import os
import signal
import warnings
from contextlib import closing

import pandas as pd
import pytest
from pretend import DATA, Silent, begin, estimator, study

from sweep import analysis, run_study
from sweep.analysis.overview import all_overviews, overview_of
from sweep.cli.leaderboard import beyond_lines
from sweep.errors import InterruptedRunError
from sweep.ledger.ledger import Ledger
from sweep.ledger.limits import draw_of
from sweep.ledger.reading import read_study
from sweep.report.search import beyond_the_end
from sweep.runner.progress import Watcher
from sweep.search.plan import make_plan
from sweep.storage.attributes import BY_DRAW
from sweep.study.answers.status import study_status
from sweep.study.check import cells_left, takes_up_again
from sweep.study.preparation import update
from sweep.tables import candidates_frame
from sweep.workers.job import Job
from sweep.workers.loop import Worker
from sweep.workers.recovery import cancel_waiting, enqueue_missing, patience_exhausted

PATIENT = study("random", trials=16, patience=3, start=[{"learning_rate": 0.01, "momentum": 0.0}])
NAME = PATIENT.study.name


def table(record):
    """Return the table without its times, which no two runs share."""
    frame = candidates_frame(record)
    return frame.drop(columns=[name for name in frame.columns if name.endswith("_time")])


@pytest.fixture
def pretending(monkeypatch):
    """Have cells evaluated by a fake estimator."""
    monkeypatch.setattr("sweep.workers.cell_evaluator.make_estimator", estimator)
    with warnings.catch_warnings():  # the fake is not told of callbacks
        warnings.filterwarnings("ignore", message=".*does not support callbacks")
        yield


def searched(ledger, at_once, spec=PATIENT):
    """Search with so many workers, of which the one that began last is always the fastest."""
    worker = Worker(Job(ledger.url, NAME), Silent(), ledger, spec, DATA)
    while not patience_exhausted(ledger, NAME):
        taken = [ledger.claim(NAME, worker.name, by_draw=True) for _ in range(at_once)]
        if not any(taken):
            break
        for claim in filter(None, reversed(taken)):
            worker.one_cell(claim)
    cancel_waiting(ledger, NAME)
    return read_study(ledger, NAME)


@pytest.fixture
def one_by_one(pretending, tmp_path):
    """Return the study searched by one worker."""
    with closing(Ledger(f"sqlite:///{tmp_path / 'one.db'}")) as ledger:
        begin(ledger, PATIENT)
        return searched(ledger, 1)


@pytest.mark.parametrize("at_once", [2, 6])
def test_the_table_is_the_same_for_any_number_of_workers(at_once, ledger_url, one_by_one):
    """Rows beyond the end do not count: not in the table, the winner, the counts or the list."""
    with closing(Ledger(ledger_url)) as ledger:
        begin(ledger, PATIENT)
        record = searched(ledger, at_once)
        pd.testing.assert_frame_equal(table(one_by_one), table(record), check_exact=True)
        assert 3 < len(record.candidates) < 16
        assert analysis.chosen(record).params == analysis.chosen(one_by_one).params
        assert record.standing == one_by_one.standing == "finished (no improvement in 3 trials)"
        assert record.tally == one_by_one.tally
        (listed,) = all_overviews(ledger)
        assert (listed.done, listed.status) == (one_by_one.done, "finished")
        assert listed.best == overview_of(one_by_one).best


def test_it_is_the_same_after_an_interruption(ledger_url, one_by_one):
    """Cells that were cut short are taken before those behind them, which need them."""
    with closing(Ledger(ledger_url)) as ledger:
        begin(ledger, PATIENT)
        worker = Worker(Job(ledger.url, NAME), Silent(), ledger, PATIENT, DATA)
        taken = [ledger.claim(NAME, "w", by_draw=True) for _ in range(6)]
        for claim in (taken[2], taken[5]):
            worker.one_cell(claim)
        for claim in (taken[0], taken[1], taken[3], taken[4]):
            ledger.cut(claim.trial_id)
        assert not patience_exhausted(ledger, NAME)
        enqueue_missing(ledger, NAME, make_plan(PATIENT))
        assert [draw_of(ledger.claim(NAME, "w", by_draw=True).key) for _ in range(3)] == [0, 1, 3]
        for trial in ledger.trials(NAME, "RUNNING"):
            ledger.cut(trial._trial_id)
        enqueue_missing(ledger, NAME, make_plan(PATIENT))
        record = searched(ledger, 1)
    pd.testing.assert_frame_equal(table(one_by_one), table(record), check_exact=True)


def test_what_lies_beyond_the_end_is_kept_and_told(pretending, tmp_path):
    """`show` and the report say how many cells; more patience takes them up, without a new fit."""
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        begin(ledger, PATIENT)
        record = searched(ledger, 6)
        beyond = {trial.key for trial in record.beyond}
        assert len(beyond) > 0
        assert f"{len(beyond)} cell" in " ".join(beyond_lines(study_status(record)))
        assert beyond_the_end(record).startswith(f"{len(beyond)} cell")
        assert cells_left(make_plan(PATIENT), record) == ()
        assert not takes_up_again(make_plan(PATIENT), record)

        patient = study("random", trials=16, patience=9, start=list(PATIENT.search.start))
        plan = make_plan(patient)
        assert takes_up_again(plan, record)
        assert not beyond & {cell.key for cell in cells_left(plan, record)}
        update(ledger, patient, plan, NAME)
        enqueue_missing(ledger, NAME, plan)
        more = searched(ledger, 1, patient)
        again = {trial.key for trial in more.trials if trial.state == "COMPLETE"}
        assert beyond <= again
        assert len(more.candidates) > len(record.candidates)


def test_more_trials_begin_behind_the_end(pretending, tmp_path):
    """Patience begins anew where it had ended the search, for any number of workers."""
    grown = study("random", trials=20, patience=3, start=list(PATIENT.search.start))
    tables = []
    for at_once in (1, 6):
        with closing(Ledger(f"sqlite:///{tmp_path / f'{at_once}.db'}")) as ledger:
            begin(ledger, PATIENT)
            before = searched(ledger, at_once)
            update(ledger, grown, make_plan(grown), NAME)
            assert not patience_exhausted(ledger, NAME)
            enqueue_missing(ledger, NAME, make_plan(grown))
            tables.append(table(searched(ledger, at_once, grown)))
            assert len(tables[-1]) > len(before.candidates)
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_failed_cells_do_not_count_and_are_waited_for(pretending, tmp_path):
    """A failure uses up no patience; while it is tried again, the search has not ended."""
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        begin(ledger, PATIENT)
        whole = len(searched(ledger, 1).candidates)
    with closing(Ledger(f"sqlite:///{tmp_path / 'f.db'}")) as ledger:
        begin(ledger, PATIENT)
        worker = Worker(Job(ledger.url, NAME), Silent(), ledger, PATIENT, DATA)
        worker.one_cell(ledger.claim(NAME, "w", by_draw=True))
        ledger.fail(ledger.claim(NAME, "w", by_draw=True), "ModelError: too bad")
        assert len(searched(ledger, 1).candidates) == whole + 1
        enqueue_missing(ledger, NAME, make_plan(PATIENT), retry_failed=True)
        assert not patience_exhausted(ledger, NAME)


def test_a_study_of_an_older_version_keeps_its_rows(pretending, tmp_path):
    """What was counted when it ended is counted still: its winner may be among it."""
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as ledger:
        begin(ledger, PATIENT)
        header = {k: v for k, v in ledger.header(NAME).items() if k != BY_DRAW}
        ledger._write(NAME, "sweep:study", header)
        record = searched(ledger, 6)
        assert not record.beyond
        assert len(record.candidates) == 6 * (record.done // 6)
        assert record.standing == "finished (no improvement in 3 trials)"


class Interrupting(Watcher):
    """Interrupts the run when so many cells have ended."""

    def __init__(self, after):
        self._left = after

    def ended(self, _progress, _trial):
        """Count down."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.tensorflow
def test_real_workers_give_the_same_table(tmp_path, monkeypatch):
    """Of one worker, of six, and of six that were interrupted."""
    monkeypatch.chdir(tmp_path)
    asked = {
        "study": {"name": "patient"},
        "data": {"dataset": "digits", "train_rows": 150, "test_rows": 50},
        "model": {"factory": "mlp", "epochs": 1},
        "search": {"method": "qmc", "trials": 10, "patience": 3, "validation": 0.25},
        "space": {"hidden_size": {"int": [2, 64]}},
    }
    one = run_study(asked, storage="one.db", n_jobs=1)
    six = run_study(asked, storage="six.db", n_jobs=6)
    with pytest.raises(InterruptedRunError):
        run_study(asked, storage="again.db", n_jobs=6, watcher=Interrupting(2))
    resumed = run_study(asked, storage="again.db", n_jobs=2)
    assert len(one.record.candidates) < 10
    for other in (six, resumed):
        pd.testing.assert_frame_equal(table(one.record), table(other.record), check_exact=True)
        assert other.test_score_ == one.test_score_
