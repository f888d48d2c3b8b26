"""The answer of a report: settings, scores and what to keep in mind."""

from dataclasses import replace
from datetime import timedelta

import pytest
from html_page import Page
from records import (
    empty_record,
    grid_record,
    running_record,
    tpe_record,
    validation_record,
)

from sweep.report import answer, render, text


def test_the_answer_says_settings_scores_intervals_and_the_opening():
    """Settings, held-out score with its interval and method, test score with date and rows."""
    words = Page(render(grid_record())).text
    assert "Take epochs = 10 , hidden_size = 256" in words
    assert "0.9447 0.9386 to 0.9503 95% interval, corrected resampled t over 5 splits" in words
    assert "test set of 5,000 rows opened once, on 2026-03-02 09:41" in words
    assert "0.9482" in words


def test_the_refitted_candidate_is_the_answer_even_when_the_study_has_grown():
    """The page keeps to what was refitted, and says that another candidate is now better."""
    record = grid_record()
    older = record.candidates[3]
    winner = replace(record.winner, params=older.params)
    words = Page(render(replace(record, winner=winner))).text
    assert "Take epochs = 5 , hidden_size = 32" in words
    assert "The study has grown since the choice: candidate 8" in words


def test_a_test_set_opened_more_than_once_is_no_clean_witness():
    """The page says how often the test set was opened, and what that means."""
    record = grid_record()
    again = replace(record, winner=replace(record.winner, test_openings=2))
    words = Page(render(again)).text
    assert "so may be the test score, for the test set was opened twice" in words
    assert "the test score is not" in Page(render(record)).text


def test_a_closed_test_set_is_said():
    """refit = false leaves the test set closed, and the page says so."""
    assert "The test set is still closed (refit = false)" in Page(render(validation_record())).text


def test_a_running_study_says_how_far_it_is():
    """The state and the cells stand on top."""
    words = Page(render(running_record())).text
    assert "running, 2 of 3 cells" in words
    assert "So far, take" in words


def test_a_study_without_a_complete_trial_says_so():
    """No settings are recommended where nothing is complete."""
    words = Page(render(empty_record())).text
    assert "No settings to take: no trial is complete, 1 cell failed" in words
    assert "out of memory" in words


def test_time_at_work_leaves_out_pauses_and_counts_overlaps_once():
    """Trials side by side count once; the night between two runs counts not at all."""
    record = grid_record()
    begun = record.trials[0].started

    def at(trial, start, end, **changes):
        span = {
            "started": begun + timedelta(seconds=start),
            "finished": begun + timedelta(seconds=end),
        }
        return replace(trial, **span, **changes)

    a, b, c = record.trials
    cut = at(a, 0, 9_000, number=7, state="CUT")
    trials = (at(a, 0, 40), at(b, 20, 50), at(c, 3_600, 3_610), cut)
    facts = dict(answer.facts(replace(record, trials=trials)))
    assert facts["Time running trials"] == "1 min 0 s"
    assert "Wall clock" not in facts


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.5, "0.50 s"),
        (12.4, "12 s"),
        (125, "2 min 5 s"),
        (7322, "2 h 2 min"),
        (float("nan"), text.NOTHING),
    ],
)
def test_durations_read_as_a_person_would_say_them(seconds, words):
    """Seconds, minutes, hours."""
    assert text.seconds(seconds) == words


def test_scores_of_any_size_read_well():
    """Four decimals, or four digits; nothing is a dash."""
    assert [text.score(v) for v in (0.5, -12.3456, None)] == ["0.5000", "-12.35", text.NOTHING]


def test_lone_winners_are_said_to_stand_alone():
    """Where the data tell the best from all others the page says so, otherwise it lists rivals."""
    alone, crowd = answer.answer(grid_record()), answer.answer(tpe_record(60))
    assert "Every other candidate scores lower by more than chance" in alone.caution
    assert alone.rivals is None
    assert "Every other candidate" not in crowd.caution
    assert len(crowd.rivals.rows) == 5
