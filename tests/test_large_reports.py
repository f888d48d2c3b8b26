"""A report of many trials: some thousand marks, the first rows, and the page says so."""

import re
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest
from records import START, grid_record

from sweep import figures
from sweep.figures.sampling import MARKS, sampled
from sweep.ledger.records import Candidate, SplitResult, TrialRecord
from sweep.report import curve_data
from sweep.report.curves import learning_curves
from sweep.report.leaderboard import LISTED
from sweep.report.page import render
from sweep.tables import candidates_frame, folds_frame, pivot

COUNT = 3000
WIDTHS = (32, 64, 256)


def trial(number):
    """One of many trials; the score rises and falls with the number."""
    score = round(0.5 + 0.4 * ((number * 7919) % COUNT) / COUNT, 5)
    splits = tuple(
        SplitResult(
            {1: score - 0.1, 2: score + i / 1000}, seconds={1: 0.1, 2: 0.2 + number / COUNT},
            history={"loss": (0.9, 1 - score)}, n_test=1200, split=i,
        )
        for i in range(2)
    )  # fmt: skip
    began = START + timedelta(seconds=number)
    params = {"hidden_size": WIDTHS[number % 3], "learning_rate": (number + 1) / COUNT}
    return TrialRecord(
        number, f"slot:{number}", "COMPLETE", params, (2,), splits,
        parameters=1000 + number, worker=f"box:{number % 4}", started=began,
        finished=began + timedelta(seconds=1),
    )  # fmt: skip


@pytest.fixture(scope="module")
def record():
    """A study of many trials."""
    trials = tuple(map(trial, range(COUNT)))
    rows = tuple(Candidate(t.number, t, 2, t.params) for t in trials)
    return replace(
        grid_record(refit=False), trials=trials, candidates=rows, planned=COUNT, winner=None
    )


@pytest.fixture(scope="module")
def page(record):
    return render(record)


def test_the_page_is_small_and_says_what_it_leaves_out(page):
    assert len(page) < 2_000_000
    assert f"{COUNT:,} candidates" in page
    assert f"The first {LISTED:,} are listed here and in the CSV" in page
    assert len(re.findall(r"<tr[^>]*data-candidate", page)) <= LISTED
    for marks in ("trials", "points", "bars"):
        assert f"{MARKS:,} of {COUNT:,} {marks} are drawn, evenly spread" in page
    assert f"{curve_data.OTHERS} of the {COUNT - 5:,} others are drawn" in page
    assert f"{COUNT:,} trials: held-out score after each epoch" in page


def test_its_numbers_are_of_all_trials(page, record):
    """The best is among the marks' line, and means by value are those of every candidate."""
    best = max(c.mean_score for c in record.candidates)
    assert f"{best:.4f}" in page
    frame = candidates_frame(record)
    whole = pivot(frame, "hidden_size", "learning_rate", ranged={"learning_rate"})
    whole = whole.means("mean_test_score")
    for mean in whole.to_numpy().ravel():
        assert f"{mean:.4f}" in page


def test_the_curves_of_a_sample_are_those_of_all_folds(record, monkeypatch):
    """The same drawing and the same first rows, whether all folds were read or the drawn ones."""
    few = learning_curves(record, *curve_data.curve_folds(record))
    folds = folds_frame(record)
    monkeypatch.setattr(curve_data, "FEW", COUNT)
    monkeypatch.setattr("sweep.report.curves.FEW", COUNT)
    whole = learning_curves(record, *curve_data.curve_folds(record))
    assert len(folds) == COUNT * 4
    assert few == whole


def test_a_sample_is_spread_evenly_and_the_same_each_time():
    frame = pd.DataFrame({"n": range(10_000)})
    shown = sampled(frame, 100)
    assert list(shown["n"]) == list(range(0, 10_000, 100))
    assert sampled(frame.head(100), 100).equals(frame.head(100))
    assert figures.sample_note(MARKS) == ""


def test_the_line_of_the_best_is_that_of_all_trials(record):
    """Its corners are drawn, however many trials lie between them."""
    data = figures.history_frame(record)
    (line, *_) = figures.draw_history(data).axes[0].lines
    steps = dict(zip(line.get_xdata(), line.get_ydata(), strict=True))
    assert len(steps) < 100
    rising = data[data["best"].diff().fillna(1) > 0]
    assert all(
        steps[order] == best for order, best in zip(rising["order"], rising["best"], strict=True)
    )
    assert max(steps) == COUNT


def test_means_of_choices_are_of_all_points(record):
    data = figures.slice_frame(candidates_frame(record), "hidden_size")
    lines = figures.draw_slice(data).axes[0].lines
    bars = [line.get_ydata()[0] for line in lines if line.get_marker() == "None"]
    assert bars == [pytest.approx(data["score"][data["value"] == w].mean()) for w in WIDTHS]
    assert sum(len(line.get_ydata()) for line in lines if line.get_marker() == "o") <= MARKS
