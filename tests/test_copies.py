"""A suggestion that took over another trial's result is no second measurement."""

from contextlib import closing
from dataclasses import replace
from statistics import fmean

import commands
import pytest
from commands import read
from ledgers import LAYERS, build, split
from records import tpe_record

from sweep import analysis
from sweep.analysis.importances import importances, is_current
from sweep.cli.leaderboard import board_parts
from sweep.ledger.ledger import Ledger
from sweep.ledger.scores import mean_split_score
from sweep.report.answer import answer, facts
from sweep.report.curve_data import curve_folds
from sweep.report.curves import learning_curves
from sweep.report.pivots import heat_maps
from sweep.study.answers.leaderboard import leaderboard
from sweep.study.result import StudyResult
from sweep.tables import candidates_frame, distinct, pareto, studies_frame

here = commands.here


def again(record, times=4):
    """Return a study in which the sampler suggested its best candidate so often again."""
    best = analysis.best(record)
    first = len(record.trials)
    copies = [
        replace(best.trial, number=first + n, key=f"trial={first + n}",
                copied_from=best.trial.number)
        for n in range(times)
    ]  # fmt: skip
    rows = [replace(best, index=len(record.candidates) + n, trial=t) for n, t in enumerate(copies)]
    trials, candidates = (*record.trials, *copies), (*record.candidates, *rows)
    return replace(record, trials=trials, candidates=candidates)


@pytest.fixture(scope="module")
def once():
    """A TPE study of three splits without duplicates."""
    return tpe_record(24, splits=3)


@pytest.fixture(scope="module")
def twice(once):
    """The same study with its best candidate suggested four times more."""
    return again(once)


def test_fits_and_seconds_are_those_that_were_made(once, twice):
    """What was taken over adds no fit and no second, in the report and beside other studies."""
    names = ("Fits", "Fitting in all")
    told, told_again = (dict(facts(record)) for record in (once, twice))
    assert [told[name] for name in names] == [told_again[name] for name in names]
    columns = ["fits", "fit_seconds"]
    assert studies_frame([once])[columns].equals(studies_frame([twice])[columns])


def test_a_copy_is_no_rival_of_what_it_copies(once, twice):
    """What cannot be told from the best is the same, with the same confidence, as without it."""
    assert [c.params for c in analysis.compare(twice).alike] == [
        c.params for c in analysis.compare(once).alike
    ]
    assert answer(once).caution == answer(twice).caution
    rivals, rivals_again = answer(once).rivals, answer(twice).rivals
    assert (rivals and rivals.rows) == (rivals_again and rivals_again.rows)


def test_a_copy_counts_in_no_pivot(once, twice):
    """Means and n are those of what was measured, by value and in the report's heat maps."""
    url = "sqlite:///none.db"
    found, same = (StudyResult(r, url).pivot("optimizer", "filters") for r in (once, twice))
    assert found.mean.equals(same.mean)
    assert found.n.equals(same.n)
    maps, maps_again = (heat_maps(r, distinct(candidates_frame(r))) for r in (once, twice))
    assert maps == maps_again


def test_a_copy_is_no_second_member_of_the_pareto_set(once, twice):
    """What no other candidate beats is listed once."""
    assert pareto(twice)["candidate"].tolist() == pareto(once)["candidate"].tolist()


def test_a_copy_counts_in_no_importance():
    """Shares and n are those of different candidates, and stay current when one is copied."""
    record = tpe_record(60)
    found = importances(record)
    assert found.n > 20
    same = importances(again(record))
    assert (same.values, same.n, same.complete) == (found.values, found.n, found.complete)
    assert is_current(replace(again(record), importances=found))


def test_curves_show_five_different_fits(twice):
    """The legend of the curves names no fit twice."""
    legend = learning_curves(twice, *curve_folds(twice))[0].legend
    labels = [key.label for key in legend if key.series]
    assert len(set(labels)) == len(labels) == 5


def test_copies_of_other_epochs_stay_candidates(twice):
    """Fewer epochs of a longer fit are other settings: that row stays."""
    first, *others = twice.candidates
    own = [replace(c, params={**c.params, "epochs": 10 - i}) for i, c in enumerate(others)]
    frame = candidates_frame(replace(twice, candidates=(first, *own)))
    assert len(distinct(frame)) == len(frame)


def test_leaderboards_mark_them(here):
    """`show` says "copied" in place of the seconds of a fit, and what that means."""
    url = f"sqlite:///{here / 'l.db'}"
    space = {"hidden_size": {"int": [16, 64]}}
    build(None, "c", url=url, space=space, method="random", trials=4, validation=0.2, done=0)
    with closing(Ledger(url)) as ledger:
        for number in range(4):
            claim = ledger.claim("c", "w")
            splits = [split(0.9 if number in (1, 3) else 0.5, claim.epochs)]
            copied = 1 if number == 3 else None
            result = (claim, mean_split_score(splits, claim.epochs[-1]), splits, LAYERS)
            ledger.complete(*result, copied_from=copied)
    lines = read("show", "c", "--storage", "l.db").splitlines()
    first = [line.split()[-1] for line in lines if line.lstrip().startswith("1 ")]
    assert sorted(first) == ["copied", "s"]
    assert "copied: the result of an equal trial, not measured again" in lines


def test_a_leaderboard_without_copies_says_nothing_of_them(once):
    """Neither mark nor note."""
    assert not [
        part for part in board_parts(leaderboard(once), 80) if str(part).startswith("copied")
    ]


def test_the_pivot_of_a_copied_best_is_not_drawn_to_it(once, twice):
    """By hand: the mean over different candidates."""
    own = {
        id(c): analysis.mean_score(c)
        for c in once.candidates
        if c.trial.state == "COMPLETE" and c.params["optimizer"] == "adam"
    }
    found = StudyResult(twice, "sqlite:///none.db").pivot("optimizer").mean["mean_test_score"]
    assert found["adam"] == pytest.approx(fmean(own.values()))
