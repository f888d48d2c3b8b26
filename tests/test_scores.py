"""Mean scores of a trial's splits, by epoch."""

import pytest

from sweep.ledger.records import SplitResult
from sweep.ledger.scores import best_epoch, best_mean_score, shared_epochs

SPLITS = (SplitResult({1: 0.5, 2: 0.9, 4: 0.6}), SplitResult({1: 0.7, 2: 0.7}))


def test_an_epoch_counts_where_every_split_has_reached_it():
    """What one split alone has measured has no mean."""
    assert shared_epochs(SPLITS) == [1, 2]
    assert shared_epochs(()) == []


def test_the_best_of_the_asked_epochs_counts():
    """An epoch that nobody asked for does not, however good."""
    assert best_epoch(SPLITS, (1, 2, 4)) == 2
    assert best_epoch(SPLITS, (1, 4)) == 1
    assert best_mean_score(SPLITS, (1,)) == pytest.approx(0.6)


def test_a_missing_epoch_has_no_mean_score():
    """The score of another epoch does not stand in for it."""
    with pytest.raises(KeyError):
        best_mean_score(SPLITS, (1, 4))


def test_a_trial_that_reached_no_asked_epoch_counts_as_far_as_it_came():
    """So a trial that was given up has an epoch to rank it by."""
    assert best_epoch(SPLITS, (4, 9)) == 2


def test_of_equal_epochs_the_first_counts():
    """Less training for the same score."""
    splits = (SplitResult({1: 0.5, 2: 0.5}),)
    assert best_epoch(splits, (2, 1)) == 1
