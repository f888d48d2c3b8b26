"""A candidate is what its parameters are: rows move as a study grows, what points at one stays."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import read
from ledgers import RANDOM, build, sections, split, winner_of

from sweep.analysis import best
from sweep.analysis.nested import plain_nested
from sweep.cli.nested_text import nested_lines
from sweep.evaluation.cross_validation import EvaluationRequest
from sweep.evaluation.reuse import reuse_result
from sweep.export.writing import _recipe
from sweep.ledger.ledger import Ledger
from sweep.ledger.outcomes import Opening
from sweep.ledger.reading import read_study
from sweep.ledger.scores import candidate_with, mean_score
from sweep.report import render, text
from sweep.report.answer import answer
from sweep.report.nested import nested_words
from sweep.report.test_set_openings import openings
from sweep.search.plan import make_plan
from sweep.spaces import candidate_identity
from sweep.spec import load_study
from sweep.study import open_study
from sweep.study.nested import record_nested
from sweep.tables import studies_frame

OLD = Path(__file__).parent / "data" / "grown_by_row.sql"
"""Digits, mlp, epochs = 5, cv = 2, nested = 2, hidden_size = [2, 64], then [1, 2, 64]: the ledger
of a version that knew a candidate by its row, which took the nested inner scores from wrong ones.
"""

GROWN = {"before": [1, 2, 64], "in the middle": [2, 3, 64]}


def grow(url, values, score=0.5):
    """Let a finished grid of hidden sizes grow, and measure what is new."""
    spec = load_study(sections(space={"hidden_size": values}))
    plan = make_plan(spec)
    with closing(Ledger(url)) as ledger:
        held = {trial.key for trial in read_study(ledger, "tiny").trials}
        ledger.update("tiny", spec=spec.plain(), planned=len(plan.cells))
        ledger.enqueue("tiny", [c for c in plan.cells if c.key not in held], plan.distributions)
        while claim := ledger.claim("tiny", "elsewhere:1:1"):
            splits = [split(score, claim.epochs, i) for i in range(3)]
            ledger.complete(claim, score, splits, ())
        return read_study(ledger, "tiny")


@pytest.fixture(params=GROWN.values(), ids=GROWN)
def grown(request, ledger_url):
    """A study whose refitted winner, hidden_size = 64, has moved from row 1 to row 2."""
    build(None, url=ledger_url, space={"hidden_size": [2, 64]}, winner=True)
    return grow(ledger_url, request.param)


@pytest.fixture
def outgrown(ledger_url):
    """A study whose refitted winner, hidden_size = 64, is no longer the best: 2 is."""
    build(None, url=ledger_url, space={"hidden_size": [16, 64]}, winner=True)
    return grow(ledger_url, [2, 16, 64], score=0.85)


def old_ledger(path):
    """Write the old ledger as a file; return its address."""
    with closing(sqlite3.connect(path)) as made:
        made.executescript(OLD.read_text("utf-8"))
    return f"sqlite:///{path}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": "x"}, {"b": "x", "a": 1}),
        ({"a": 1}, {"a": 1.0}),
        ({"a": [1, 2.0]}, {"a": (1.0, 2)}),
    ],
)
def test_equal_parameters_are_one_candidate(one, other):
    """The order of names, 1 and 1.0, lists and tuples make no other candidate."""
    assert candidate_identity(one) == candidate_identity(other)


@pytest.mark.parametrize(
    "other", [{"a": True}, {"a": "1"}, {"a": 1, "b": None}, {"a": [1]}, {"a": 1.5}, {}]
)
def test_other_parameters_are_another_candidate(other):
    """Truth values, texts and parameters that do not apply are told apart."""
    assert candidate_identity({"a": 1}) != candidate_identity(other)


def test_a_result_is_never_taken_over_by_a_truth_value_from_a_number():
    """``True`` equals ``1`` in Python, and is another candidate."""
    trial = read_only_trial({"a": 1})
    assert reuse_result({"a": 1.0}, EvaluationRequest((1,)), [trial], 1) is not None
    assert reuse_result({"a": True}, EvaluationRequest((1,)), [trial], 1) is None


def read_only_trial(params):
    """A complete trial with one split."""
    from sweep.ledger.records import TrialRecord

    return TrialRecord(0, "slot:0", "COMPLETE", params, (1,), (split(0.5, (1,)),))


def test_the_report_keeps_the_score_of_its_candidate_as_a_grid_grows(grown):
    """The held-out score is that of the settings beside it, and nothing has overtaken them."""
    said = answer(grown)
    assert (said.settings, said.figures[0].number) == ([("hidden_size", "64")], "0.9210")
    assert said.figures[0].title.startswith("Held-out")
    assert "has grown" not in said.caution


def test_the_page_marks_the_row_that_was_refitted_as_a_grid_grows(grown):
    """One row is marked, the one with the winner's settings."""
    page = render(grown)
    assert page.count('<tr class="taken"') == 1
    assert '<tr class="taken" data-candidate="2">' in page


def test_the_openings_show_where_their_candidates_stand_now(grown):
    """A row number is looked up by the settings; without such a candidate there is none."""
    first = grown.openings[0]
    gone = Opening("2026-03-03T08:00:00+00:00", {"hidden_size": 7}, 0.7)
    table = openings(replace(grown, openings=(first, gone)))
    assert [row[1:3] for row in table.rows] == [("2", "64"), (text.NOTHING, "7")]


def test_the_inner_scores_of_a_nested_study_stay_as_its_grid_grows(grown, ledger_url):
    """An outer fold's inner score is that of the configuration chosen there."""
    with closing(Ledger(ledger_url)) as ledger:
        assert record_nested(ledger, "tiny", [grown, grown]) is None
        nested = plain_nested(read_study(ledger, "tiny"))
    assert nested["inner_score"] == pytest.approx(0.921)
    assert {fold["candidate"] for fold in nested["folds"]} == {
        candidate_identity({"hidden_size": 64})
    }


def test_an_export_tells_the_score_of_the_winner_that_it_holds(outgrown):
    """Not that of another choice since."""

    class Fitted:
        classes_, scaling = np.arange(10), "unit"
        _scaling = type("Scaling", (), {"shift": 0.0, "scale": 1.0})

    recipe = _recipe(outgrown, outgrown.winner, Fitted, "digest")
    assert recipe["params"] == {"hidden_size": 64}
    assert recipe["held_out_score"] == pytest.approx(0.921)


def test_a_test_score_never_stands_beside_other_settings(outgrown, ledger_url):
    """Best, compare and Python leave it out where the choice is another than was refitted."""
    said = json.loads(read("best", "tiny", "--format", "json", "--storage", ledger_url))
    assert (said["params"], said["test_score"]) == ({"hidden_size": 2}, None)
    assert "KerasMLPClassifier(" in said["python"]
    assert "hidden_size=2" in said["python"]
    assert np.isnan(studies_frame([outgrown])["test_score"][0])
    result = open_study("tiny", ledger_url)
    assert (result.best_params_, result.test_score_) == ({"hidden_size": 2}, None)


@pytest.mark.parametrize("command", ["best", "show"])
def test_the_test_score_says_whose_it_is(outgrown, ledger_url, command):
    """Where another candidate stands on top."""
    said = " ".join(read(command, "tiny", "--storage", ledger_url).split())
    assert "test score 0.9306 on 360 rows, of hidden_size=64 (opened once" in said


def test_a_drawn_candidate_keeps_its_score_when_an_earlier_slot_ends_later(ledger_url):
    """Rows of a sampled study move as it goes on, with any number of workers."""
    build(None, url=ledger_url, space=RANDOM, method="random", trials=4, done=0)
    with closing(Ledger(ledger_url)) as ledger:
        slow = ledger.claim("tiny", "elsewhere:1:1")
        for score in (0.6, 0.7):
            claim = ledger.claim("tiny", "elsewhere:2:2")
            ledger.complete(claim, score, [split(score, claim.epochs, i) for i in range(3)], ())
        ledger.set_winner("tiny", winner_of(best(read_study(ledger, "tiny"))))
        ledger.complete(slow, 0.1, [split(0.1, slow.epochs, i) for i in range(3)], ())
        record = read_study(ledger, "tiny")
    assert answer(record).figures[0].number == f"{mean_score(best(record)):.4f}"


def test_of_equal_candidates_the_one_with_a_score_is_found():
    """Hyperband may begin the same parameters twice, and stop one of them early."""
    from sweep.ledger.records import Candidate

    whole = read_only_trial({"a": 1})
    stopped = replace(whole, number=1, state="PRUNED")
    rows = [Candidate(0, stopped, 1, {"a": 1}), Candidate(1, whole, 1, {"a": 1})]
    assert candidate_with(rows, {"a": 1.0}) is rows[1]


def test_a_winner_whose_trial_is_lost_shows_no_score_of_another(ledger_url):
    """The settings stand without a held-out score."""
    record = build(None, url=ledger_url, space={"hidden_size": [2, 64]}, winner=True)
    said = answer(replace(record, candidates=record.candidates[:1]))
    assert (said.settings, said.figures[0].number) == ([("hidden_size", "64")], text.NOTHING)


def test_an_old_ledger_that_has_grown_is_read_by_what_its_trials_say(tmp_path):
    """0.8420 and 0.7146, where the rows in it lead to 0.1489 and 0.1204."""
    with closing(Ledger(old_ledger(tmp_path / "old.db"))) as ledger:
        record = read_study(ledger, "grown")
    said = answer(record)
    assert said.settings == [("hidden_size", "64")]
    assert said.figures[0].number == "0.8420"
    assert "has grown" not in said.caution
    assert plain_nested(record)["inner_score"] == pytest.approx(0.7146, abs=5e-5)
    assert "The scores it chose by were 0.1274 below" in nested_words(record)[2]
    assert [o.params for o in record.openings] == [{"hidden_size": 64}]


def test_inner_scores_that_an_old_ledger_no_longer_tells_are_not_shown(tmp_path):
    """Without the trials of an outer fold nothing says which row was meant."""
    with closing(Ledger(old_ledger(tmp_path / "old.db"))) as ledger:
        ledger.delete("grown / outer 2 of 2")
        record = read_study(ledger, "grown")
    nested = plain_nested(record)
    assert (nested["inner_score"], nested["folds"][1]["inner_score"]) == (None, None)
    assert nested["score"] == pytest.approx(0.8420, abs=5e-5)
    assert "is not known (an older version wrote them" in nested_lines(nested)[0]
    assert "The scores it chose by are not known" in nested_words(record)[2]


def test_an_estimator_of_other_settings_than_the_best_is_handed_over_with_a_warning(
    outgrown, ledger_url, monkeypatch
):
    """The winner that was refitted before the study grew is not the best any more."""
    monkeypatch.setattr(
        "sweep.evaluation.winner_file.load_winner", lambda record, *_, **__: record.winner.params
    )
    result = open_study("tiny", ledger_url)
    with pytest.warns(UserWarning, match=r"refitted with \{'hidden_size': 64\}, best_params_ now"):
        assert result.best_estimator_ == outgrown.winner.params
