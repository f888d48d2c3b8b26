"""Intervals and comparisons near 0 and 1, and where the splits agree: rows count as well.

The simulation is a small part of ``benchmarks/intervals.py``, with a fixed seed.
"""

from dataclasses import replace

import numpy as np
import pytest
from records import grid_record
from test_nested import nested_record

from sweep.analysis import (
    clopper_pearson,
    compare,
    interval,
    no_interval,
    paired,
    resampled,
    score_interval,
    standard_error,
)
from sweep.analysis.binomial import gap_ends, least_noise, rows_behind
from sweep.analysis.nested import nested_interval, plain_nested
from sweep.report import page


def study(*scores, rows=20, scoring="accuracy", groups=None, counts=(), repeats=1):
    """A study of candidates with these scores of splits, each split of so many rows."""
    record = grid_record(epochs=(5,), widths=tuple(range(8, 8 + len(scores))), folds=len(scores[0]))
    trained = rows * len(scores[0]) // repeats
    names = tuple(map(str, range(len(counts)))) or record.data.classes
    positive = names[-1] if len(counts) == 2 else ""
    data = replace(
        record.data, train_rows=trained, classes=names, class_counts=counts, positive=positive
    )
    spec = {**record.spec, "search": {**record.spec["search"], "scoring": scoring}}
    spec["data"] = {**spec["data"], "groups": groups}
    found = []
    for candidate, own in zip(record.candidates, scores, strict=True):
        splits = tuple(
            replace(each, test={5: float(score)}, n_test=rows)
            for each, score in zip(candidate.trial.splits, own, strict=True)
        )
        found.append(replace(candidate, trial=replace(candidate.trial, splits=splits)))
    return replace(record, data=data, spec=spec, candidates=tuple(found))


def found(record):
    """The interval of a study's first candidate."""
    return score_interval(record, record.candidates[0])


@pytest.mark.parametrize(
    ("share", "splits", "rows", "before"),
    [
        (0.99, 5, 20, 0.70),
        (0.998, 5, 100, 0.70),
        (0.999, 3, 200, 0.60),
        (0.999, 10, 20, 0.30),
        (0.95, 10, 20, 1),
        (0.9, 3, 2000, 1),
        (0.5, 5, 20, 1),
    ],
)
def test_the_interval_holds_the_truth_near_1_too(share, splits, rows, before):
    """In 93 % of simulated studies and more; t over the splits alone in far fewer near 1."""
    runs = 500
    scores = np.random.default_rng(0).binomial(rows, share, (runs, splits)) / rows
    record, held = study(scores[0], rows=rows), ([rows] * splits, rows * (splits - 1))
    ends = [resampled(record, each, held, "splits") for each in scores]
    assert np.mean([e.low <= share <= e.high for e in ends]) >= 0.93
    alone = [interval(each, held[1], rows) for each in scores]
    assert np.mean([low <= share <= high for low, high in alone]) <= before


def test_splits_that_are_all_right_leave_what_their_rows_leave():
    """None of 100 rows wrong: by the exact interval 3.6 % may be, and the method says so."""
    held = found(study([1.0] * 5))
    assert (held.low, held.high) == (pytest.approx(0.025 ** (1 / 100)), 1.0)
    assert "widened to what 100 rows allow (Clopper and Pearson 1934)" in held.method
    wrong = found(study([0.0] * 5))
    assert (wrong.low, wrong.high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 100)))


def test_splits_that_agree_by_chance_leave_what_their_rows_leave():
    """18 of 20 right in each of five splits is 90 of 100."""
    held = found(study([0.9] * 5))
    assert (held.low, held.high) == pytest.approx(clopper_pearson(90, 100))


def test_an_interval_that_splits_make_wide_enough_stays_as_it_was():
    """The rule of Nadeau and Bengio alone, and no word of rows."""
    scores = [0.80, 0.90, 0.85, 0.95, 0.75]
    held = found(study(scores, rows=100))
    assert (held.low, held.high) == pytest.approx((interval(scores, 400, 100)[0], 1.0), abs=0.02)
    assert held.low == pytest.approx(interval(scores, 400, 100)[0])
    assert held.method.endswith("over 5 splits (Nadeau and Bengio 2003)")


def test_rows_scored_by_several_repeats_are_the_same_rows():
    """Ten splits of 20 in two repeats are 100 rows; of unlike splits the small ones weigh more."""
    record = study([1.0] * 10, repeats=2)
    assert rows_behind(record, [20] * 10) == pytest.approx(100)
    assert found(record).low == pytest.approx(0.025 ** (1 / 100))
    assert rows_behind(study([1.0] * 2, rows=50), [20, 80]) == pytest.approx(64)


@pytest.mark.parametrize(
    ("scoring", "rows"),
    [("balanced_accuracy", 20), ("recall_macro", 20), ("recall", 10), ("f1_micro", 100), ("f1", 0)],
)
def test_a_score_of_classes_rests_on_the_rows_of_its_classes(scoring, rows):
    """Of 90 and 10 rows: twice the rarer class, the positive class, all rows, or none."""
    record = study([1.0] * 5, scoring=scoring, counts=(90, 10))
    behind = rows_behind(record, [20] * 5)
    assert behind == (pytest.approx(rows) if rows else None)
    held = found(record)
    assert (held and held.low) == (pytest.approx(0.025 ** (1 / rows)) if rows else None)


def test_a_balanced_interval_holds_the_truth_of_a_rare_class():
    """Each class right in 98 %, 40 rows of the rare one: 93 % and more."""
    rng, runs, held = np.random.default_rng(1), 500, ([100] * 5, 400)
    often, rare = (rng.binomial(n, 0.98, (runs, 5)) / n for n in (92, 8))
    record = study([1.0] * 5, rows=100, scoring="balanced_accuracy", counts=(460, 40))
    ends = [resampled(record, each, held, "splits") for each in (often + rare) / 2]
    assert np.mean([e.low <= 0.98 <= e.high for e in ends]) >= 0.93


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"scoring": "f1_macro"}, "f1_macro is no share of rows"),
        ({"scoring": "roc_auc"}, "roc_auc is no share of rows"),
        ({"groups": "patient"}, "rows of one group are not independent"),
    ],
)
def test_equal_splits_without_rows_to_rest_on_have_no_interval(settings, why):
    """The report says why, in place of an interval of no width; other splits have one."""
    record = study([1.0] * 5, **settings)
    assert found(record) is None
    assert (
        no_interval(record, [1.0] * 5) == f"no interval: all splits have the same score, and {why}"
    )
    assert why in page.render(record)
    assert found(study([1.0, 0.9, 1.0, 0.95, 1.0], **settings)) is not None


def test_a_nested_estimate_rests_on_rows_too():
    """Three outer folds without a wrong row are 6,000 rows; of another scorer, no interval."""
    record = replace(grid_record(), nested=nested_record(scores=(1.0, 1.0, 1.0)))
    assert nested_interval(record).low == pytest.approx(0.025 ** (1 / 6000))
    spec = {**record.spec, "search": {**record.spec["search"], "scoring": "f1_macro"}}
    other = replace(record, spec=spec)
    assert nested_interval(other) is None
    assert plain_nested(other)["interval"] is None
    assert "f1_macro is no share of rows" in page.render(other)


def test_equal_splits_do_not_make_a_standard_error_of_0():
    """Without a wrong row of 100 it is that of 102 of 104; of equal splits, that of their rows."""
    for scores, share in (([1.0] * 5, 102 / 104), ([0.9] * 5, 92 / 104)):
        record = study(scores)
        expected = np.sqrt(share * (1 - share) / 100)
        assert standard_error(record, record.candidates[0]) == pytest.approx(expected)


@pytest.mark.parametrize(("wrong", "told"), [(1, 0), (2, 1)])
def test_a_difference_of_few_rows_is_not_told_however_well_splits_agree(wrong, told):
    """5 rows in all, one in each of 5 splits, may be chance as in McNemar's test; 10 are not."""
    assert len(compare(study([1.0] * 5, [1 - wrong / 20] * 5)).told) == told


def test_least_noise_is_that_of_mcnemar_for_two_and_pools_more():
    """x rows apart, one more each way: sqrt((x + 2) / 2) rows; three candidates by Cochran."""
    errors, _ = least_noise(np.array([1.0, 0.94, 0.90]), 100)
    rows = np.array([[0, 1, 1], [0, 0, 1]]).repeat([6, 4], axis=0)  # 6 rows, 4 more
    of_row = rows.sum(axis=1)
    squares = np.sum(of_row * (3 - of_row) / 3) + 2
    assert errors[1:] * 100 == pytest.approx([np.sqrt(8 / 2), np.sqrt(squares / 2)])


def test_scores_that_are_no_shares_are_not_told_by_splits_that_agree():
    """A constant difference of f1 has no noise to be measured by, so it is not told."""
    record = study([0.9] * 5, [0.8] * 5, scoring="f1_macro")
    assert len(compare(record).alike) == 2


def test_two_studies_that_differ_alike_on_all_splits_have_an_interval():
    """As wide as 10 rows of 100 allow; no difference at all is not known to the last digit."""
    one, other = study([0.95] * 5), replace(study([0.85] * 5), name="other")
    pair = paired(one, other)
    assert (pair.low, pair.high) == pytest.approx(gap_ends(0.1, 100))
    assert 0 < pair.low < 0.1 < pair.high
    same = paired(one, replace(one, name="other"))
    assert (same.low, same.high) == pytest.approx((-0.0272, 0.0272), abs=1e-4)
    f1 = [study([s] * 5, scoring="f1_macro") for s in (0.9, 0.8)]
    assert paired(*f1).reason == "all splits differ by the same: no interval"
    assert paired(*f1).low is None


def test_equal_candidates_near_1_are_seldom_told_apart():
    """Twelve, right on 99.5 % of 5 times 40 rows: 5 % false alarms at most."""
    rng, runs = np.random.default_rng(3), 60
    studies = [study(*rng.binomial(40, 0.995, (12, 5)) / 40, rows=40) for _ in range(runs)]
    assert sum(len(compare(each).told) > 0 for each in studies) <= 3
