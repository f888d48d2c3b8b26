"""Which candidate to take, and how sure one may be."""

from dataclasses import replace

import numpy as np
import pytest
from records import empty_record, grid_record, tpe_record, validation_record
from scipy import stats

from sweep.errors import ResultError
from sweep.selection import (
    best,
    fit_seconds,
    indistinguishable,
    interval,
    mean_score,
    ranked,
    score_interval,
    wilson,
)


def with_scores(record, scores, parameters):
    """The validation study with these scores and weights, one a trial."""
    trials = [
        replace(
            c.trial,
            parameters=weights,
            splits=tuple(replace(s, test={5: score}) for s in c.trial.splits),
        )
        for c, score, weights in zip(record.candidates, scores, parameters, strict=True)
    ]
    rows = tuple(replace(c, trial=t) for c, t in zip(record.candidates, trials, strict=True))
    return replace(record, trials=tuple(trials), candidates=rows)


def test_the_best_candidate_has_the_highest_mean_score():
    """best() is the complete candidate with the highest mean held-out score."""
    record = grid_record()
    means = [np.mean([s.test[c.epoch] for s in c.trial.splits]) for c in record.candidates]
    assert best(record).index == int(np.argmax(means))


def test_a_pruned_candidate_is_never_the_best():
    """A pruned trial stays out, however high its last score."""
    record = tpe_record(12)
    high = [
        replace(c, trial=replace(c.trial, splits=(replace(c.trial.splits[0], test={1: 1.0}),)))
        if c.trial.state == "PRUNED"
        else c
        for c in record.candidates
    ]
    assert best(replace(record, candidates=tuple(high))).trial.state == "COMPLETE"


@pytest.mark.parametrize(
    ("parameters", "expected"), [([3, 1, 2], 1), ([1, 1, 1], 0), ([None, 5, 5], 1)]
)
def test_ties_go_to_fewer_weights_then_to_the_smaller_index(parameters, expected):
    """Equal scores: fewer weights first, unknown weights last, then the plan's order."""
    assert best(with_scores(validation_record(), [0.9] * 3, parameters)).index == expected


def test_a_nan_score_is_never_ranked():
    """A candidate whose score is NaN has no place in the ranking."""
    record = with_scores(validation_record(), [0.9, float("nan"), 0.8], [1, 1, 1])
    assert [c.index for c in ranked(record)] == [0, 2]


def test_nothing_complete_means_no_best():
    """best() is None where every trial failed."""
    assert best(empty_record()) is None


def test_the_corrected_interval_takes_the_factor_of_nadeau_and_bengio():
    """The variance of the mean is (1/k + n_test/n_train) times the sample variance."""
    scores = [0.90, 0.92, 0.91, 0.93, 0.89]
    half = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + 1200 / 4800) * np.var(scores, ddof=1))
    assert interval(scores, 4800, 1200) == pytest.approx((0.91 - half, 0.91 + half))


def test_the_corrected_interval_is_wider_than_the_plain_one():
    """The correction makes up for the rows that splits share."""
    scores = [0.90, 0.92, 0.91, 0.93, 0.89]
    plain = stats.t.interval(0.95, 4, loc=np.mean(scores), scale=stats.sem(scores))
    low, high = interval(scores, 4800, 1200)
    assert high - low == pytest.approx(1.5 * (plain[1] - plain[0]))


@pytest.mark.parametrize("bad", [([0.9], 10, 10), ([0.9, 0.8], 0, 10), ([0.9, 0.8], 10, 0)])
def test_an_interval_without_variance_or_rows_is_refused(bad):
    """One score, or no rows, allow no interval."""
    with pytest.raises(ResultError, match="at least 2 scores and positive row counts"):
        interval(*bad)


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (9, 10), (10, 10), (570, 600)])
def test_wilson_agrees_with_scipy(successes, n):
    """wilson() is SciPy's interval for a binomial proportion, method wilson."""
    expected = stats.binomtest(successes, n).proportion_ci(0.9, method="wilson")
    assert wilson(successes, n, 0.9) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("successes", "n"), [(11, 10), (-1, 10), (0, 0)])
def test_wilson_refuses_impossible_counts(successes, n):
    """Successes lie between 0 and n, and n is at least 1."""
    with pytest.raises(ResultError, match="wilson"):
        wilson(successes, n)


def test_a_level_outside_0_and_1_is_refused():
    """A level of 95 is a slip for 0.95."""
    with pytest.raises(ResultError, match="level: must lie between 0 and 1, got 95"):
        wilson(5, 10, 95)


def test_several_splits_get_the_corrected_interval():
    """score_interval names corrected resampled t for cross-validation."""
    record = grid_record()
    found = score_interval(record, best(record))
    assert "corrected resampled t over 5 splits" in found.method
    assert found.low < mean_score(best(record)) < found.high


def test_one_split_scored_by_accuracy_gets_wilson():
    """score_interval names Wilson and its rows for one validation split."""
    record = tpe_record(12)
    found = score_interval(record, best(record))
    assert found.method == "Wilson on 600 held-out rows"
    assert (found.low, found.high) == wilson(mean_score(best(record)) * 600, 600)


def scored_by(record, scoring):
    """The same study under another scorer."""
    search = {**record.spec["search"], "scoring": scoring}
    return replace(record, spec={**record.spec, "search": search})


def test_one_split_of_another_scorer_gets_no_interval():
    """A proportion's interval is not given to a loss."""
    record = scored_by(tpe_record(12), "neg_log_loss")
    assert score_interval(record, best(record)) is None


@pytest.mark.parametrize(("scoring", "clipped"), [("accuracy", True), ("neg_log_loss", False)])
def test_only_scores_between_0_and_1_are_clipped(scoring, clipped):
    """An accuracy's interval ends at 1; a loss's does not."""
    record = scored_by(grid_record(epochs=(5,)), scoring)
    splits = tuple(
        replace(s, test={5: score})
        for s, score in zip(
            record.candidates[0].trial.splits, (1.0, 1.0, 0.7, 1.0, 1.0), strict=True
        )
    )
    candidate = replace(
        record.candidates[0], trial=replace(record.candidates[0].trial, splits=splits)
    )
    assert (score_interval(record, candidate).high == 1.0) is clipped


def test_clear_winners_have_no_rivals():
    """With splits that agree, the best of the grid stands alone."""
    assert indistinguishable(grid_record()) == []


def test_rivals_come_cheapest_first_and_without_the_best():
    """Candidates within chance of the best are listed by seconds of fitting."""
    record = tpe_record(60)
    rivals = indistinguishable(record)
    assert best(record) not in rivals
    assert [fit_seconds(c) for c in rivals] == sorted(fit_seconds(c) for c in rivals)
    assert len(rivals) > 1


def test_a_far_lower_score_on_one_split_is_no_rival():
    """Newcombe's interval of 0.95 against 0.80 on 1,200 rows does not reach 0; of 0.94 it does."""
    record = with_scores(validation_record(), [0.95, 0.94, 0.80], [1, 1, 1])
    assert [c.index for c in indistinguishable(record)] == [1]
