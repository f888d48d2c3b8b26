"""How a fit ends, goes on, is weighted and is told about."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV

from sweep import KerasClassifier, KerasMLPClassifier, OptunaSearchCV, load_dataset
from sweep.errors import ModelError
from sweep.estimators.holdout import hold_out
from sweep.spec.parameters import CALLBACKS

pytestmark = pytest.mark.tensorflow

DIGITS = load_dataset("digits", train_rows=400, test_rows=200)
X, Y = DIGITS.x_train, DIGITS.y_train
TEST, TEST_Y = DIGITS.x_test, DIGITS.y_test
MLP = KerasMLPClassifier(hidden_size=32, scaling="unit", random_state=0, learning_rate=0.02)
STOPPING = clone(MLP).set_params(early_stopping=True, epochs=60, n_iter_no_change=3)


def proba(model, **changes):
    """Fit a copy and return its probabilities on the test rows."""
    return clone(model).set_params(**changes).fit(X, Y).predict_proba(TEST)


@pytest.mark.parametrize("fast", [True, False])
def test_early_stopping_keeps_the_best_epoch_and_says_how_many_were_run(fast):
    """It stops n_iter_no_change epochs after the lowest held-out loss."""
    model = clone(STOPPING).set_params(fast=fast).fit(X, Y)
    losses = model.history_["val_loss"]
    assert model.n_epochs_ == len(losses) < 60
    assert model.best_epoch_ == int(np.argmin(losses)) + 1 == model.n_epochs_ - 3
    assert model.score(TEST, TEST_Y) > 0.85


def test_early_stopping_holds_out_rows_of_the_fit_only(monkeypatch):
    """A tenth of the rows handed to fit, of every class; the others are trained on."""
    from sweep.estimators import fit

    seen, real = [], fit.hold_out

    def spy(*args):
        seen.extend(real(*args))
        return tuple(seen)

    monkeypatch.setattr(fit, "hold_out", spy)
    clone(STOPPING).fit(X, Y)
    fit, held = seen
    assert (len(fit), len(held)) == (360, 40)
    assert set(Y[held]) == set(range(10))
    assert sorted([*fit, *held]) == list(range(400))


@pytest.mark.parametrize("epoch", [2, 8, 40, 60])
def test_a_checkpoint_of_a_stopped_fit_equals_a_separate_fit(epoch):
    """Before, at and after the epoch where it stopped."""
    long = clone(STOPPING).set_params(checkpoint_epochs=[2, 8, 40]).fit(X, Y)
    if epoch == 60:
        long.set_params(checkpoint_epochs=[60])
        long.fit(X, Y)
    expected = proba(STOPPING, epochs=epoch)
    np.testing.assert_array_equal(long.at_epoch(epoch).predict_proba(TEST), expected)


def test_warm_start_goes_on():
    """Two fits of two epochs are one of four; without warm_start each begins anew."""
    model = clone(MLP).set_params(warm_start=True, epochs=2).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(TEST), proba(MLP, epochs=4))
    assert model.n_epochs_ == len(model.history_["loss"]) == 4
    again = clone(MLP).set_params(epochs=2).fit(X, Y).fit(X, Y)
    np.testing.assert_array_equal(again.predict_proba(TEST), proba(MLP, epochs=2))


def test_class_weight_is_scikit_learns():
    """A mapping equals the same sample weights; labels may be text, as in a study file."""
    weights = {**dict.fromkeys(range(10), 1.0), 3: 5.0}
    expected = clone(MLP).fit(X, Y, sample_weight=np.where(Y == 3, 5.0, 1.0)).predict_proba(TEST)
    np.testing.assert_array_equal(proba(MLP, class_weight=weights), expected)
    text = {str(label): weight for label, weight in weights.items()}
    np.testing.assert_array_equal(proba(MLP, class_weight=text), expected)
    assert not np.array_equal(proba(MLP, class_weight="balanced"), proba(MLP))


@pytest.mark.parametrize(
    "labels", [np.arange(10), np.arange(10) * 2.0, np.array(list("abcdefghij"))]
)
def test_a_class_weight_may_name_some_classes(labels):
    """The others weigh 1, also in rows that lack the class; a label of no class is refused."""
    y, one = labels[Y], labels[3]
    lacking = y != one
    weighted = clone(MLP).set_params(class_weight={one: 5.0, labels[4]: 2.0})
    ours = weighted.partial_fit(X[lacking], y[lacking], classes=labels).predict_proba(TEST)
    weight = np.where(Y == 4, 2.0, 1.0)[lacking]
    theirs = clone(MLP).partial_fit(X[lacking], y[lacking], classes=labels, sample_weight=weight)
    np.testing.assert_array_equal(ours, theirs.predict_proba(TEST))
    with pytest.raises(ValueError, match=r"class_weight: no class is labelled 77; the labels of "):
        clone(MLP).set_params(class_weight={77: 5.0}).fit(X, y)


def test_rows_of_weight_zero_do_not_count():
    """Wrong labels without weight leave the model as good as it is."""
    wrong = np.concatenate([Y, (Y + 1) % 10])
    weight = np.concatenate([np.ones(400), np.zeros(400)])
    model = clone(MLP).fit(np.concatenate([X, X]), wrong, sample_weight=weight)
    assert model.score(TEST, TEST_Y) > 0.85


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("weight", "rule"),
    [
        (-1.0, r"sample_weight: must be finite numbers from 0, got -1\.0 in row 2 \(1 such rows\)"),
        (np.nan, "sample_weight: must be finite numbers from 0, got nan in row 2"),
        (np.inf, "sample_weight: must be finite numbers from 0, got inf in row 2"),
        (1e39, r"sample_weight: must be finite numbers from 0, got 1e\+39 in row 2"),
        ("all", "sample_weight: at least one row must weigh more than 0"),
        ("class", "those of class 3 all weigh 0"),
        ("held", "rows that early stopping holds out at least one must weigh more than 0"),
    ],
)
def test_weights_that_cannot_weigh_are_refused(fast, weight, rule):
    """Negative, infinite, none at all, none for a class, none in the rows held out."""
    weights, words = np.ones(400), {"fast": fast, "epochs": 1}
    if weight == "all":
        weights[:] = 0
    elif weight == "class":
        weights[Y == 3] = 0
    elif weight == "held":
        words |= {"early_stopping": True, "random_state": 0}
        weights[hold_out(Y, MLP.validation_fraction, 0)[1]] = 0
    else:
        weights[2] = weight
    with pytest.raises(ValueError, match=rule):
        clone(MLP).set_params(**words).fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize("weight", [0, 0.0, -1, np.inf, np.nan, "1", True])
def test_class_weights_that_cannot_weigh_are_refused(weight):
    """Those of an estimator, by the rule of a study file."""
    with pytest.raises(ValueError, match="class_weight: must be a table of weights by label, each"):
        clone(MLP).set_params(class_weight={3: weight}).fit(X, Y)


@pytest.mark.parametrize("weight", [-1.0, np.nan, 0.0])
def test_a_search_refuses_weights_at_once(weight):
    """OptunaSearchCV says it itself, and not that all its fits have failed."""
    search = OptunaSearchCV(clone(MLP), {"hidden_size": [4]}, n_trials=1, cv=2)
    with pytest.raises(ValueError, match=r"^sample_weight: "):
        search.fit(X, Y, sample_weight=np.full(400, weight))


def test_weighted_rows_weigh_the_same_in_keras_own_fit():
    """Fast and plain fit agree with weights, zeros among them."""
    weight = np.random.default_rng(0).choice([0.0, 0.5, 1.0, 4.0], 400)
    fits = [clone(MLP).set_params(epochs=3, fast=f).fit(X, Y, sample_weight=weight) for f in (1, 0)]
    np.testing.assert_allclose(*(model.predict_proba(TEST) for model in fits), atol=1e-4)


def test_a_batch_without_weight_changes_nothing():
    """No division by zero, no NaN."""
    weight = np.zeros(400)
    weight[np.unique(Y, return_index=True)[1]] = 1
    model = clone(MLP).set_params(batch_size=4, epochs=2).fit(X, Y, sample_weight=weight)
    assert np.isfinite(model.predict_proba(TEST)).all()


@pytest.mark.parametrize("fast", [True, False])
def test_keras_callbacks_act_on_the_fit(fast):
    """By name with settings, as a study file has them: the rate falls, the fit stops."""
    plateau = {"name": "ReduceLROnPlateau", "monitor": "loss", "patience": 1, "min_delta": 9.0}
    rates = []

    class Rates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(logs["learning_rate"])

    model = clone(MLP).set_params(epochs=4, fast=fast, callbacks=[plateau, Rates()]).fit(X, Y)
    assert rates == pytest.approx([0.02, 0.02, 0.002, 0.0002])
    assert model.n_epochs_ == 4
    stop = [{"name": "EarlyStopping", "patience": 2, "restore_best_weights": True}]
    stopped = clone(MLP).set_params(epochs=60, fast=fast, callbacks=stop).fit(X, Y)
    assert stopped.n_epochs_ < 60
    assert "val_loss" in stopped.history_


def test_a_callback_for_batches_falls_back_to_keras_own_fit():
    """With a word about why."""
    heard = []

    class Batches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            heard.append(batch)

    model = clone(MLP).set_params(epochs=2, callbacks=[Batches()])
    with pytest.warns(UserWarning, match="Batches must be called at each batch; Keras's own fit"):
        model.fit(X, Y)
    assert heard == [*range(13), *range(13)]


def test_an_unknown_callback_is_refused():
    """And settings that it does not take."""
    with pytest.raises(ModelError, match="Keras has no callback named 'EarlyStoping'"):
        clone(MLP).set_params(callbacks=["EarlyStoping"]).fit(X, Y)
    with pytest.raises(ModelError, match="no 'patienc'; it takes: monitor"):
        clone(MLP).set_params(callbacks=[{"name": "EarlyStopping", "patienc": 2}]).fit(X, Y)


def own_step(input_shape, n_classes):
    """Return a model with a train_step of its own."""

    class Own(keras.Model):
        def train_step(self, data):
            return super().train_step(data)

    inputs = keras.Input(input_shape)
    out = keras.layers.Dense(n_classes, activation="softmax")(keras.layers.Flatten()(inputs))
    return Own(inputs, out)


def test_a_model_with_its_own_train_step_is_trained_by_keras():
    """The fast path says why it cannot take it."""
    model = KerasClassifier(own_step, scaling="unit", epochs=10, learning_rate=0.02)
    with pytest.warns(UserWarning, match="Own has its own train_step"):
        model.fit(X, Y)
    assert model.score(TEST, TEST_Y) > 0.8


def test_scikit_learns_progress_bar_and_scoring_monitor(capsys):
    """A bar on a plain GridSearchCV, a monitor of scores by epoch on the estimator."""
    search = GridSearchCV(clone(MLP).set_params(epochs=3), {"hidden_size": [4]}, cv=2, refit=False)
    search.set_callbacks(ProgressBar())
    search.fit(X, Y)
    assert capsys.readouterr().out.count("KerasMLPClassifier - fit") >= 2
    monitor = ScoringMonitor(scoring="accuracy")
    model = clone(MLP).set_params(epochs=3, checkpoint_epochs=[1, 2]).set_callbacks(monitor)
    model.fit(X, Y)
    scores = {
        row["task_id"] + 1: row["accuracy"]
        for row in monitor.get_logs().data
        if row["task_name"] == "epoch"
    }
    assert scores == {epoch: model.at_epoch(epoch).score(X, Y) for epoch in (1, 2, 3)}


def test_a_data_frame_gives_names_to_the_features():
    """Columns in another order or with other names are refused as scikit-learn does."""
    frame = pd.DataFrame(X.reshape(400, -1)).add_prefix("pixel_")
    model = clone(MLP).fit(frame, Y)
    assert model.feature_names_in_[:2].tolist() == ["pixel_0", "pixel_1"]
    assert model.n_features_in_ == 64
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"pixel_0": "other"}))


def test_metadata_routing_hands_sample_weights_on():
    """GridSearchCV passes them to fit when asked to."""
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        model = clone(MLP).set_params(epochs=1).set_fit_request(sample_weight=True)
        search = GridSearchCV(
            model.set_score_request(sample_weight=True), {"hidden_size": [4]}, cv=2
        )
        search.fit(X, Y, sample_weight=np.ones(400))
    assert search.best_params_ == {"hidden_size": 4}


def test_a_notebook_shows_the_parameters():
    """scikit-learn's own HTML representation."""
    assert "hidden_size" in clone(MLP)._repr_html_()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_mixed_precision_learns_as_well(optimizer):
    """Weights and probabilities stay float32; the score is that of float32 within 0.05."""
    model = clone(MLP).set_params(precision="mixed_bfloat16", optimizer=optimizer, epochs=20)
    model.set_params(learning_rate=0.2 if optimizer == "sgd" else 0.02).fit(X, Y)
    plain = clone(model).set_params(precision="float32").fit(X, Y)
    assert model.score(TEST, TEST_Y) == pytest.approx(plain.score(TEST, TEST_Y), abs=0.05)
    assert {w.dtype.name for w in model._state.weights} == {"float32"}
    assert model.predict_proba(TEST).dtype == np.float32
    assert not np.array_equal(model.predict_proba(TEST), plain.predict_proba(TEST))


def test_every_dropout_rate_shares_one_trace():
    """And a rate of its own is what each fit gets."""
    from sweep.training.engine_cache import engines_built

    before = engines_built()
    results = [proba(MLP, hidden_size=33, dropout_rate=rate, epochs=2) for rate in (0.1, 0.4, 0.8)]
    assert engines_built() == before + 1
    assert not np.array_equal(results[0], results[2])
    slow = proba(MLP, hidden_size=33, dropout_rate=0.8, epochs=2, fast=False)
    np.testing.assert_allclose(results[2], slow, atol=1e-4)


@pytest.mark.parametrize("fast", [True, False])
def test_a_schedule_by_epoch_sets_the_rate_before_the_epoch(fast):
    """LearningRateScheduler, which acts when an epoch begins; it is told the estimator's rate."""
    told, rates = [], []

    def schedule(epoch, rate):
        told.append(rate)
        return 0.01 / (epoch + 1)

    class Rates(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            rates.append(logs["learning_rate"])

    callbacks = [keras.callbacks.LearningRateScheduler(schedule), Rates()]
    clone(MLP).set_params(epochs=3, fast=fast, callbacks=callbacks).fit(X, Y)
    assert told == pytest.approx([0.02, 0.01, 0.005])
    assert rates == pytest.approx([0.01, 0.005, 0.01 / 3])


def test_a_callback_that_only_listens_changes_nothing():
    """The plain fit trains the seeded weights, whoever listens; and the same as the fast one."""
    quiet = [keras.callbacks.Callback()]
    alone, heard, fast = (
        proba(MLP, epochs=2, **words)
        for words in ({"fast": False}, {"fast": False, "callbacks": quiet}, {"callbacks": quiet})
    )
    np.testing.assert_array_equal(alone, heard)
    np.testing.assert_allclose(alone, fast, atol=1e-4)


def test_batches_without_any_weight_are_not_trained_on():
    """One row a batch, half of them weighing nothing: the same in both fits."""
    weight = np.arange(400) % 2
    fits = [
        clone(MLP)
        .set_params(optimizer="sgd", batch_size=1, epochs=1, fast=fast)
        .fit(X, Y, sample_weight=weight)
        for fast in (True, False)
    ]
    np.testing.assert_allclose(*(model.predict_proba(TEST) for model in fits), atol=1e-4)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([ProgressBar()], "set_callbacks"),
        (["ReduceLRonPlateau"], "no callback named 'ReduceLRonPlateau'"),
        ([{"name": "ReduceLROnPlateau", "patienc": 1}], "no 'patienc'; it takes: monitor"),
    ],
)
def test_what_is_no_keras_callback_is_refused_with_the_remedy(given, said):
    """Also a misspelt setting, which Keras itself would take without a word."""
    with pytest.raises(ModelError, match=said):
        clone(MLP).set_params(callbacks=given).fit(X, Y)


def test_the_callbacks_that_a_study_may_name_are_those_of_keras():
    """The list is told without loading Keras; here it is held to it."""
    held = {name for name in dir(keras.callbacks) if name[0].isupper()}
    assert set(CALLBACKS) == held - {"Callback", "CallbackList", "History"}
