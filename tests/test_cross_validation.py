"""Evaluating a cell: GridSearchCV with scores on the way, and in lockstep."""

import numpy as np
import pytest
from fakes import FakeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from sweep.evaluation.cross_validation import (
    EvaluationError,
    EvaluationRequest,
    SearchData,
    evaluate,
)
from sweep.evaluation.lockstep import evaluate_in_lockstep
from sweep.ledger.scores import mean_split_score

Y = np.tile([0, 1], 20)
X = np.column_stack([Y, np.arange(40)])
SPLITS = list(StratifiedKFold(4).split(X, Y))
DATA = SearchData(X, Y, SPLITS)


def go_on(_epoch, _value):
    """Never stop."""
    return False


def silent(_split, _epoch, _of):
    """Say nothing."""


def test_scores_at_each_epoch_are_those_of_separate_searches():
    """One fit to the largest value gives what a GridSearchCV over epochs gives."""
    theirs = GridSearchCV(FakeClassifier(), {"epochs": [1, 3, 5]}, cv=SPLITS, refit=False).fit(X, Y)
    ours = evaluate(FakeClassifier(), DATA, EvaluationRequest((1, 3, 5)))
    means = [mean_split_score(ours.splits, epoch) for epoch in (1, 3, 5)]
    np.testing.assert_array_equal(means, theirs.cv_results_["mean_test_score"])
    assert ours.value == max(means)


def test_curves_score_every_epoch_and_can_be_switched_off():
    """Training scores come at the asked epochs only."""
    found = evaluate(FakeClassifier(), DATA, EvaluationRequest((2, 4), train_scores=True)).splits[0]
    assert (sorted(found.test), sorted(found.train)) == ([1, 2, 3, 4], [2, 4])
    assert found.seconds == {1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}
    assert (found.n_test, found.history["loss"][0]) == (10, 1.0)
    bare = evaluate(FakeClassifier(), DATA, EvaluationRequest((2, 4), curves=False)).splits[0]
    assert (sorted(bare.test), bare.train) == ([2, 4], {})


def test_lockstep_gives_the_same_scores():
    """Stepping all splits together changes no number."""
    asked = EvaluationRequest((3,), train_scores=True)
    whole = evaluate(FakeClassifier(), DATA, asked)
    steps = evaluate_in_lockstep(FakeClassifier(epochs=3), DATA, asked, go_on, silent)
    for one, other in zip(whole.splits, steps.splits, strict=True):
        assert (one.test, one.train, one.history) == (other.test, other.train, other.history)
    assert (steps.value, steps.pruned) == (whole.value, False)


@pytest.mark.parametrize("fits", ["one after another", "in lockstep"])
def test_every_split_is_fitted_under_every_seed(fits):
    """Seed by seed: random_state is the estimator's own, that plus 1, that plus 2."""
    asked, estimator = (
        EvaluationRequest((2,), train_scores=True, seeds=3),
        FakeClassifier(random_state=1),
    )
    if fits == "in lockstep":
        found = evaluate_in_lockstep(estimator, DATA, asked, go_on, silent)
    else:
        found = evaluate(estimator, DATA, asked)
    places = [(s.seed, s.split) for s in found.splits]
    assert places == [(seed, split) for seed in range(3) for split in range(4)]
    assert [s.test[2] for s in found.splits] == [0.3] * 4 + [0.4] * 4 + [0.5] * 4
    assert [s.train[2] for s in found.splits[::4]] == pytest.approx([0.3, 0.4, 0.5])
    assert found.value == pytest.approx(0.4)


def test_one_seed_is_that_of_the_study():
    """Without ``seeds`` nothing changes, and no parameter is set."""
    found = evaluate(FakeClassifier(random_state=2), DATA, EvaluationRequest((1,)))
    assert [(s.seed, s.test[1]) for s in found.splits] == [(0, 0.3)] * 4


def test_lockstep_reports_means_and_stops_when_told():
    """The pruner sees the mean of the splits after each epoch; the rest is not trained."""
    seen = []

    def stop(epoch, value):
        seen.append((epoch, value))
        return epoch == 2

    found = evaluate_in_lockstep(FakeClassifier(), DATA, EvaluationRequest((5,)), stop, silent)
    assert seen == [(1, pytest.approx(0.1)), (2, pytest.approx(0.2))]
    assert found.pruned
    assert sorted(found.splits[0].test) == [1, 2]


def test_a_configuration_that_has_run_to_its_end_is_not_pruned():
    """A pruner that stops at the last epoch stops nothing."""
    found = evaluate_in_lockstep(
        FakeClassifier(), DATA, EvaluationRequest((2,)), lambda e, _: e == 2, silent
    )
    assert not found.pruned


def test_a_loss_that_is_no_number_is_an_error():
    """It names the epoch."""
    with pytest.raises(EvaluationError, match="the loss is nan in epoch 2"):
        evaluate(FakeClassifier(nan_at=2), DATA, EvaluationRequest((3,)))


def test_any_scorer_of_scikit_learn_works():
    """The name is scikit-learn's."""
    found = evaluate(
        FakeClassifier(skill=0.5), DATA, EvaluationRequest((2,), scoring="balanced_accuracy")
    )
    assert found.value == 1.0


def test_the_search_cannot_reach_the_test_set():
    """What an evaluation gets has training rows and nothing else."""
    from dataclasses import fields

    assert [field.name for field in fields(SearchData)] == ["x", "y", "splits", "positive"]
