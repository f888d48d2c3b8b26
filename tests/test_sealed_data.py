"""The test set stays sealed: search code cannot reach it, and every opening is on record."""

import ast
import gc
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from fakes import FakeWinner
from ledgers import build
from pretend import DATA, SPACE, Silent, begin, estimator, study, work
from records import grid_record

from sweep.cli.leaderboard import test_line as said_of_the_test_set
from sweep.evaluation import refit
from sweep.evaluation.refit import finish_study
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import Opening
from sweep.ledger.reading import read_study
from sweep.ledger.scores import mean_score
from sweep.report.answer import answer
from sweep.search.sealed_data import SealedTest, TrainingRows, seal
from sweep.study.answers.status import winner_test
from sweep.workers.job import Job
from sweep.workers.loop import Worker

ROOT = Path(__file__).parent.parent / "sweep"


class OpenedError(Exception):
    """Somebody has looked at the test set."""


class Mine:
    """Rows that go off when anything at all is asked of them."""

    def __getattribute__(self, name):
        """Go off."""
        if name in ("__class__", "__dict__"):
            return object.__getattribute__(self, name)
        raise OpenedError(name)

    def __len__(self):
        """Go off."""
        raise OpenedError

    __iter__ = __getitem__ = __array__ = __len__


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """A ledger with a small study that a real worker has searched; refits are fakes."""
    monkeypatch.setattr("sweep.workers.cell_evaluator.make_estimator", estimator)
    monkeypatch.setattr("sweep.evaluation.refit.make_estimator", lambda *_: FakeWinner())
    monkeypatch.setattr("sweep.evaluation.winner_parts.save_fitted_winner", lambda *_: None)
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, study("random", trials=6))
    work(monkeypatch, ledger, study("random", trials=6))
    return ledger


def names_in(path):
    """Every name and attribute that a file speaks of."""
    tree = ast.walk(ast.parse(path.read_text("utf-8")))
    return {getattr(node, "attr", getattr(node, "id", "")) for node in tree}


def files_with(*names):
    """The files, or folders of datasets, that speak of one of these names."""
    found = {p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*.py") if names_in(p) & {*names}}
    return {name for name in found if not name.startswith("datasets/")}


def test_one_function_breaks_the_seal_and_one_step_calls_it():
    """Outside it no code knows the way to the test rows."""
    assert files_with("_break_seal") == {"search/sealed_data.py", "evaluation/test_set.py"}
    assert files_with("open_test_set") == {"evaluation/refit.py"}


def test_only_the_seal_two_counts_and_one_check_speak_of_test_rows():
    """Beside what loads data: the seal, their number for the ledger and `sweep data`, and whether
    the scorer can score them."""
    expected = {
        "search/sealed_data.py", "search/study_data.py", "evaluation/split_checks.py",
        "cli/catalog.py", "study/answers/datasets.py",
    }  # fmt: skip
    assert files_with("x_test", "y_test") == expected


def test_a_search_never_touches_the_test_rows(monkeypatch, tmp_path):
    """Test rows that go off when touched: a whole search runs, and only the last step fails."""
    monkeypatch.setattr("sweep.evaluation.refit.make_estimator", lambda *_: FakeWinner())
    spec, ledger = study("random", trials=3), Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    training, sealed = seal(replace(DATA, x_test=Mine(), y_test=Mine()))
    monkeypatch.setattr("pretend.DATA", training)
    record = work(monkeypatch, ledger, spec)
    assert [trial.state for trial in record.trials] == ["COMPLETE"] * 3
    with pytest.raises(OpenedError):
        finish_study(ledger, "pretend", training, sealed)
    (opening,) = read_study(ledger, "pretend").openings
    assert opening.score is None


def test_nothing_that_searches_holds_the_test_rows(tmp_path):
    """From a worker no chain of references leads to them; from the seal one does."""
    spec, ledger = study("random", trials=3), Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    data = replace(DATA, x_test=DATA.x_test.copy(), y_test=DATA.y_test.copy())
    training, sealed = seal(data)
    worker = Worker(Job(ledger.url, "pretend"), Silent(), ledger, spec, training)
    assert id(data.x_train) in reached_from(worker)
    assert not {id(data.x_test), id(data.y_test)} & reached_from(worker)
    assert id(data.x_test) in reached_from(sealed._break_seal.__closure__)
    assert not hasattr(sealed, "__dict__")


def reached_from(*start):
    """Identities of all objects that can be reached, but for code and what it imports."""
    seen, todo = set(), list(start)
    while todo:
        each = todo.pop()
        if id(each) not in seen and not isinstance(each, (type, ModuleType, FunctionType)):
            seen.add(id(each))
            todo += gc.get_referents(each)
    return seen


def test_a_worker_gets_training_rows_and_nothing_else():
    """What is handed to a search has no field for anything but them."""
    training, sealed = seal(DATA)
    assert list(TrainingRows.__dataclass_fields__) == [
        "x_train",
        "y_train",
        "class_names",
        "groups",
        "positive",
    ]
    assert (training.x_train is DATA.x_train, SealedTest.__slots__) == (True, ("_break_seal",))
    assert sealed._break_seal() == (DATA.x_test, DATA.y_test)


def test_who_has_lost_its_lock_looks_again_before_it_opens_the_test_set(searched, monkeypatch):
    """Another run may have refitted the same winner meanwhile: it is then found recorded."""
    training, sealed = seal(DATA)
    held, really = [], refit.one_at_a_time

    def overtaken():
        held.append(False)
        monkeypatch.setattr(refit, "one_at_a_time", really)
        finish_study(searched, "pretend", training, sealed)
        return False

    @contextmanager
    def lost(*_):
        yield overtaken

    monkeypatch.setattr(refit, "one_at_a_time", lost)
    winner = finish_study(searched, "pretend", training, sealed)
    assert held == [False]
    assert [o.score for o in read_study(searched, "pretend").openings] == [winner.test_score]


def test_every_opening_is_on_record(searched, monkeypatch):
    """Once for a choice, not again for the same, and again for another."""
    training, sealed = seal(DATA)
    first = finish_study(searched, "pretend", training, sealed)
    finish_study(searched, "pretend", training, sealed)
    record = read_study(searched, "pretend")
    assert [(o.params, o.score) for o in record.openings] == [(first.params, first.test_score)]
    spec = study("random", trials=6, choose="cheapest")
    searched.update("pretend", spec=spec.plain())
    dearest = lambda found: sorted(found, key=mean_score)  # noqa: E731 - another than the best
    monkeypatch.setattr("sweep.analysis.comparisons.by_cost", dearest)
    second = finish_study(searched, "pretend", training, sealed)
    record = read_study(searched, "pretend")
    assert second.params != first.params
    assert [o.params for o in record.openings] == [first.params, second.params]
    assert record.openings[0].params.keys() <= SPACE.keys()
    assert (record.test_openings, second.test_openings) == (2, 2)


def test_an_older_ledger_tells_of_its_winners_opening(tmp_path):
    """Before openings were listed, the winner alone said when; a later opening keeps that."""
    record = build(tmp_path / "l.db", winner=True)
    (opening,) = record.openings
    assert (opening.opened_at, opening.score) == (record.winner.test_opened_at, 0.9306)
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    ledger.set_winner("tiny", replace(record.winner, test_openings=3))
    assert read_study(ledger, "tiny").test_openings == 3


def test_the_report_lists_the_openings_where_there_are_several():
    """Each with its time, candidate, settings and score."""
    record = grid_record()
    assert answer(record).openings is None
    openings = (
        Opening("2026-03-01T08:00:00+00:00", {"epochs": 5, "hidden_size": 32}, 0.91),
        Opening("2026-03-02T09:41:12+00:00", {"epochs": 10, "hidden_size": 256}, 0.9482),
    )
    found = answer(replace(record, openings=openings))
    assert found.openings.rows[0] == ("2026-03-01 08:00", "3", "5", "32", "0.9100")
    assert "opened twice" in found.openings.caption
    assert "opened twice" in found.caution
    assert "opened twice" in found.figures[1].note


def test_an_opening_without_a_score_is_not_hidden():
    """The test set is not said to be closed when it was opened and scoring failed."""
    opening = Opening("2026-03-02T09:41:12+00:00", {"epochs": 10, "hidden_size": 256})
    record = replace(grid_record(), winner=None, openings=(opening,))
    assert "was opened once" in answer(record).figures[1].note
    assert "was opened once" in said_of_the_test_set(winner_test(record))
