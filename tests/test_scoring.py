"""Scores by the study's classes: which of two is the positive one, and folds that lack some."""

import numpy as np
import pytest
from fakes import FakeClassifier
from sklearn import metrics
from sklearn.datasets import load_digits

from sweep.errors import ModelError
from sweep.evaluation.cross_validation import EvaluationRequest, SearchData, evaluate
from sweep.evaluation.lockstep import evaluate_in_lockstep
from sweep.evaluation.scoring import NEEDS_LABELS, EvaluationError, Scoring
from sweep.spec import SCORERS
from sweep.support.layer import Layer

RANDOM = np.random.default_rng(0)
TWO = np.tile([0, 0, 1], 20)
PROBA = RANDOM.dirichlet((1, 1), 60).astype(np.float32)
OF_POSITIVE = {
    "f1": metrics.f1_score,
    "jaccard": metrics.jaccard_score,
    "precision": metrics.precision_score,
    "recall": metrics.recall_score,
}


def score(name, labels, positive=None):
    """Score the same predictions of 60 rows, their two classes being labelled so."""
    y = np.array(labels)[TWO]
    return Scoring(name, y, positive).scored(np.array(labels), PROBA, y, 1).score


@pytest.mark.parametrize("labels", [(1, 2), (2, 7), (-1, 1), ("healthy", "ill")])
@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.filterwarnings("ignore:'k' .2. greater")
def test_the_second_class_is_positive_whatever_the_labels(name, labels):
    """Every scorer says what it says of the labels 0 and 1."""
    assert score(name, labels) == score(name, (0, 1))


class Says(FakeClassifier):
    """Predict what it is told to."""

    def __init__(self, guess, classes=(1, 2, 4)):
        self.guess, self.classes_ = guess, np.array(classes)

    def predict(self, X):
        return np.asarray(self.guess)

    predict_proba = property()


@pytest.mark.parametrize("guess", [[0, 1, 2], [1, 2, 3], [1, 2, 9], [1, 2, 1.5], ["a", "b", "c"]])
def test_a_label_that_is_none_of_the_data_is_never_taken_for_a_near_one(guess):
    """An estimator that predicts an index where a label is asked for would score by chance."""
    scoring, y = Scoring("accuracy", [1, 2, 4]), np.array([1, 2, 4])
    assert scoring.of_any(Says([1.0, 2.0, 1.0]), np.zeros((3, 1)), y).score == 2 / 3
    with pytest.raises(EvaluationError, match=r"which is none of the data's \(1, 2, 4\)"):
        scoring.of_any(Says(guess), np.zeros((3, 1)), y)


def test_a_scorer_that_finds_no_probabilities_names_the_estimator():
    """It is not our stand-in that lacks them."""
    scoring, y = Scoring("neg_log_loss", [1, 2, 4]), np.array([1, 2, 4])
    with pytest.raises(EvaluationError, match='scoring = "neg_log_loss": Says has none of'):
        scoring.of_any(Says(y), np.zeros((3, 1)), y)
    nameless = Says(y)
    del nameless.classes_
    with pytest.raises(ModelError, match="Says has no classes_ after its fit"):
        scoring.of_any(nameless, np.zeros((3, 1)), y)


@pytest.mark.parametrize("name", OF_POSITIVE)
@pytest.mark.parametrize("positive", [2, 7])
def test_the_positive_class_is_the_one_that_is_named(name, positive):
    """As scikit-learn's function does with ``pos_label``."""
    y, guess = np.array([2, 7])[TWO], np.array([2, 7])[PROBA.argmax(axis=1)]
    assert score(name, (2, 7), positive) == OF_POSITIVE[name](y, guess, pos_label=positive)


@pytest.mark.parametrize("place", [0, 1])
def test_probabilities_are_those_of_the_positive_class(place):
    """Average precision, ROC area and Brier score look at its column."""
    y, column, label = place == TWO, PROBA[:, place], (2, 7)[place]
    assert score("average_precision", (2, 7), label) == metrics.average_precision_score(y, column)
    assert score("roc_auc", (2, 7), label) == metrics.roc_auc_score(y, column)
    assert score("neg_brier_score", (2, 7), label) == -metrics.brier_score_loss(y, column)


# -- classes that a fold has not seen ------------------------------------------------------------

X, Y = load_digits(return_X_y=True)
X, Y = X[np.isin(Y, (1, 3, 8, 9))][:240], Y[np.isin(Y, (1, 3, 8, 9))][:240]
HELD = (np.arange(240) % 3 == 0) | (Y == 3)
DATA = SearchData(X, Y, [(np.flatnonzero(~HELD), np.flatnonzero(HELD))])


class Seeing(FakeClassifier):
    """Takes rows for a class that it has seen, by what stands in one pixel."""

    def predict_proba(self, X):
        """Return 0.7 for that class, and the rest for the others."""
        n = len(self.classes_)
        guess = (np.asarray(X)[:, 20] + self.n_epochs_).astype(int) % n
        return np.where(guess[:, None] == np.arange(n), 0.7, 0.3 / (n - 1)).astype(np.float32)

    def predict(self, X):
        """Return it."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def layer_table(self):
        """Return one layer, larger with every class."""
        return (Layer("dense", "Dense", "", len(self.classes_)),)


def laid_out(estimator, rows):
    """Return a fold's probabilities by all four classes, as cross_val_predict does."""
    table = np.zeros((len(rows), 4))
    table[:, np.searchsorted([1, 3, 8, 9], estimator.classes_)] = estimator.predict_proba(rows)
    return table


def test_a_class_that_a_fold_has_not_seen_has_no_probability():
    """Loss and score are scikit-learn's, of probabilities by the study's classes."""
    (train, test), classes = DATA.splits[0], [1, 3, 8, 9]
    estimator = Seeing().fit(X[train], Y[train])
    assert estimator.classes_.tolist() == [1, 8, 9]
    table, y = laid_out(estimator, X[test]).astype(np.float32), Y[test]
    for name, theirs in {
        "neg_log_loss": -metrics.log_loss(y, table, labels=classes),
        "top_k_accuracy": metrics.top_k_accuracy_score(y, table, labels=classes),
        "roc_auc_ovr": metrics.roc_auc_score(y, table, multi_class="ovr", labels=classes),
        "accuracy": metrics.accuracy_score(y, estimator.predict(X[test])),
        "f1_macro": metrics.f1_score(y, estimator.predict(X[test]), average="macro"),
    }.items():
        found = evaluate(Seeing(), DATA, EvaluationRequest((2,), scoring=name)).splits[0]
        assert found.test[2] == pytest.approx(theirs, rel=1e-6)
        loss = metrics.log_loss(y, table, labels=classes)
        assert found.losses[2] == pytest.approx(loss, rel=1e-6)


@pytest.mark.parametrize("name", [name for name in NEEDS_LABELS if name != "roc_auc_ovr"])
@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_held_out_rows_may_lack_a_class(name):
    """Columns are told by the study's classes, not by those that the rows happen to hold."""
    data = SearchData(X, Y, [(np.arange(120), 120 + np.flatnonzero(Y[120:] != 9))])
    found = evaluate(Seeing(), data, EvaluationRequest((2,), scoring=name))
    assert np.isfinite(found.value)


def test_fits_in_lockstep_see_the_same_classes():
    """A study with a pruner records what the same study records without; the model is whole."""
    data = SearchData(X, Y, [*DATA.splits, (np.arange(120), np.arange(120, 240))])
    asked = EvaluationRequest((2,), train_scores=True)
    whole = evaluate(Seeing(), data, asked)
    steps = evaluate_in_lockstep(Seeing(), data, asked, lambda *_: False, lambda *_: None)
    for one, other in zip(whole.splits, steps.splits, strict=True):
        assert (one.test, one.train, one.losses) == (other.test, other.train, other.losses)
    assert whole.layers == steps.layers == (("dense", "Dense", "", 4),)


@pytest.mark.tensorflow
@pytest.mark.parametrize("weights", [{"3": 5.0}, {3: 5.0, 1: 2.0}, {1: 2.0, "8": 1.0}])
def test_weights_of_a_class_that_a_fold_lacks_leave_the_others_as_they_are(weights):
    """A table that names some classes gives the others 1, in every split and in both ways."""
    from sweep import KerasMLPClassifier

    def mlp(**weight):
        return KerasMLPClassifier(hidden_size=4, epochs=1, scaling="unit", random_state=0, **weight)

    train, test = DATA.splits[0]
    seen = {k: v for k, v in {str(k): v for k, v in weights.items()}.items() if k != "3"}
    plain = mlp(class_weight=seen or None).fit(X[train], Y[train])
    loss = metrics.log_loss(Y[test], laid_out(plain, X[test]).astype(np.float32))
    for found in (
        evaluate(mlp(class_weight=weights), DATA, EvaluationRequest((1,))),
        evaluate_in_lockstep(
            mlp(class_weight=weights),
            DATA,
            EvaluationRequest((1,)),
            lambda *_: False,
            lambda *_: None,
        ),
    ):
        assert found.splits[0].losses[1] == pytest.approx(loss, rel=1e-5)
