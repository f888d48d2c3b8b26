"""What intervals, comparisons and rules promise, held against simulated studies.

Two worlds: one in which scores of splits have exactly the correlation that Nadeau and Bengio
(2003) assume, n_test / (n_train + n_test); and small learners (nearest mean) that really share
training rows. Seeds are fixed; bounds leave three standard errors of the simulation.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from records import grid_record
from scipy import stats

from sweep.analysis import chosen, compare, interval
from sweep.analysis.comparisons import _margin, binomial_noise, count_alike, paired_noise
from sweep.analysis.studentized_range import range_exceeds

SPLITS, TRAIN, TEST = 5, 400, 100
SHARED = TEST / (TRAIN + TEST)
FACTOR = 1 / SPLITS + TEST / TRAIN


@pytest.mark.parametrize("n", [2, 3, 12, 200])
@pytest.mark.parametrize("freedom", [2, 4, 44, 2000, np.inf])
def test_the_studentized_range_is_scipys(n, freedom):
    """The same probability to five digits, from one that is nearly sure to one that is rare."""
    for q in (0.5, 2.0, 4.0, 8.0):
        expected = stats.studentized_range.sf(q, n, freedom)
        assert range_exceeds(q, n, freedom) == pytest.approx(expected, abs=1e-5)


def scores_of(rng, means, spreads=1.0, runs=1):
    """Scores by run, candidate and split: each split's own luck, and overlap between splits."""
    shape = (runs, len(means), SPLITS)
    spreads = np.broadcast_to(spreads, len(means))[None, :, None]
    common = rng.normal(size=(*shape[:2], 1)) * np.sqrt(SHARED)
    own = rng.normal(size=shape) * np.sqrt(1 - SHARED)
    luck = rng.normal(size=(runs, 1, SPLITS))
    return np.asarray(means, float)[None, :, None] + spreads * (common + own) + luck


def alike(scores):
    """How many candidates cannot be told from the best of one study, and their order."""
    order = np.argsort(-scores.mean(axis=1))
    rows = scores[order]
    count = count_alike(rows.mean(axis=1), *paired_noise(rows, FACTOR), 0.95)
    return count, order


def at_most(share, runs):
    """The largest share that a true rate of ``share`` gives, but for three standard errors."""
    return share + 3 * np.sqrt(share * (1 - share) / runs)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """95 % of corrected intervals hold the mean; of plain t intervals far fewer do."""
    rng, runs = np.random.default_rng(0), 2000
    common = rng.normal(size=(runs, 1)) * np.sqrt(SHARED)
    scores = common + rng.normal(size=(runs, SPLITS)) * np.sqrt(1 - SHARED)
    ends = np.array([interval(each, TRAIN, TEST) for each in scores])
    covered = np.mean((ends[:, 0] <= 0) & (ends[:, 1] >= 0))
    assert covered == pytest.approx(0.95, abs=3 * np.sqrt(0.05 * 0.95 / runs))
    half = stats.t.ppf(0.975, SPLITS - 1) * scores.std(axis=1, ddof=1) / np.sqrt(SPLITS)
    assert np.mean(np.abs(scores.mean(axis=1)) <= half) < 0.88


def test_the_interval_covers_the_truth_of_learners_that_share_rows():
    """Nearest mean under 5-fold cross-validation: at least 95 % but for the simulation's error."""
    runs = 1000
    studies = learned(runs)[:, 0, :]
    truth = learned(4000, seed=9)[:, 0, :].mean()
    ends = np.array([interval(each, 80, 20) for each in studies])
    covered = np.mean((ends[:, 0] <= truth) & (ends[:, 1] >= truth))
    assert covered >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)


def test_seeds_are_no_further_splits():
    """Averaged within splits the interval holds; seeds counted as splits make it too narrow."""
    rng, runs, seeds = np.random.default_rng(1), 1500, 3
    common = rng.normal(size=(runs, 1, 1)) * np.sqrt(SHARED)
    own = rng.normal(size=(runs, SPLITS, 1)) * np.sqrt(1 - SHARED)
    scores = common + own + 0.3 * rng.normal(size=(runs, SPLITS, seeds))
    averaged = np.array([interval(each, TRAIN, TEST) for each in scores.mean(axis=2)])
    counted = np.array([interval(each.ravel(), TRAIN, TEST) for each in scores])
    held = [np.mean((e[:, 0] <= 0) & (e[:, 1] >= 0)) for e in (averaged, counted)]
    assert held[0] >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / runs)
    assert held[1] < held[0] - 0.01


@pytest.mark.parametrize("candidates", [2, 6, 12])
def test_equal_candidates_are_seldom_told_apart(candidates):
    """With nothing to find, something is found in 5 % of studies at most."""
    runs = 2000
    studies = scores_of(np.random.default_rng(2), np.zeros(candidates), runs=runs)
    alarms = np.mean([alike(each)[0] < candidates for each in studies])
    assert alarms <= at_most(0.05, runs)


def test_comparisons_with_the_best_need_more_than_holm():
    """Holm's correction of the comparisons with the observed best finds too much: it was picked."""
    runs, candidates = 1000, 12
    studies = scores_of(np.random.default_rng(3), np.zeros(candidates), runs=runs)
    means = studies.mean(axis=2)
    top = np.take_along_axis(studies, means.argmax(axis=1)[:, None, None], axis=1)
    differences = top - studies
    spread = differences.std(axis=2, ddof=1)
    ratio = differences.mean(axis=2) / np.where(spread > 0, spread * np.sqrt(FACTOR), 1)
    smallest = 2 * stats.t.sf(ratio.max(axis=1), SPLITS - 1)
    assert np.mean(smallest < 0.05 / (candidates - 1)) > at_most(0.05, runs)


def test_the_truly_best_are_kept_whatever_else_is_compared():
    """Three are best, five are worse by degrees: one of the three is told in 5 % at most."""
    runs = 1000
    means = [0, 0, 0, -1, -2, -4, -8, -16]
    told = found = 0
    for each in scores_of(np.random.default_rng(4), means, runs=runs):
        count, order = alike(each)
        told += bool(set(order[count:]) & {0, 1, 2})
        found += len(set(order[count:]) & {6, 7})
    assert told / runs <= at_most(0.05, runs)
    assert found / (2 * runs) > 0.95


def test_an_erratic_candidate_does_not_hide_the_others():
    """One wild candidate is set aside first; its spread no longer enters the comparison."""
    rng = np.random.default_rng(5)
    scores = scores_of(rng, [0, -8, -9, -400], [1, 1, 1, 60])[0]
    assert alike(scores)[0] == 1


def test_unequal_spreads_cost_some_honesty():
    """With spreads from one half to one and a half, false alarms stay below 12 %."""
    runs, candidates = 1000, 12
    studies = scores_of(
        np.random.default_rng(6), np.zeros(candidates), np.linspace(0.5, 1.5, candidates), runs
    )
    assert np.mean([alike(each)[0] < candidates for each in studies]) < 0.12


def test_equal_learners_are_seldom_told_apart():
    """Learners on exchangeable features are equally good: 5 % false alarms at most."""
    runs = 300
    alarms = np.mean([alike(each)[0] < each.shape[0] for each in learned(runs)])
    assert alarms <= at_most(0.05, runs)


@pytest.mark.parametrize("spacing", [0.0, 0.1, 0.3])
def test_the_intervals_of_differences_hold_the_truth_all_together(spacing):
    """Of those that cannot be told from the best, whichever these are."""
    runs, means = 200, spacing * np.arange(12)
    held = []
    for each in scores_of(np.random.default_rng(9), means, runs=runs):
        count, order = alike(each)
        noise = paired_noise(each[order], FACTOR)
        found = each[order].mean(axis=1)
        wrong = (found[0] - found[:count]) - (means[order[0]] - means[order[:count]])
        held.append(np.abs(wrong).max() <= _margin(count, *noise, 0.95) + 1e-12)
    assert 1 - np.mean(held) <= at_most(0.05, runs)


def test_equal_shares_of_one_split_are_seldom_told_apart():
    """Candidates right on 90 % of 300 rows, independently: 5 % false alarms at most."""
    rng, runs = np.random.default_rng(7), 1000
    shares = -np.sort(-rng.binomial(300, 0.9, size=(runs, 6)) / 300, axis=1)
    alarms = np.mean([count_alike(s, *binomial_noise(s, 300), 0.95) < 6 for s in shares])
    assert alarms <= at_most(0.05, runs)


def study_with(scores, seconds):
    """A grid study with these split scores; seconds of fitting, one a candidate."""
    record = grid_record(epochs=(5,), widths=tuple(range(8, 8 + len(scores))))
    rows = []
    for candidate, row, cost in zip(record.candidates, scores, seconds, strict=True):
        splits = tuple(
            replace(s, test={5: float(score)}, seconds={5: float(cost)})
            for s, score in zip(candidate.trial.splits, row, strict=True)
        )
        trial = replace(candidate.trial, splits=splits, parameters=None, layers=())
        rows.append(replace(candidate, trial=trial))
    return replace(record, candidates=tuple(rows), trials=tuple(c.trial for c in rows))


def test_the_rules_take_the_cheapest_that_they_allow():
    """A cheap candidate as good as the best is taken by both rules, one far below by neither."""
    runs, seconds = 60, (9.0, 5.0, 1.0)
    studies = 0.9 + 0.01 * scores_of(np.random.default_rng(8), [0, 0, -20], runs=runs)
    picks = {"best": 0, "one_standard_error": 0, "cheapest": 0}
    for each in studies:
        record = study_with(each, seconds)
        for rule in picks:
            index = chosen(record, rule).index
            assert index != 2
            picks[rule] += index == 1
    assert picks["best"] < 0.6 * runs
    assert picks["one_standard_error"] > picks["best"] + 0.1 * runs
    assert picks["cheapest"] >= 0.9 * runs


def test_the_cheapest_is_one_of_those_that_are_alike():
    """compare() names the cheapest of the best and its equals."""
    found = compare(study_with([[0.9, 0.91, 0.92, 0.9, 0.91]] * 3, (3.0, 1.0, 2.0)))
    assert (len(found.alike), found.cheapest.index, found.told) == (3, 1, ())


@cache
def learned(runs, seed=8, learners=5, folds=5, rows=100):
    """Accuracies by run, learner and fold: nearest mean, each learner on two features of its own.

    The features are exchangeable, so all learners are equally good.
    """
    rng = np.random.default_rng(seed)
    y = np.tile([0, 1], rows // 2)
    x = rng.normal(size=(runs, rows, 2 * learners)) + 0.7 * y[None, :, None]
    fold = np.arange(rows) // (rows // folds)
    found = np.empty((runs, learners, folds))
    for number in range(folds):
        train, test = fold != number, fold == number
        centres = [x[:, train & (y == k)].mean(axis=1)[:, None] for k in (0, 1)]
        far = [(x[:, test] - c) ** 2 for c in centres]
        nearer = (far[1] - far[0]).reshape(runs, -1, learners, 2).sum(axis=3) < 0
        found[:, :, number] = (nearer == y[test][None, :, None]).mean(axis=1)
    return found
