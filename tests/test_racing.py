"""Races: what they promise, held against simulated studies, and who leaves when."""

import sys
from pathlib import Path

import numpy as np
import pytest

from sweep.analysis.racing import Rules, race

sys.path.append(str(Path(__file__).parent.parent / "benchmarks"))

from settling import simulated

RULES = Rules(shared=0.25, margin=1.0, most=100)
LOOKS = (5, 10, 15, 20)


def scores(means, noise=0.1, splits=20, seed=0):
    """Scores by candidate and split: the splits' luck, and a little noise."""
    rng = np.random.default_rng(seed)
    own = noise * rng.normal(size=(len(means), splits))
    return np.asarray(means, float)[:, None] + rng.normal(size=splits) + own


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.7])
@pytest.mark.parametrize(("kind", "candidates"), [("worst", 2), ("worst", 8), ("uneven", 8)])
def test_a_race_is_seldom_wrong(kind, candidates, correlation):
    """In 5 % of studies at most the best is called worse, or one beyond the margin as good."""
    runs = 150
    found = simulated(kind, correlation, candidates, runs, seed=1)
    assert found.wrong <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_a_race_saves_half_of_the_fits():
    """Ten candidates are judged with half of the fits that equal shares would need; most settle."""
    found = simulated("spread", 0.2, 10, 60)
    assert found.fits < found.even / 2
    assert simulated("spread", 0.2, 2, 60).settled > 0.5


def test_candidates_leave_as_soon_as_they_are_told():
    """One far below leaves at the first look, two within the margin settle; nobody goes on."""
    found = race(scores([0, -0.1, -9]), LOOKS, RULES)
    assert found.worse.tolist() == [False, False, True]
    assert found.as_good.tolist() == [True, True, False]
    assert (found.looks, found.splits.tolist()) == (1, [5, 5, 5])
    assert found.settled
    assert not found.needed.any()


def test_only_the_undecided_and_their_rivals_go_on():
    """With more noise two need further splits, and the one that is told does not."""
    found = race(scores([0, -0.9, -9], noise=0.6), LOOKS, RULES)
    assert found.splits.tolist() == [20, 20, 5]
    assert found.worse.tolist() == [False, False, True]
    low, gap, high = found.behind[1]
    assert low < gap < high


def test_a_look_waits_for_its_last_score():
    """Until every candidate has its splits a look is not taken; who is needed stays the same."""
    held = scores([0, -0.9, -9], noise=0.6)
    held[1, 7] = np.nan
    found = race(held, LOOKS, RULES)
    assert found.looks == 1
    assert found.needed.tolist() == [True, True, False]


def test_a_candidate_whose_further_fits_fail_is_lost():
    """It leaves, is named as neither, and the others go on without it."""
    held = scores([0, -0.9, -1], noise=0.6)
    held[1, 7] = np.nan
    found = race(held, LOOKS, RULES, np.array([False, True, False]))
    assert found.lost.tolist() == [False, True, False]
    assert not found.as_good[1]
    assert not found.worse[1]
    assert found.splits[1] == 5
    assert found.looks > 1


def test_what_no_repeat_can_tell_is_not_waited_for():
    """Half of the margin apart, with noise that further splits cannot lower enough: it ends."""
    looks = tuple(range(5, 105, 5))
    found = race(scores([0, -0.5], noise=1.5, splits=100), looks, RULES)
    assert not found.settled
    assert found.looks < len(looks)
    assert not found.needed.any()


def test_splits_that_agree_prove_nothing():
    """Scores that differ by the same in every split, and are no shares of rows, are not told."""
    held = scores([0, -9], noise=0.0)
    assert not race(held, LOOKS, RULES).worse.any()


def test_rows_must_tell_a_difference_too():
    """Of shares, 3 rows of 100 are not enough, however well the splits agree; 20 are."""
    rules = Rules(shared=0.25, margin=0.001, most=100, rows=100)
    few, many = (race(scores([0, -gap], noise=1e-6), LOOKS, rules) for gap in (0.03, 0.2))
    assert not few.worse.any()
    assert many.worse.tolist() == [False, True]


def test_one_candidate_is_settled():
    """Alone it is as good as the best."""
    found = race(scores([0]), LOOKS, RULES)
    assert found.settled
    assert found.splits.tolist() == [5]
