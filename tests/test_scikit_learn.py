"""Plain scikit-learn code on real data: nothing has to be written differently."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - makes the next one there
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sweep import KerasCNNClassifier, KerasMLPClassifier, load_dataset

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=500, test_rows=300)
X, Y = DIGITS.x_train.reshape(500, -1).astype("float32"), DIGITS.y_train
TEST, TEST_Y = DIGITS.x_test.reshape(300, -1).astype("float32"), DIGITS.y_test
MLP = KerasMLPClassifier(hidden_size=32, epochs=8, learning_rate=0.01, random_state=0)
SCALED = make_pipeline(StandardScaler(), MLP)


def test_a_pipeline_with_a_scaler():
    """Fit and score on held-out digits."""
    assert SCALED.fit(X, Y).score(TEST, TEST_Y) > 0.88


def test_a_pipeline_that_makes_images_of_flat_rows():
    """FunctionTransformer in front of the CNN."""
    images = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 8, 8)})
    cnn = KerasCNNClassifier(filters=8, epochs=8, learning_rate=0.01, random_state=0)
    assert make_pipeline(StandardScaler(), images, cnn).fit(X, Y).score(TEST, TEST_Y) > 0.88


def test_grid_search_over_a_pipeline():
    """Names with two underscores, refit and predict."""
    grid = {"kerasmlpclassifier__hidden_size": [2, 32]}
    search = GridSearchCV(SCALED, grid, cv=3).fit(X, Y)
    assert search.best_params_ == {"kerasmlpclassifier__hidden_size": 32}
    assert search.score(TEST, TEST_Y) > 0.88


def test_randomized_search():
    """Distributions by lists."""
    space = {"hidden_size": [16, 32, 64], "learning_rate": [0.001, 0.01, 0.1]}
    search = RandomizedSearchCV(MLP, space, n_iter=3, cv=2, random_state=0).fit(X / 255, Y)
    assert search.best_score_ > 0.8


def test_halving_with_epochs_as_the_resource():
    """More epochs for those that do well."""
    search = HalvingGridSearchCV(
        MLP, {"hidden_size": [2, 8, 32, 64]}, resource="epochs", min_resources=2, max_resources=8,
        factor=2, cv=2, random_state=0,
    ).fit(X / 255, Y)  # fmt: skip
    assert search.best_params_["hidden_size"] in (32, 64)
    assert search.n_resources_ == [2, 4, 8]


def test_cross_validate_with_several_scorers():
    """Probabilities are good enough for scikit-learn's checks of them."""
    scorers = ["accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro"]
    scores = cross_validate(SCALED, X, Y, cv=3, scoring=scorers, error_score="raise")
    assert scores["test_accuracy"].mean() > 0.85
    assert scores["test_roc_auc_ovr"].mean() > 0.97


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_a_vote(voting):
    """Beside scikit-learn's own classifiers."""
    members = [("mlp", SCALED), ("linear", LogisticRegression(max_iter=2000))]
    assert VotingClassifier(members, voting=voting).fit(X, Y).score(TEST, TEST_Y) > 0.88


def test_a_stack():
    """Probabilities of the members feed the last one."""
    last = LogisticRegression(max_iter=2000)
    stack = StackingClassifier([("mlp", SCALED), ("linear", last)], final_estimator=last, cv=2)
    assert stack.fit(X, Y).score(TEST, TEST_Y) > 0.88


def test_calibration():
    """Sigmoid calibration over splits."""
    calibrated = CalibratedClassifierCV(SCALED, cv=2).fit(X, Y)
    np.testing.assert_allclose(calibrated.predict_proba(TEST).sum(axis=1), 1, atol=1e-6)
    assert calibrated.score(TEST, TEST_Y) > 0.85


def test_permutation_importance():
    """The pixel in the corner, always empty, matters not at all."""
    fitted = SCALED.fit(X, Y)
    found = permutation_importance(fitted, TEST, TEST_Y, n_repeats=2, random_state=0)
    assert found.importances_mean[0] == 0
    assert found.importances_mean.max() > 0.01


def test_a_learning_curve():
    """More rows, better scores."""
    sizes, _, scores = learning_curve(SCALED, X, Y, train_sizes=[0.2, 1.0], cv=3)
    assert sizes.tolist() == [66, 333]
    assert scores[1].mean() > scores[0].mean()
