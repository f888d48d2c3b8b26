"""The estimators as scikit-learn sees them."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sweep import KerasClassifier, KerasCNNClassifier, KerasMLPClassifier, load_dataset
from sweep.errors import ModelError
from sweep.models import factory_parameters
from sweep.spec import TRAINING, estimator_parameters
from sweep.testing import expected_failed_checks

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=400, test_rows=200)
IMAGES, Y = DIGITS.x_train, DIGITS.y_train
FLAT = IMAGES.reshape(len(IMAGES), -1)
FAST = {"scaling": "unit", "random_state": 0, "epochs": 8, "learning_rate": 0.01}
CLASSES = [KerasMLPClassifier, KerasCNNClassifier, KerasClassifier]


def build(input_shape, n_classes, width=8):
    """Return a person's own model."""
    import keras

    inputs = keras.Input(input_shape)
    hidden = keras.layers.Dense(width, activation="relu")(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(hidden))


def sigmoid(input_shape, n_classes, learning_rate=0.01):
    """Return a compiled binary model with one output."""
    import keras

    inputs = keras.Input(input_shape)
    out = keras.layers.Dense(1, activation="sigmoid")(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, out)
    model.compile(keras.optimizers.Adam(learning_rate), "binary_crossentropy", metrics=["accuracy"])
    return model


@parametrize_with_checks(
    [cls() for cls in CLASSES],
    expected_failed_checks=expected_failed_checks,
)
def test_scikit_learns_own_checks(estimator, check):
    """check_estimator passes with the public defaults, declared exceptions aside."""
    check(estimator)


@pytest.mark.parametrize("cls", CLASSES)
def test_checks_are_not_silenced(cls):
    """At most two declared failures, each with its reason; no tag that would excuse more."""
    declared = expected_failed_checks(cls())
    tags = cls().__sklearn_tags__()
    assert len(declared) <= 2
    assert all(len(reason) > 20 for reason in declared.values())
    assert not tags.classifier_tags.poor_score
    assert not any([tags.no_validation, tags.non_deterministic, tags._skip_test])
    assert tags.input_tags.two_d_array


def test_the_cnn_convolves_whatever_the_rows():
    """Also on a few flat features, as scikit-learn's checks have them."""
    rows = np.random.default_rng(0).normal(size=(30, 4))
    model = KerasCNNClassifier(epochs=1).fit(rows, np.arange(30) % 3)
    assert "Conv2D" in [kind for _, kind, _, _ in model.layer_table()]


@pytest.mark.parametrize("cls", [KerasMLPClassifier, KerasCNNClassifier])
def test_parameters_are_those_of_a_study_file(cls):
    """[model] and [space] names are get_params() names, with the defaults the docs show."""
    factory = {"KerasMLPClassifier": "mlp", "KerasCNNClassifier": "cnn"}[cls.__name__]
    params = cls().get_params()
    known = dict(estimator_parameters(factory))
    assert set(known) == set(params) - {"random_state", "checkpoint_epochs", "warm_start"}
    same = {name for name in known if known[name] == params[name]}
    assert set(known) - same <= {"scaling", "padding"}
    assert set(factory_parameters(factory)) | set(TRAINING) == set(known)


@pytest.mark.parametrize("cls", CLASSES)
def test_they_are_classifiers(cls):
    """GridSearchCV therefore stratifies."""
    assert is_classifier(cls())


@pytest.mark.parametrize(
    ("cls", "rows"),
    [
        (KerasMLPClassifier, FLAT),
        (KerasMLPClassifier, IMAGES),
        (KerasCNNClassifier, IMAGES),
        (KerasCNNClassifier, IMAGES[..., None]),
        (KerasCNNClassifier, IMAGES.astype(float)),
        (KerasCNNClassifier, FLAT),
    ],
    ids=lambda x: x.__name__ if isinstance(x, type) else f"{x.shape}{x.dtype}",
)
def test_rows_of_any_shape_are_learned(cls, rows):
    """Flat rows, maps, maps with channels; integers and floats."""
    model = cls(**FAST).fit(rows[:300], Y[:300])
    assert model.score(rows[300:], Y[300:]) > 0.7
    assert model.predict_proba(rows[:7]).shape == (7, 10)
    assert list(model.history_) == ["loss", "accuracy", "seconds"]


def test_image_shape_turns_flat_rows_into_images():
    """The same model, whether rows come flat or as images."""
    flat = KerasCNNClassifier(image_shape=(8, 8), **FAST).fit(FLAT, Y)
    images = KerasCNNClassifier(**FAST).fit(IMAGES, Y)
    np.testing.assert_array_equal(flat.predict_proba(FLAT), images.predict_proba(IMAGES))
    with pytest.raises(ValueError, match=r"image_shape: \(7, 8\) does not hold a row"):
        KerasCNNClassifier(image_shape=(7, 8)).fit(FLAT, Y)


@pytest.mark.parametrize("fast", [True, False])
def test_string_labels_come_back_as_strings(fast):
    """Labels are never numbers where they were names; two classes are enough."""
    names = np.where(Y == 6, "six", "not six")
    model = KerasMLPClassifier(fast=fast, **FAST).fit(IMAGES, names)
    assert model.classes_.tolist() == ["not six", "six"]
    assert set(model.predict(IMAGES[:50])) <= {"six", "not six"}
    assert model.predict_proba(IMAGES[:5]).shape == (5, 2)
    assert model.score(IMAGES, names) > 0.95


@pytest.mark.parametrize("fast", [True, False])
def test_a_factory_of_ones_own(fast):
    """A callable's parameters are the estimator's; a compiled sigmoid model works as it is."""
    model = KerasClassifier(build, width=16, fast=fast, **FAST).fit(IMAGES, Y)
    assert model.get_params()["width"] == 16
    assert model.score(IMAGES, Y) > 0.9
    binary = KerasClassifier(sigmoid, epochs=20, scaling="unit", random_state=0, fast=fast)
    binary.fit(IMAGES, Y == 0)
    assert binary.predict_proba(IMAGES).shape == (400, 2)
    assert binary.score(IMAGES, Y == 0) > 0.97


def test_clone_and_set_params_keep_a_factorys_parameters():
    """What GridSearchCV does to an estimator loses nothing."""
    model = clone(KerasClassifier(build).set_params(width=4))
    assert model.get_params()["width"] == 4
    with pytest.raises(ValueError, match=r"Invalid parameter 'widht'.*\['width'\]"):
        model.set_params(widht=3)


def test_a_model_that_is_none_is_refused():
    """The message lists the models there are."""
    with pytest.raises(ModelError, match="no model named 'cnm'; there are: all_conv, cnn, mlp"):
        KerasClassifier("cnm").fit(IMAGES, Y)


@pytest.mark.parametrize(("name", "value"), [("epochs", 0), ("batch_size", 2.5), ("epochs", True)])
def test_counts_that_are_none_are_refused(name, value):
    """Before anything trains."""
    with pytest.raises(ModelError, match=f"{name}: must be a whole number"):
        KerasMLPClassifier(**{name: value}).fit(IMAGES, Y)


def test_other_rows_than_in_fit_are_refused():
    """Shapes are checked beyond scikit-learn's count of features."""
    model = KerasMLPClassifier(epochs=1).fit(IMAGES, Y)
    with pytest.raises(ValueError, match=r"rows must have shape \(8, 8\) as in fit, got \(8, 4\)"):
        model.predict(IMAGES[:, :, :4])


def test_a_pipeline_a_search_and_a_vote():
    """Plain scikit-learn code, unchanged."""
    reshape = FunctionTransformer(lambda x: np.asarray(x).reshape(len(x), 8, 8))
    pipe = make_pipeline(MinMaxScaler(), reshape, KerasCNNClassifier(filters=8, **FAST))
    pipe.set_params(kerascnnclassifier__scaling=None)
    assert cross_val_score(pipe, FLAT, Y, cv=3).mean() > 0.8
    search = GridSearchCV(KerasMLPClassifier(**FAST), {"hidden_size": [4, 32]}, cv=2).fit(IMAGES, Y)
    assert search.best_params_ == {"hidden_size": 32}
    vote = VotingClassifier([("a", KerasMLPClassifier(**FAST)), ("b", pipe)], voting="soft")
    assert vote.fit(FLAT, Y).score(FLAT, Y) > 0.9


def test_a_pickle_predicts_the_same():
    """State is plain arrays; the compiled model is made again where it is needed."""
    model = KerasCNNClassifier(**FAST).fit(IMAGES, Y)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(again.predict_proba(IMAGES), model.predict_proba(IMAGES))


def test_the_keras_model_is_at_hand():
    """model_ gives the fitted model itself; scaling is the estimator's part."""
    model = KerasMLPClassifier(**FAST).fit(IMAGES, Y)
    output = model.model_.predict(IMAGES.astype("float32") / 255, verbose=0)
    np.testing.assert_allclose(output, model.predict_proba(IMAGES), atol=1e-5)


def test_scikit_learns_callbacks_hear_every_epoch():
    """A callback set on a plain GridSearchCV is told of the epochs of each fit."""

    class Epochs:
        max_propagation_depth = None
        heard = 0

        def setup(self, estimator, context):
            """Begin."""

        def teardown(self, estimator, context):
            """End."""

        def on_fit_task_begin(self, estimator, context):
            """Begin a task."""

        def on_fit_task_end(self, estimator, context):
            """Count epochs."""
            self.heard += context.task_name == "epoch"

    search = GridSearchCV(KerasMLPClassifier(epochs=3), {"hidden_size": [4, 8]}, cv=2, refit=False)
    callback = Epochs()
    search.set_callbacks(callback)
    search.fit(IMAGES, Y)
    assert callback.heard == 2 * 2 * 3


def test_a_fitted_winner_comes_back_from_its_file(tmp_path):
    """Arrays only; a fresh estimator predicts the same."""
    from sweep.errors import LedgerError
    from sweep.estimators.weight_files import load_fitted, save_fitted

    model = KerasMLPClassifier(**FAST).fit(IMAGES, np.where(Y == 6, "six", "not"))
    save_fitted(model, tmp_path / "w.npz")
    again = load_fitted(clone(model), tmp_path / "w.npz")
    np.testing.assert_array_equal(again.predict(IMAGES), model.predict(IMAGES))
    (tmp_path / "w.npz").write_bytes((tmp_path / "w.npz").read_bytes()[:500])
    with pytest.raises(LedgerError, match="damaged"):
        load_fitted(clone(model), tmp_path / "w.npz")


def bare(input_shape, n_classes, compiled=False, units=None):
    """Return a model without softmax at its end."""
    import keras

    inputs = keras.Input(input_shape)
    out = keras.layers.Dense(units or n_classes)(keras.layers.Flatten()(inputs))
    model = keras.Model(inputs, out)
    if compiled:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, metrics=["accuracy"])
    return model


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("compiled", [True, False])
def test_a_model_that_gives_logits_is_trained_and_read_as_such(fast, compiled):
    """Probabilities are probabilities, and it learns as with a softmax."""
    model = KerasClassifier(bare, compiled=compiled, fast=fast, scaling="unit", epochs=30)
    proba = model.fit(IMAGES, Y).predict_proba(IMAGES)
    np.testing.assert_allclose(proba.sum(axis=1), 1, atol=1e-5)
    assert model.score(IMAGES, Y) > 0.85


def test_a_single_logit_is_a_binary_classifier():
    """Beside the sigmoid."""
    model = KerasClassifier(bare, units=1, **{**FAST, "epochs": 30}).fit(IMAGES, Y == 0)
    assert model.score(IMAGES, Y == 0) > 0.95
    assert model.history_["accuracy"][-1] > 0.95


def test_a_model_with_other_outputs_than_classes_is_refused():
    """Both numbers are said."""
    with pytest.raises(ModelError, match=r"has 7 outputs.*10 classes"):
        KerasClassifier(bare, units=7).fit(IMAGES, Y)
