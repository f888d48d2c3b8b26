"""The ledger: what is written comes back, once, whoever writes."""

import math
import multiprocessing
from contextlib import closing
from dataclasses import replace

import pytest

from sweep.errors import LedgerError, StudyNotFoundError
from sweep.ledger.codec import split_to_plain, splits_from_plain
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import WinnerRecord
from sweep.ledger.reading import read_study
from sweep.ledger.records import PlannedCell, SplitResult
from sweep.runner.progress import Progress, Watcher
from sweep.runner.supervisor import Supervisor
from sweep.search.plan import make_plan
from sweep.spec import load_study
from sweep.storage.locations import default_url, shown_url, storage_url
from sweep.support.layer import Layer
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

SPEC = load_study(
    {
        "study": {"name": "s"},
        "data": {"dataset": "digits"},
        "search": {"method": "grid", "cv": 2},
        "space": {"epochs": [1, 2], "hidden_size": [8, 16], "activation": ["relu", "tanh"]},
    }
)
DATA = {
    "name": "digits",
    "fingerprint": "f" * 64,
    "train_rows": 10,
    "test_rows": 5,
    "shape": [8, 8],
    "classes": ["0", "1"],
    "class_counts": [5, 5],
}
LAYERS = (Layer("dense", "Dense", "(8,)", 72), Layer("output", "Dense", "(2,)", 18))


def header(spec=SPEC):
    """Return a study's header as the run writes it."""
    return {
        "spec": spec.plain(),
        "source": "",
        "data": DATA,
        "environment": {},
        "created": "2026-01-01T00:00:00+00:00",
        "planned": len(make_plan(spec).cells),
    }


def splits(score):
    """Return results of two splits."""
    one = SplitResult(
        {1: score, 2: score + 0.1}, {2: 0.95}, {1: 0.5, 2: 1.0}, 0.01, {"loss": (2.0, 1.0)}, 5
    )
    return (one, replace(one, split=1, seed=2))


def test_an_older_ledger_counts_splits_by_their_place():
    """Before there were several seeds, results did not say which split they are of."""
    plain = [split_to_plain(each) for each in splits(0.5)]
    old = [{k: v for k, v in each.items() if k not in ("split", "seed")} for each in plain]
    assert [(s.split, s.seed) for s in splits_from_plain(old)] == [(0, 0), (1, 0)]
    assert [(s.split, s.seed) for s in splits_from_plain(plain)] == [(0, 0), (1, 2)]


@pytest.fixture
def ledger(ledger_url):
    """Return a ledger with one study, nothing enqueued."""
    with closing(Ledger(ledger_url)) as ledger:
        ledger.create("s", header())
        yield ledger


def test_results_come_back_as_they_were_recorded(ledger):
    """Scores are equal to the last bit, epochs are numbers again, parameters keep their types."""
    enqueue_missing(ledger, "s", make_plan(SPEC))
    claim = ledger.claim("s", "here:1:0")
    assert ledger.complete(claim, 1 / 3, splits(1 / 3), LAYERS)
    trial = read_study(ledger, "s").trials[0]
    assert (trial.state, trial.splits, trial.layers) == ("COMPLETE", splits(1 / 3), LAYERS)
    assert trial.params == {"hidden_size": 8, "activation": "relu"}
    assert (trial.parameters, trial.epochs, trial.worker) == (90, (1, 2), "here:1:0")


def test_rows_stand_in_the_order_of_the_grid_whatever_the_order_of_work(ledger):
    """The table does not depend on who was faster."""
    cells = make_plan(SPEC).cells
    ledger.enqueue("s", cells[::-1], {})
    while claim := ledger.claim("s", "w"):
        ledger.complete(claim, 0.5, splits(0.5), LAYERS)
    rows = read_study(ledger, "s").candidates
    assert [row.index for row in rows] == list(range(8))
    assert [(r.params["activation"], r.params["epochs"], r.params["hidden_size"]) for r in rows][
        :3
    ] == [
        ("relu", 1, 8),
        ("relu", 1, 16),
        ("relu", 2, 8),
    ]


def test_a_second_result_is_refused(ledger):
    """Recording happens exactly once."""
    enqueue_missing(ledger, "s", make_plan(SPEC))
    claim = ledger.claim("s", "w")
    assert ledger.complete(claim, 0.5, splits(0.5), LAYERS)
    assert not ledger.complete(claim, 0.9, splits(0.9), LAYERS)
    assert not ledger.fail(claim, "late")
    assert read_study(ledger, "s").trials[0].splits == splits(0.5)


def test_a_failed_trial_keeps_its_reason_and_a_cut_one_is_no_row(ledger):
    """A failure is a result; an attempt ended from outside is not."""
    enqueue_missing(ledger, "s", make_plan(SPEC))
    failed, cut = ledger.claim("s", "w"), ledger.claim("s", "w")
    ledger.fail(failed, "loss is nan")
    ledger.cut(cut.trial_id)
    record = read_study(ledger, "s")
    assert [(t.state, t.reason) for t in record.trials[:2]] == [
        ("FAIL", "loss is nan"),
        ("CUT", None),
    ]
    assert {row.trial.state for row in record.candidates} == {"FAIL"}


def test_restore_enqueues_what_is_missing_and_nothing_else(ledger):
    """Complete, waiting and failed cells stay; a cut one comes back; failed ones if asked."""
    plan = make_plan(SPEC)
    assert enqueue_missing(ledger, "s", plan) == 4
    assert enqueue_missing(ledger, "s", plan) == 0
    done, failed, cut = (ledger.claim("s", "w") for _ in range(3))
    ledger.complete(done, 0.5, splits(0.5), LAYERS)
    ledger.fail(failed, "no")
    ledger.cut(cut.trial_id)
    assert enqueue_missing(ledger, "s", plan) == 1
    assert enqueue_missing(ledger, "s", plan, retry_failed=True) == 1


def test_a_search_is_not_over_while_a_worker_that_gave_up_a_cell_is_replaced(ledger):
    """For want of memory a cell is left to a fresh process: it has not begun, none is idle."""
    plan = make_plan(SPEC)
    enqueue_missing(ledger, "s", plan)
    *rest, last = (ledger.claim("s", "w") for _ in range(4))
    for claim in rest:
        ledger.complete(claim, 0.5, splits(0.5), LAYERS)
    supervisor = Supervisor(ledger, plan, Progress("s", 4), Watcher())
    assert supervisor.look(short_of_work=False)["RUNNING"] == 1
    ledger.cut(last.trial_id)
    assert supervisor.look(short_of_work=False)["WAITING"] == 1


def test_a_grid_that_grows_keeps_what_is_done(ledger):
    """New values are enqueued, old cells are not evaluated again; new epochs are."""
    plan = make_plan(SPEC)
    enqueue_missing(ledger, "s", plan)
    while claim := ledger.claim("s", "w"):
        ledger.complete(claim, 0.5, splits(0.5), LAYERS)
    sections = SPEC.sections()
    wider = load_study({**sections, "space": {**sections["space"], "hidden_size": [8, 16, 32]}})
    assert enqueue_missing(ledger, "s", make_plan(wider)) == 2
    longer = load_study({**sections, "space": {**sections["space"], "epochs": [1, 2, 3]}})
    assert enqueue_missing(ledger, "s", make_plan(longer)) == 4


def test_a_cell_that_ends_its_worker_three_times_is_set_aside(ledger):
    """It becomes a failure with its reason and does not come back."""
    plan = make_plan(SPEC)
    enqueue_missing(ledger, "s", plan)
    for _ in range(3):
        claim = ledger.claim("s", "gone:1:0")
        while claim.key != plan.cells[0].key:
            ledger.cut(claim.trial_id)
            claim = ledger.claim("s", "gone:1:0")
        assert (
            fail_orphaned_trials(ledger, "s", gone="gone:1:0", how="the worker ended with signal 9")
            == 1
        )
        enqueue_missing(ledger, "s", plan)
    trials = [t for t in read_study(ledger, "s").trials if t.key == plan.cells[0].key]
    assert [t.state for t in trials] == ["CUT", "CUT", "CUT", "FAIL"]
    assert trials[-1].reason == "ended its worker 3 times: the worker ended with signal 9"


def test_a_winner_comes_back(ledger):
    """What the test set said is kept as it was."""
    winner = WinnerRecord(
        3, {"hidden_size": 8}, "a", 0.9, "b", 5, 10, history={"loss": (1.0,)}, layers=LAYERS,
        confusion=((3, 0), (1, 1)),
    )  # fmt: skip
    ledger.set_winner("s", winner)
    assert read_study(ledger, "s").winner == winner


def test_an_unknown_study_names_the_known_ones(ledger):
    """The message says what there is."""
    with pytest.raises(StudyNotFoundError, match=r"no study named 'q' in .*; there are: s"):
        ledger.study_id("q")


def test_a_study_of_another_program_is_refused(ledger):
    """An Optuna study that sweep did not make is not touched."""
    import optuna

    optuna.create_study(storage=ledger.storage, study_name="theirs")
    with pytest.raises(LedgerError, match="was not made by sweep"):
        ledger.header("theirs")
    assert ledger.names() == ["s"]


def test_a_later_format_is_refused(ledger):
    """A study of a later version is not misread."""
    ledger.update("s", format=99)
    with pytest.raises(LedgerError, match="later version"):
        ledger.header("s")


@pytest.mark.parametrize(
    "content", [b"not a database, certainly", b"SQLite format 3\0" + b"x" * 99]
)
def test_a_file_that_is_no_ledger_is_refused_and_left_alone(tmp_path, content):
    """One plain message; the file stays byte for byte."""
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="not a ledger"):
        Ledger(f"sqlite:///{path}").names()
    assert path.read_bytes() == content


def test_a_missing_ledger_is_made_only_when_asked(tmp_path):
    """Reading commands do not leave empty ledgers behind."""
    path = tmp_path / "none.db"
    with pytest.raises(LedgerError, match="there is no ledger here yet"):
        Ledger(f"sqlite:///{path}", create=False)
    assert not path.exists()


def claim_all(url, queue):
    """Take cells until none is left, in a process of its own."""
    ledger, taken = Ledger(url), []
    while claim := ledger.claim("s", "w"):
        taken.append(claim.key)
        ledger.complete(claim, 0.5, (), ())
    queue.put(taken)


def test_no_cell_is_taken_twice_by_processes_side_by_side(ledger_url):
    """Four processes and sixty cells: each cell once."""
    url = ledger_url
    with closing(Ledger(url)) as ledger:
        ledger.create("s", header())
        ledger.enqueue("s", [PlannedCell(f"k{i}", {}, (1,)) for i in range(60)], {})
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=claim_all, args=(url, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    taken = [key for _ in processes for key in queue.get(timeout=120)]
    for process in processes:
        process.join()
    assert sorted(taken) == sorted(f"k{i}" for i in range(60))


def test_scores_that_are_no_numbers_survive_the_way(ledger):
    """A NaN in a history is kept as NaN, not lost."""
    enqueue_missing(ledger, "s", make_plan(SPEC))
    split = SplitResult({1: 0.5, 2: 0.5}, history={"loss": (math.nan, 1.0)})
    ledger.complete(ledger.claim("s", "w"), 0.5, (split,), ())
    assert math.isnan(read_study(ledger, "s").trials[0].splits[0].history["loss"][0])


def test_the_default_ledger_belongs_to_the_project(tmp_path):
    """From a folder inside a project the project's ledger is found."""
    (tmp_path / "pyproject.toml").touch()
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert default_url(inner) == f"sqlite:///{tmp_path.resolve()}/.sweep/ledger.db"


def test_an_address_comes_from_the_argument_then_the_environment(tmp_path, monkeypatch):
    """A plain path is an SQLite file."""
    monkeypatch.setenv("SWEEP_STORAGE", "sqlite:////from/environment.db")
    assert storage_url() == "sqlite:////from/environment.db"
    assert storage_url(str(tmp_path / "x.db")) == f"sqlite:///{tmp_path.resolve()}/x.db"


def test_a_password_is_never_shown():
    """Neither in the address nor in its query."""
    url = "postgresql://me:c%40n%25ary@host/db?password=canary&sslpassword=canary"
    assert shown_url(url) == "postgresql://me:***@host/db"


def test_a_password_with_an_unescaped_at_sign_is_not_shown_in_part():
    """Everything before the last @ stays hidden."""
    assert shown_url("mysql://me:p@s3cret@db/x?y=1") == "mysql://***@db/x"


def start(url, queue):
    """Make and fill the study as a run does, in a process of its own."""
    ledger = Ledger(url)
    ledger.create("s", header())
    queue.put(enqueue_missing(ledger, "s", make_plan(SPEC)))


def test_runs_that_start_at_once_share_a_new_ledger(ledger_url):
    """Four processes make the same ledger and study: each cell is enqueued once."""
    url = ledger_url
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = [context.Process(target=start, args=(url, queue)) for _ in range(4)]
    for process in processes:
        process.start()
    counts = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    assert sorted(counts) == [0, 0, 0, 4]
    with closing(Ledger(url)) as ledger:
        assert len(ledger.trials("s")) == 4


def test_a_database_of_another_program_is_said_to_be_one(tmp_path):
    """Tables of the same name with other columns are left alone."""
    import sqlite3

    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table studies (x)")
        other.commit()
    with pytest.raises(LedgerError, match="belongs to another program"):
        Ledger(f"sqlite:///{path}").names()
