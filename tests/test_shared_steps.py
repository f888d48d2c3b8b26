"""Steps of a pipeline, fitted once per split; any classifier, scored as scikit-learn scores it."""

import numpy as np
import pytest
from own_estimators import Careless, Tables, linear, tree
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from sweep import KerasMLPClassifier, load_dataset
from sweep.errors import ModelError
from sweep.evaluation.cross_validation import EvaluationRequest, SearchData
from sweep.evaluation.estimator_fits import evaluate_any, evaluate_with
from sweep.evaluation.own_estimator import with_seed
from sweep.evaluation.pipeline_parts import parts_of
from sweep.evaluation.repeatability import why_unrepeatable
from sweep.evaluation.shared_steps import SharedSteps, data_of

DIGITS = load_dataset("digits", train_rows=240, test_rows=60)
X, Y = DIGITS.x_train.reshape(240, -1), DIGITS.y_train
SPLITS = list(StratifiedKFold(3).split(X, Y))
DATA = SearchData(X, Y, SPLITS)
ONE = EvaluationRequest((1,))


def scores(found):
    """Return the score of each split."""
    return [split.test[1] for split in found.splits]


def measured(pipeline, params, shared):
    """Return the scores of a candidate of a pipeline."""
    parts = parts_of(pipeline.set_params(**params))
    return scores(evaluate_with(parts)(parts.last, data_of(parts, DATA, params, shared), ONE, ()))


def candidates():
    """Return a small grid over two steps."""
    return [{"pca__n_components": n, "clf__C": c} for n in (5, 10) for c in (0.1, 1.0)]


def test_steps_are_fitted_once_per_split_and_the_scores_are_the_same():
    """With what is kept, without, and by scikit-learn itself."""
    shared, none = SharedSteps(), SharedSteps(0)
    with_, without = (
        [measured(linear(), p, each) for p in candidates()] for each in (shared, none)
    )
    assert with_ == without
    theirs = [
        cross_validate(linear().set_params(**p), X, Y, cv=SPLITS)["test_score"].tolist()
        for p in candidates()
    ]
    assert with_ == theirs
    assert none.fits == 4 * 3 * 2
    assert shared.fits == 3 * (1 + 2)  # one scaler, a PCA for each of its two sizes


def test_what_is_kept_has_room():
    """The longest unused goes; scores stay the same."""
    small = SharedSteps(room=200_000)
    found = [measured(linear(), p, small) for p in candidates()]
    assert small._bytes <= 200_000
    assert small.fits > 9
    assert found == [measured(linear(), p, SharedSteps()) for p in candidates()]


def test_a_step_that_changes_its_rows_changes_no_other_candidates():
    """What is kept is handed over as a copy."""
    steps = [("pca", PCA(10)), ("scale", StandardScaler(copy=False)), ("clf", RidgeClassifier())]
    shared = SharedSteps()
    grid = [{"clf__alpha": a, "scale__with_mean": m} for a in (0.1, 1.0) for m in (True, False)]
    found = [measured(Pipeline(steps), p, shared) for p in grid]
    assert found == [measured(Pipeline(steps), p, SharedSteps(0)) for p in grid]


def test_a_candidate_that_leaves_a_step_out_takes_no_rows_of_one_that_has_it():
    """Where a condition leaves it out, the parameters of the steps behind it are the same."""

    def steps():
        return Pipeline([("pca", PCA(5)), ("scale", StandardScaler()), ("clf", RidgeClassifier())])

    for grid in ([{}, {"pca": "passthrough"}], [{"pca": "passthrough"}, {}]):
        shared = SharedSteps()
        found = [measured(steps(), params, shared) for params in grid]
        assert found == [measured(steps(), params, SharedSteps(0)) for params in grid]
        assert found[0] != found[1]


def test_a_sparse_matrix_before_a_classifier_of_sweeps_is_refused_with_the_remedy():
    """A Keras model takes arrays."""
    codes = OneHotEncoder(handle_unknown="ignore")
    steps = [("codes", codes), ("clf", KerasMLPClassifier(epochs=1))]
    parts = parts_of(Pipeline(steps))
    data = data_of(parts, SearchData(X[:, 20:24], Y, SPLITS), {}, None)
    with pytest.raises(ModelError, match=r"hand on a sparse matrix.*sparse_output=False"):
        evaluate_with(parts)(parts.last, data, ONE, ())


def test_a_step_that_draws_has_the_seed_of_the_fit():
    """Under another seed it is fitted anew."""
    steps = [("pca", PCA(5, svd_solver="randomized", random_state=0)), ("clf", SVC())]
    parts, shared = parts_of(Pipeline(steps)), SharedSteps()
    data = data_of(parts, DATA, {}, shared)
    zero, one = (data.rows(0, seed).x_held for seed in (0, 1))
    assert shared.fits == 2
    alone = with_seed(PCA(5, svd_solver="randomized", random_state=0), 1).fit(X[SPLITS[0][0]])
    np.testing.assert_array_equal(one, alone.transform(X[SPLITS[0][1]]))
    assert not np.array_equal(zero, one)


@pytest.mark.parametrize(
    "classifier",
    [
        tree().set_params(random_state=0),
        KNeighborsClassifier(3),
        RidgeClassifier(),
        SVC(decision_function_shape="ovo"),
        CalibratedClassifierCV(RidgeClassifier(), cv=2),
    ],
    ids=lambda each: type(each).__name__,
)
def test_any_classifier_is_scored_as_scikit_learn_does(classifier):
    """With probabilities, with decisions, with predictions only; training rows too."""
    for scoring in ("accuracy", "f1_macro", "balanced_accuracy"):
        request = EvaluationRequest((1,), scoring, train_scores=True)
        found = evaluate_any(classifier, DATA, request)
        theirs = cross_validate(
            classifier, X, Y, cv=SPLITS, scoring=scoring, return_train_score=True
        )
        assert scores(found) == theirs["test_score"].tolist()
        assert [each.train[1] for each in found.splits] == theirs["train_score"].tolist()
        assert found.value == np.mean(theirs["test_score"])
    assert bool(found.splits[0].losses) == hasattr(classifier, "predict_proba")


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision", "neg_log_loss", "f1"])
@pytest.mark.parametrize("classifier", [linear(), tree().set_params(random_state=0)])
def test_two_classes_are_scored_with_the_right_one_positive(scoring, classifier):
    """By default the second, as in scikit-learn; with the first one positive, labels turned."""
    y = (Y > 4).astype(int)
    for positive, labels in ((None, y), (0, 1 - y)):
        data = SearchData(X, y, SPLITS, positive)
        theirs = cross_validate(classifier, X, labels, cv=SPLITS, scoring=scoring)["test_score"]
        found = evaluate_any(classifier, data, EvaluationRequest((1,), scoring))
        assert scores(found) == pytest.approx(theirs.tolist(), abs=0.02 if positive == 0 else 1e-12)


def test_a_class_that_a_split_does_not_train_on_counts_as_wrong():
    """Its probability is 0 and its decision the lowest."""
    train = np.flatnonzero(Y != 9)[:150]
    test = np.setdiff1d(np.arange(len(Y)), train)
    data = SearchData(X, Y, [(train, test)])
    for classifier in (LogisticRegression(), RidgeClassifier()):
        fitted = classifier.fit(X[train], Y[train])
        (score,) = scores(evaluate_any(classifier, data, ONE))
        assert score == np.mean(fitted.predict(X[test]) == Y[test])
    request = EvaluationRequest((1,), "top_k_accuracy")
    assert 0 < evaluate_any(RidgeClassifier(), data, request).value < 1


def test_seeds_are_those_of_the_study_and_up():
    """A fit under the second seed has every ``random_state`` plus one."""
    found = evaluate_any(tree().set_params(random_state=3), DATA, EvaluationRequest((1,), seeds=2))
    assert [(each.seed, each.split) for each in found.splits] == [
        (seed, split) for seed in (0, 1) for split in range(3)
    ]
    theirs = cross_validate(tree().set_params(random_state=4), X, Y, cv=SPLITS)["test_score"]
    assert scores(found)[3:] == theirs.tolist()


def test_two_fits_under_one_seed_are_compared():
    """What draws on its own is named; what has a seed, or draws globally, is not."""
    for classifier, says in ((Careless(), "two fits of Careless"), (tree(), ""), (Tables(), "")):
        seeded = classifier
        if "random_state" in classifier.get_params():
            seeded = classifier.set_params(random_state=0)
        why = why_unrepeatable(parts_of(seeded), DATA, 0)
        assert why.startswith(says) if says else why == ""


def test_a_pipeline_of_another_class_is_fitted_as_a_whole():
    """It may fit otherwise than scikit-learn's."""

    class Other(Pipeline):
        pass

    assert parts_of(Other(linear().steps)).steps == ()
    parts = parts_of(linear().set_params(pca="passthrough"))
    assert [name for name, _ in parts.steps] == ["scale"]
    assert parts.prefix == "clf__"


def test_rows_on_the_disk_give_the_same(tmp_path):
    """Scikit-learn's steps get them as an array."""
    from sweep.datasets.mapped_rows import ArrayFile, MappedRows

    X.tofile(tmp_path / "x")
    file = ArrayFile(tmp_path / "x", X.shape, X.dtype.str)
    mapped = SearchData(MappedRows(file), Y, SPLITS)
    parts = parts_of(linear())
    for data in (mapped, DATA):
        through = data_of(parts, data, {}, None)
        found = scores(evaluate_with(parts)(parts.last, through, ONE, ()))
        assert found == measured(linear(), {}, None)
    assert scores(evaluate_any(KNeighborsClassifier(3), mapped, ONE)) == scores(
        evaluate_any(KNeighborsClassifier(3), DATA, ONE)
    )
