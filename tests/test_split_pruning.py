"""Pruning by split: what is not pruned is untouched, what is pruned cannot become the best."""

import numpy as np
import pytest
from fakes import FakeClassifier
from sklearn.model_selection import StratifiedKFold

from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate
from sweep.evaluation.split_pruning import (
    Rule,
    chance_to_lead,
    decide_pruning,
    evaluate_by_split,
    usual_spread,
)
from sweep.ledger.records import SplitResult, TrialRecord

Y = np.tile([0, 1], 20)
X = np.column_stack([Y, np.arange(40)])
DATA = SearchData(X, Y, list(StratifiedKFold(5).split(X, Y)))
BEST = {(split, 0): 0.9 + split / 100 for split in range(5)}


def worse(*by):
    """Return scores that are worse than the best by so much, split by split."""
    return {(split, 0): BEST[split, 0] - each for split, each in enumerate(by)}


def trial(*scores, epochs=(2,), state="COMPLETE"):
    """Return a trial with these scores at every epoch, a hundredth more at later ones."""
    splits = tuple(
        SplitResult({e: score + e / 100 for e in epochs}, split=i) for i, score in enumerate(scores)
    )
    return TrialRecord(0, "k", state, {}, epochs, splits)


def test_what_is_not_pruned_has_the_scores_of_the_whole_evaluation():
    """Split by split, seed by seed, in the same order."""
    asked = EvaluationRequest((1, 3), train_scores=True)
    whole = evaluate(FakeClassifier(), DATA, asked)
    ours = evaluate_by_split(FakeClassifier(), DATA, asked, lambda _: False)
    assert [(s.split, s.seed, s.test, s.train, s.history) for s in ours.splits] == [
        (s.split, s.seed, s.test, s.train, s.history) for s in whole.splits
    ]
    assert (ours.value, ours.pruned, ours.layers) == (whole.value, False, whole.layers)


def test_a_pruned_one_keeps_its_measured_splits():
    """It is asked after each split but the last."""
    asked_after = []

    def hopeless(measured):
        asked_after.append(len(measured))
        return len(measured) == 3

    found = evaluate_by_split(FakeClassifier(), DATA, EvaluationRequest((2,)), hopeless)
    assert asked_after == [1, 2, 3]
    assert (found.pruned, [s.split for s in found.splits]) == (True, [0, 1, 2])
    whole = evaluate_by_split(
        FakeClassifier(), DATA, EvaluationRequest((2,)), lambda m: len(m) == 5
    )
    assert not whole.pruned


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (worse(0.2, 0.21), True),
        (worse(0.2), False),
        (worse(0.02, -0.01), False),
        (worse(-0.1, -0.2), False),
        (worse(0.0, 0.0), False),
    ],
)
def test_the_paired_rule(mine, expected):
    """Far behind in each split is hopeless; one split, a lead, or a tie are not."""
    assert Rule(5).gives_up(mine, BEST) is expected


def test_a_lucky_closeness_of_two_differences_prunes_nothing():
    """The usual spread of differences is the least that is assumed."""
    mine = worse(0.002, 0.0021)
    assert Rule(5).gives_up(mine, BEST)
    assert not Rule(5).gives_up(mine, BEST, usual=0.01)


@pytest.mark.parametrize("shift", [-0.8, -0.3, 0.0, 0.3])
def test_at_one_look_no_more_than_p_are_given_up_wrongly(shift):
    """Whatever the true difference, at most a share p is hopeless and would have led."""
    rng = np.random.default_rng(0)
    draws = rng.normal(shift, 1, (3000, 5))
    hopeless = np.array([chance_to_lead(row[:3], 5) < 0.1 for row in draws])
    led = draws.mean(axis=1) > 0
    assert (hopeless & led).mean() <= 0.105
    assert hopeless.any()


def test_many_scores_are_compared_by_optunas_wilcoxon():
    """From ten scores; with five, even all worse, that test is sure only after the fourth."""
    best = {(split, 0): 0.9 for split in range(12)}
    mine = {(split, 0): 0.9 - 0.01 * (split + 1) for split in range(4)}
    assert Rule(12).gives_up(mine, best)
    three = {place: mine[place] for place in list(mine)[:3]}
    assert not Rule(12).gives_up(three, best)
    assert Rule(12, test="paired").gives_up({**mine}, best)


def test_every_asked_epoch_must_be_hopeless():
    """A cell that answers several epochs goes on while one of them may win."""
    others, rule = [trial(*[0.9] * 5)], Rule(5)
    measured = [SplitResult({1: 0.5, 9: 0.95 - i / 100}, split=i) for i in range(2)]
    assert decide_pruning(measured, (1,), others, rule)
    assert not decide_pruning(measured, (1, 9), others, rule)


def test_the_best_is_the_best_complete_candidate():
    """Pruned trials are no competitors; nothing is pruned before one is complete."""
    measured = [SplitResult({2: 0.5 + i / 100}, split=i) for i in range(2)]
    assert not decide_pruning(measured, (2,), [], Rule(5))
    assert not decide_pruning(measured, (2,), [trial(*[0.9] * 5, state="PRUNED")], Rule(5))
    assert decide_pruning(measured, (2,), [trial(*[0.1] * 5), trial(*[0.9] * 5)], Rule(5))


def test_the_usual_spread_needs_company():
    """Two others say too little."""
    others = [worse(0.1, 0.2, 0.1, 0.2, 0.1)] * 3
    assert usual_spread(BEST, others[:2]) == 0.0
    assert usual_spread(BEST, others) == pytest.approx(np.std([0.1, 0.2, 0.1, 0.2, 0.1], ddof=1))
