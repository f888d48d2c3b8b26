"""OptunaSearchCV as scikit-learn sees it, on scikit-learn's own estimators."""

import pickle
import time

import numpy as np
import optuna
import pytest
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from sweep import OptunaSearchCV
from sweep.errors import SearchSpaceError
from sweep.testing import expected_failed_checks

X, Y = load_iris(return_X_y=True)
C = {"C": {"float": [0.001, 100.0], "log": True}}
LINEAR = LogisticRegression(max_iter=500)


def search(estimator=LINEAR, space=C, **given):
    """A search of four candidates over two splits unless told otherwise."""
    return OptunaSearchCV(estimator, space, **{"n_trials": 4, "cv": 2, "random_state": 0, **given})


@pytest.mark.filterwarnings("ignore")  # the checks fit what cannot be fitted, on purpose
@parametrize_with_checks(
    [search(), search(Ridge(), {"alpha": {"float": [0.1, 1.0]}})],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learns_own_checks(estimator, check):
    """check_estimator passes, declared exceptions aside."""
    check(estimator)


def test_checks_are_not_silenced():
    """One declared failure, around a regressor, with its reason; no tag that would excuse more."""
    declared = expected_failed_checks(search(Ridge(), {"alpha": [1.0]}))
    tags = search().__sklearn_tags__()
    assert expected_failed_checks(search()) == {}
    assert len(declared) == 1
    assert all(len(reason) > 20 for reason in declared.values())
    assert not any([tags.no_validation, tags.non_deterministic, tags._skip_test])


def test_it_is_what_it_searches():
    """A classifier around a classifier, a regressor around a regressor."""
    assert is_classifier(search())
    assert is_regressor(search(Ridge(), {"alpha": [1.0]}))


def test_it_finds_what_is_better():
    """A C that is far too small loses."""
    found = search(n_trials=10).fit(X, Y)
    assert found.best_params_["C"] > 0.1
    assert found.best_score_ > 0.94
    assert found.score(X, Y) > 0.94


def test_results_are_scikit_learns_own():
    """One row a candidate in the order of the study, with the columns of GridSearchCV."""
    found = search(return_train_score=True).fit(X, Y)
    names = {"mean_test_score", "split1_test_score", "rank_test_score", "mean_train_score"}
    assert names | {"mean_fit_time", "params", "param_C"} <= set(found.cv_results_)
    values = [trial.value for trial in found.study_.trials]
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], values)
    assert found.cv_results_["params"][2] == found.study_.trials[2].params


def test_it_repeats_itself():
    """The same seed gives the same candidates, in a clone too; another seed gives others."""
    first, second = search().fit(X, Y), clone(search()).fit(X, Y)
    other = search(random_state=1).fit(X, Y)
    assert first.cv_results_["params"] == second.cv_results_["params"]
    assert first.cv_results_["params"] != other.cv_results_["params"]


def test_jobs_do_not_change_the_candidates():
    """Only batch_size does."""
    one = search(batch_size=2, cv=2).fit(X, Y)
    two = search(batch_size=2, cv=2, n_jobs=2, pre_dispatch="all").fit(X, Y)
    assert one.cv_results_["params"] == two.cv_results_["params"]


def test_around_a_pipeline():
    """Names with two underscores."""
    steps = Pipeline([("scale", StandardScaler()), ("clf", LINEAR)])
    space = {"clf__C": [0.001, 1.0], "scale__with_mean": [True, False]}
    found = search(steps, space, n_trials=6).fit(X, Y)
    assert set(found.best_params_) == {"clf__C", "scale__with_mean"}
    assert found.best_params_["clf__C"] == 1.0


def test_as_a_step_of_a_pipeline_and_nested():
    """cross_val_score around a pipeline around a search gives honest, stratified scores."""
    scores = cross_val_score(make_pipeline(StandardScaler(), search()), X, Y, cv=3)
    assert scores.shape == (3,)
    assert scores.min() > 0.85


def test_in_a_vote():
    """VotingClassifier takes classifiers only."""
    vote = VotingClassifier([("search", search()), ("plain", LINEAR)], voting="soft")
    assert vote.fit(X, Y).score(X, Y) > 0.9


def test_pickled_before_and_after_fit():
    """With its study."""
    found = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(search())).fit(X, Y)))  # noqa: S301
    assert found.predict(X).shape == Y.shape
    assert len(found.study_.trials) == 4


def test_a_condition_leaves_the_estimators_own_value():
    """A parameter whose condition is not met is in no candidate, and masked in its column."""
    space = {
        "kernel": ["linear", "rbf"],
        "gamma": {"float": [0.01, 1.0], "log": True, "when": {"kernel": "rbf"}},
    }
    found = search(SVC(), space, n_trials=8, sampler="random").fit(X, Y)
    for params in found.cv_results_["params"]:
        assert ("gamma" in params) == (params["kernel"] == "rbf")
    assert 0 < found.cv_results_["param_gamma"].mask.sum() < 8


def test_distributions_arrays_and_objects():
    """Optuna's distributions, arrays, tuples and estimators may stand in a space."""
    space = {
        "clf": [SVC(), LINEAR],
        "clf__C": np.logspace(-1, 1, 3),
        "scale__with_std": (True, False),
        "scale__with_mean": optuna.distributions.CategoricalDistribution((True,)),
    }
    steps = Pipeline([("scale", StandardScaler()), ("clf", LINEAR)])
    found = search(steps, space, n_trials=8, sampler="random").fit(X, Y)
    kinds = {type(params["clf"]) for params in found.cv_results_["params"]}
    assert kinds == {SVC, LogisticRegression}
    assert {params["clf__C"] for params in found.cv_results_["params"]} <= {0.1, 1.0, 10.0}
    assert found.study_.trials[0].params["clf"] in ("SVC#0", "LogisticRegression#1")


def test_ranges_of_optuna_stay_what_they_are():
    """Step and log are kept."""
    space = {
        "n_estimators": optuna.distributions.IntDistribution(2, 8, step=2),
        "min_impurity_decrease": optuna.distributions.FloatDistribution(1e-6, 1e-2, log=True),
    }
    found = search(RandomForestClassifier(random_state=0), space, cv=2).fit(X, Y)
    held = found.study_.trials[0].distributions
    assert held == space


def test_several_scorers():
    """The sampler follows the one that refit names."""
    found = search(scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss").fit(X, Y)
    values = [trial.value for trial in found.study_.trials]
    np.testing.assert_array_equal(found.cv_results_["mean_test_neg_log_loss"], values)
    assert found.multimetric_


def test_without_refit():
    """The best is known, nothing is refitted, and prediction says why it cannot be had."""
    found = search(refit=False).fit(X, Y)
    assert found.best_params_ == found.study_.best_params
    assert not hasattr(found, "predict")


def test_groups_and_regressors():
    """fit takes groups as GridSearchCV does."""
    rows, target = load_diabetes(return_X_y=True)
    space = {"alpha": {"float": [0.01, 10.0], "log": True}}
    found = search(Ridge(), space, cv=GroupKFold(3))
    assert found.fit(rows, target, groups=np.arange(len(target)) % 5).n_splits_ == 3


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
@pytest.mark.parametrize(("batch", "rows"), [(1, {1.0}), (3, {1.0, -1.0})])
def test_a_candidate_that_fails_does_not_end_the_search(batch, rows):
    """It is a failed trial, and no candidate for the best; a batch of failures has no rows."""
    space = {"C": [1.0, -1.0]}
    with pytest.warns(Warning, match="fits failed"):
        found = search(LINEAR, space, n_trials=6, sampler="random", batch_size=batch).fit(X, Y)
    states = {trial.params["C"]: trial.state.name for trial in found.study_.trials}
    assert states == {1.0: "COMPLETE", -1.0: "FAIL"}
    assert {params["C"] for params in found.cv_results_["params"]} == rows
    assert found.best_params_ == {"C": 1.0}
    trials = found.study_.trials
    for number, params in zip(found.cv_results_["trial"], found.cv_results_["params"], strict=True):
        assert trials[number].params == params


@pytest.mark.filterwarnings("ignore:a suggested batch is left out")
def test_nothing_but_failures_is_an_error():
    """scikit-learn's own message, which says why."""
    with pytest.raises(ValueError, match="fits failed"):
        search(LINEAR, {"C": [-1.0]}).fit(X, Y)


def test_time_runs_out():
    """No candidate is begun after the time, and one always is."""

    class Slow(DummyClassifier):
        """Takes a moment."""

        def fit(self, X, y):
            """Wait, then learn the most frequent class."""
            time.sleep(0.05)
            return super().fit(X, y)

    found = search(Slow(), {"random_state": [0, 1]}, n_trials=50, timeout=0.2).fit(X, Y)
    assert 1 <= len(found.study_.trials) < 10


def test_a_sampler_of_ones_own():
    """It is copied, so that fitting twice gives the same."""
    sampler = optuna.samplers.QMCSampler(seed=3, scramble=True)
    one = search(sampler=sampler)
    first = one.fit(X, Y).cv_results_["params"]
    assert one.fit(X, Y).cv_results_["params"] == first


def test_callbacks_hear_every_batch():
    """scikit-learn's own callback protocol, one task a suggested batch."""

    class Heard:
        """Keeps the names of tasks."""

        max_propagation_depth = None

        def __init__(self):
            self.names = []

        def setup(self, estimator, context):
            """Begin."""

        def teardown(self, estimator, context):
            """End."""

        def on_fit_task_begin(self, estimator, context):
            """Keep the name."""
            self.names.append(context.task_name)

        def on_fit_task_end(self, estimator, context):
            """Go on."""
            return False

    heard = Heard()
    search(batch_size=2).set_callbacks(heard).fit(X, Y)
    assert heard.names.count("search") == 1
    assert heard.names.count("suggested-candidates") == 2


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({}, "must name a parameter"),
        ({"C": {"float": [1, 0.1]}}, "space.C: low must be below high, got"),
        ({"C": {"flaot": [0.1, 1]}}, "did you mean float"),
        ({"C": 3}, "space.C: must be"),
    ],
)
def test_a_wrong_space_is_told_at_fit(space, message):
    """With rule, value and remedy, before anything is fitted; construction stays silent."""
    wrong = search(space=space)
    with pytest.raises(SearchSpaceError, match=message):
        wrong.fit(X, Y)


def test_every_problem_of_a_space_at_once():
    """One line each."""
    with pytest.raises(SearchSpaceError) as caught:
        search(space={"C": [], "tol": {"int": [5, 1]}}).fit(X, Y)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize("wrong", [{"n_trials": 0}, {"sampler": "tqe"}, {"timeout": -1}])
def test_wrong_arguments_are_told_as_scikit_learn_does(wrong):
    """By its own validation, at fit."""
    with pytest.raises(ValueError, match=f"The '{next(iter(wrong))}' parameter"):
        search(**wrong).fit(X, Y)


@pytest.mark.tensorflow
def test_on_digits_with_a_keras_classifier():
    """A network searched inside a pipeline, a condition included."""
    from sweep import KerasMLPClassifier, load_dataset

    digits = load_dataset("digits", train_rows=500, test_rows=300)
    rows, test = digits.x_train.reshape(500, -1), digits.x_test.reshape(300, -1)
    mlp = KerasMLPClassifier(epochs=6, learning_rate=0.01, random_state=0)
    space = {
        "mlp__hidden_size": {"int": [2, 64], "log": True},
        "mlp__optimizer": ["adam", "sgd"],
        "mlp__momentum": {"float": [0.5, 0.95], "when": {"mlp__optimizer": "sgd"}},
    }
    pipe = Pipeline([("scale", StandardScaler()), ("mlp", mlp)])
    found = search(pipe, space, n_trials=5).fit(rows, digits.y_train)
    assert is_classifier(found)
    assert found.score(test, digits.y_test) > 0.85
