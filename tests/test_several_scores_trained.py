"""Several scorers on real, tiny training: a study beside scikit-learn's own search."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV

from sweep import KerasMLPClassifier, load_dataset, run_study

pytestmark = pytest.mark.tensorflow

NAMES = ["accuracy", "f1_macro", "roc_auc_ovr", "neg_log_loss"]
STUDY = {
    "study": {"name": "several"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100},
    "model": {"factory": "mlp", "learning_rate": 0.01, "dropout_rate": 0.2},
    "search": {"method": "grid", "cv": 3, "scoring": NAMES},
    "space": {"epochs": [1, 2], "hidden_size": [8, 16]},
}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Return the study, run by two workers."""
    return run_study(STUDY, storage=str(tmp_path_factory.mktemp("several") / "l.db"), n_jobs=2)


def test_the_table_is_that_of_grid_search_cv_with_several_scorers(result):
    """Every column of scores, of every scorer, to the last bit; the same winner."""
    data = load_dataset("digits", train_rows=200, test_rows=100)
    estimator = KerasMLPClassifier(
        dropout_rate=0.2, learning_rate=0.01, scaling="unit", random_state=0
    )
    theirs = GridSearchCV(
        estimator, STUDY["space"], cv=3, scoring=NAMES, refit="accuracy", return_train_score=True
    ).fit(data.x_train, data.y_train)
    kinds = ["mean_test", "std_test", "rank_test", "mean_train", "std_train"]
    kinds += [f"split{i}_{rows}" for i in range(3) for rows in ("test", "train")]
    frame = result.frame
    for column in (f"{kind}_{name}" for kind in kinds for name in NAMES):
        np.testing.assert_array_equal(frame[column], theirs.cv_results_[column], column)
    assert result.best_params_ == theirs.best_params_
    for name in NAMES:
        on_test = get_scorer(name)(theirs.best_estimator_, data.x_test, data.y_test)
        assert result.test_scores_[name] == pytest.approx(on_test, abs=1e-12)
    (opening,) = result.record.openings
    assert opening.other_scores == result.record.winner.other_scores


def test_the_table_is_the_same_for_any_number_of_workers(result, tmp_path):
    """All columns but times, to the last bit, and the scores on the test set."""
    alone = run_study(STUDY, storage=str(tmp_path / "l.db"), n_jobs=1)
    shown = [name for name in alone.frame if "time" not in name]
    pd.testing.assert_frame_equal(alone.frame[shown], result.frame[shown], check_exact=True)
    assert alone.test_scores_ == result.test_scores_


def test_a_first_scorer_ranks_as_it_does_alone(result, tmp_path):
    """The columns of ``score`` are those of the study with this scorer only."""
    search = {**STUDY["search"], "scoring": "accuracy", "refit": False}
    alone = run_study({**STUDY, "search": search}, storage=str(tmp_path / "l.db"))
    shown = [name for name in alone.frame if "time" not in name]
    pd.testing.assert_frame_equal(alone.frame[shown], result.frame[shown], check_exact=True)


def test_outer_folds_report_every_score(tmp_path):
    """The first is the estimate; the others stand beside it."""
    search = {"method": "grid", "validation": 0.3, "scoring": NAMES[:2], "nested": 2}
    study = {**STUDY, "search": search, "space": {"hidden_size": [4, 8]}}
    found = run_study(study, storage=str(tmp_path / "l.db"))
    folds = found.record.nested.folds
    assert len(folds) == 2
    for fold in folds:
        assert fold.score != fold.other_scores["f1_macro"]
        assert 0 < fold.other_scores["f1_macro"] < 1


@pytest.mark.parametrize(
    "more", [{"pruner": "median"}, {"pruner": "hyperband"}, {"split_pruner": True, "cv": 4}]
)
def test_pruned_searches_keep_every_score(more, tmp_path):
    """By epoch, by split, and from rung to rung, where fits go on from their checkpoints."""
    search = {"method": "random", "trials": 8, "scoring": NAMES[:2], "refit": False, **more}
    study = {**STUDY, "search": search, "space": {"hidden_size": {"int": [2, 32]}}}
    study["model"] = {**STUDY["model"], "epochs": 4}
    found = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    for trial in found.record.trials:
        for split in trial.splits:
            assert set(split.others["f1_macro"]) == set(split.test)
    complete = found.frame[found.frame["state"] == "COMPLETE"]
    assert complete["mean_test_f1_macro"].notna().all()
