"""Which candidate to take, and how sure one may be."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from records import empty_record, grid_record, tpe_record, validation_record
from scipy import stats

from sweep.analysis import (
    best,
    by_cost,
    chosen,
    clopper_pearson,
    compare,
    fit_seconds,
    indistinguishable,
    interval,
    is_current,
    mean_score,
    ranked,
    score_interval,
    split_scores,
)
from sweep.analysis.ranking import is_slower
from sweep.errors import ResultError


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
def test_clopper_pearson_agrees_with_scipy(successes, n):
    """clopper_pearson() is SciPy's exact interval for a binomial proportion."""
    expected = stats.binomtest(successes, n).proportion_ci(0.9, method="exact")
    assert clopper_pearson(successes, n, 0.9) == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(("successes", "n"), [(11, 10), (-1, 10), (0, 0)])
def test_clopper_pearson_refuses_impossible_counts(successes, n):
    """Right rows lie between 0 and all of them, and there is at least one row."""
    with pytest.raises(ResultError, match="clopper_pearson"):
        clopper_pearson(successes, n)


def test_a_level_outside_0_and_1_is_refused():
    """A level of 95 is a slip for 0.95."""
    with pytest.raises(ResultError, match="level: must lie between 0 and 1, got 95"):
        clopper_pearson(5, 10, 95)


def test_several_splits_get_the_corrected_interval():
    """score_interval names corrected resampled t for cross-validation."""
    record = grid_record()
    found = score_interval(record, best(record))
    assert "corrected resampled t over 5 splits" in found.method
    assert found.low < mean_score(best(record)) < found.high


def test_one_split_scored_by_accuracy_gets_clopper_and_pearson():
    """score_interval names them and the rows of one validation split."""
    record = tpe_record(12)
    found = score_interval(record, best(record))
    assert found.method == "Clopper and Pearson (1934) on 600 held-out rows"
    assert (found.low, found.high) == clopper_pearson(mean_score(best(record)) * 600, 600)


def scored_by(record, scoring):
    """The same study under another scorer."""
    search = {**record.spec["search"], "scoring": scoring}
    return replace(record, spec={**record.spec, "search": search})


def test_one_split_of_another_scorer_gets_no_interval():
    """A proportion's interval is not given to a loss."""
    record = scored_by(tpe_record(12), "neg_log_loss")
    assert score_interval(record, best(record)) is None


@pytest.mark.parametrize(
    ("scoring", "clipped"),
    [("accuracy", True), ("recall_macro", True), ("precision", True), ("neg_log_loss", False)],
)
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


@pytest.mark.parametrize(
    ("weights", "seconds", "cheapest"),
    [
        ((1, 2, 2), (9.0, 1.0, 1.0), 0),  # the fewest weights, however long a fit takes
        ((2, 2, 2), (1.0, 0.9, 3.0), 0),  # 10 % is noise: of 0 and 1 the higher score
        ((2, 2, 2), (2.0, 1.0, 3.0), 1),
        ((None, None, None), (3.0, 3.1, 1.0), 2),  # a classifier without weights
        ((None, 9, 9), (1.0, 5.0, 5.0), 1),
    ],
)
def test_cheap_is_what_has_few_weights_then_what_is_told_to_be_fast(weights, seconds, cheapest):
    """Seconds decide only where they differ by more than noise; a tie takes the higher score."""
    record = with_scores(validation_record(), [0.95, 0.945, 0.94], weights)
    bare = [replace(c, trial=replace(c.trial, layers=())) for c in record.candidates]
    rows = [with_seconds(c, [s]) for c, s in zip(bare, seconds, strict=True)]
    assert by_cost(rows)[0].index == cheapest
    assert {c.index for c in by_cost(rows)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("slow", "fast", "told"),
    [
        ([1.2, 1.2, 1.2], [1.0, 1.0, 1.0], True),
        ([1.05, 1.05, 1.05], [1.0, 1.0, 1.0], False),  # less than a tenth
        ([4.0, 1.0, 1.0], [1.0, 1.0, 1.0], False),  # one split alone: its first fit was built
        ([1.4], [1.0], False),
        ([1.5], [1.0], True),
        ([1.0], [inf], False),
    ],
)
def test_a_fit_is_slower_if_its_splits_agree(slow, fast, told):
    """Against the spread of the difference over splits; on one split by half as long again."""
    candidate = validation_record().candidates[0]
    assert is_slower(with_seconds(candidate, slow), with_seconds(candidate, fast)) is told


def with_seconds(candidate, seconds):
    """The candidate with so many seconds of fitting, one a split."""
    (split,) = candidate.trial.splits
    splits = tuple(replace(split, seconds={candidate.epoch: each}) for each in seconds)
    return replace(candidate, trial=replace(candidate.trial, splits=splits))


def test_a_far_lower_score_on_one_split_is_no_rival():
    """0.95 against 0.80 on 1,200 rows is more than chance among three; 0.94 is not."""
    record = with_scores(validation_record(), [0.95, 0.94, 0.80], [1, 1, 1])
    assert [c.index for c in indistinguishable(record)] == [1]


def test_the_comparison_is_tukeys_with_the_factor_of_nadeau_and_bengio():
    """Two candidates: the studentized range of two is the paired corrected t test."""
    record = grid_record(epochs=(5,), widths=(32, 64))
    first, second = (split_scores(c) for c in ranked(record))
    differences = np.subtract(first, second)
    ratio = differences.mean() / np.sqrt((1 / 5 + 1200 / 4800) * np.var(differences, ddof=1))
    p = float(2 * stats.t.sf(ratio, 4))
    assert len(compare(record, 1 - p * 1.01).told) == 1
    assert len(compare(record, 1 - p * 0.99).told) == 0


def test_candidates_that_all_splits_order_alike_are_told_apart():
    """No noise at all: any difference counts, and equal scores do not differ."""
    record = with_scores(grid_record(epochs=(5,)), [0.9, 0.9, 0.8], [1, 1, 1])
    found = compare(record)
    assert ([c.index for c in found.alike], [c.index for c in found.told]) == ([0, 1], [2])


def with_seeds(record, *shifts):
    """The study with each split fitted again for every shift of its scores."""
    rows = []
    for c in record.candidates:
        splits = tuple(
            replace(s, seed=seed, test={e: score + shift for e, score in s.test.items()})
            for seed, shift in enumerate((0.0, *shifts))
            for s in c.trial.splits
        )
        rows.append(replace(c, trial=replace(c.trial, splits=splits)))
    return replace(record, candidates=tuple(rows), trials=tuple(c.trial for c in rows))


def test_a_split_counts_once_however_many_seeds_it_has():
    """Scores are averaged over the seeds of a split before anything else."""
    once, thrice = grid_record(), with_seeds(grid_record(), 0.01, -0.01)
    assert split_scores(best(thrice)) == pytest.approx(split_scores(best(once)))
    higher = split_scores(best(with_seeds(grid_record(), 0.02, 0.01)))
    assert higher == pytest.approx([score + 0.01 for score in split_scores(best(once))])
    one, three = (score_interval(r, best(r)) for r in (once, thrice))
    assert (three.low, three.high) == pytest.approx((one.low, one.high))
    assert "over 5 splits, each the mean of 3 seeds" in three.method


def test_one_split_and_several_seeds_say_what_the_interval_covers():
    """Accuracy: the rows alone; another scorer: the seeds alone, and nothing is compared."""
    record = with_seeds(validation_record(), 0.01)
    assert "it covers the rows alone" in score_interval(record, best(record)).method
    other = scored_by(record, "f1_macro")
    assert "it covers the seeds alone" in score_interval(other, best(other)).method
    assert compare(other) is None
    assert indistinguishable(other) == []


def with_choice(record, choose):
    """The same study under another rule."""
    return replace(
        record, spec={**record.spec, "search": {**record.spec["search"], "choose": choose}}
    )


def test_choose_says_which_candidate_is_refitted():
    """On one split of 1,200 rows the error of 0.95 is 0.0063: 0.945 is within, 0.94 is not."""
    record = with_scores(validation_record(), [0.94, 0.945, 0.95], [1, 2, 3])
    rules = ("best", "one_standard_error", "cheapest")
    assert [chosen(with_choice(record, rule)).index for rule in rules] == [2, 1, 0]
    assert [chosen(record, rule).index for rule in rules] == [2, 1, 0]
    assert chosen(empty_record(), "cheapest") is None
    assert chosen(empty_record(), "one_standard_error") is None


def test_the_winner_of_another_rule_is_not_current():
    """The choice decides whether the recorded winner still stands."""
    record = grid_record()
    assert is_current(record, chosen(record))
    assert not is_current(record, record.candidates[0])


def test_a_difference_has_the_interval_of_tukey():
    """Half its width is the quantile of the range in standard errors; scipy's is the reference."""
    record = grid_record(epochs=(5,), widths=(32, 64, 128))
    found = compare(record, 0.9999)
    assert len(found.alike) == 3
    scores = np.array([split_scores(c) for c in found.alike])
    left = scores - scores.mean(axis=1, keepdims=True)
    left = left - left.mean(axis=0)
    error = np.sqrt((1 / 5 + 1200 / 4800) * (left**2).sum() / 8)
    expected = stats.studentized_range.ppf(0.9999, 3, 8) * error
    assert found.margin == pytest.approx(expected, rel=1e-3)
    for each in found.alike[1:]:
        low, behind, high = found.behind(each)
        assert behind == pytest.approx(mean_score(found.best) - mean_score(each))
        assert high - low == pytest.approx(2 * found.margin)


def test_the_best_alone_has_no_margin():
    """Nothing stands beside it."""
    assert compare(grid_record(epochs=(5,), widths=(32, 64)), 0.01).margin == 0
