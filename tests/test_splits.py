"""Splits of the training rows."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold

from sweep import load_dataset
from sweep.errors import DataError, StudyFileError
from sweep.ledger.ledger import Ledger
from sweep.runner.progress import Watcher
from sweep.search.plan import make_plan
from sweep.search.splits import make_splits
from sweep.spec import load_study
from sweep.study.preparation import prepare_study
from sweep.workers.job import Job

LABELS = np.repeat([0, 1, 2], [30, 20, 10])


def study(**search):
    """Return a study with these splits."""
    return load_study(
        {
            "data": {"dataset": "digits"},
            "search": {"method": "grid", **search},
            "space": {"hidden_size": [8]},
        }
    )


def test_cv_is_scikit_learns_own_stratified_k_fold():
    """The same rows, in the same order, as GridSearchCV(cv=5) takes."""
    theirs = StratifiedKFold(5).split(np.zeros(60), LABELS)
    ours = make_splits(study(cv=5), LABELS)
    for (a, b), (c, d) in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b, d)


def test_a_validation_split_is_stratified_and_repeatable():
    """One split, a fifth of each class, the same every time."""
    (train, test), (again, _) = (make_splits(study(validation=0.2), LABELS)[0] for _ in range(2))
    assert np.bincount(LABELS[test]).tolist() == [6, 4, 2]
    assert sorted([*train, *test]) == list(range(60))
    np.testing.assert_array_equal(train, again)


def test_repeats_give_that_many_different_rounds():
    """Two repeats of three folds are six splits, the rounds shuffled differently."""
    splits = make_splits(study(cv=3, repeats=2), LABELS)
    assert len(splits) == 6
    assert not np.array_equal(splits[0][1], splits[3][1])


@pytest.mark.parametrize("search", [{"cv": 4}, {"validation": 0.25}])
def test_groups_never_stand_on_both_sides(search):
    """Rows of one group are all in training or all held out."""
    groups = np.arange(60) % 12
    for train, test in make_splits(study(**search), LABELS, groups):
        assert set(groups[train]) & set(groups[test]) == set()


def test_too_few_rows_of_a_class_are_refused():
    """scikit-learn's warning about rare classes is an error here."""
    with pytest.raises(DataError, match="cannot be split as asked"):
        make_splits(study(cv=11), LABELS)


def test_groups_cannot_be_repeated():
    """What is not offered is said."""
    with pytest.raises(DataError, match="cannot be repeated"):
        make_splits(study(cv=3, repeats=2), LABELS, np.arange(60))


def test_what_cannot_be_split_is_refused_before_the_ledger_holds_it(tmp_path):
    """A study that no worker could begin is not left there to be deleted."""
    spec, data = study(cv=5000), load_dataset("digits", train_rows=100)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    job = Job(ledger.url, spec.study.name)
    with pytest.raises(StudyFileError, match=r"search\.cv: 5000 splits need 5000 rows"):
        prepare_study(ledger, spec, make_plan(spec), job, Watcher(), data, None)
    assert not ledger.has(spec.study.name)
