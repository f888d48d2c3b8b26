"""Models that Keras's own step trains, in studies: refitted, exported, loaded, gone on with."""

import numpy as np
import pytest

from sweep import load_best, load_dataset, open_study, run_study

pytestmark = pytest.mark.tensorflow

MODELS = """
import keras
import numpy as np

class Halved(keras.Model):
    def train_step(self, data):
        import tensorflow as tf
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape() as tape:
            loss = 0.5 * self.compute_loss(y=y, y_pred=self(x, training=True), sample_weight=weight)
        self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        self._loss_tracker.update_state(loss)
        return {"loss": self._loss_tracker.result()}

def ends(input_shape, n_classes, end, width):
    x = keras.Input(input_shape)
    hidden = keras.layers.Dense(width, "relu")(keras.layers.Flatten()(x))
    return x, keras.layers.Dense(n_classes, end)(hidden)

def stepped(input_shape, n_classes, width=8):
    model = Halved(*ends(input_shape, n_classes, "softmax", width))
    model.compile("adam", loss="sparse_categorical_crossentropy")
    return model

class Two(keras.Model):
    def train_step(self, data):
        import tensorflow as tf
        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(y=y, y_pred=self(x, training=True))
        self.other.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
        return {"loss": loss}

def twofold(input_shape, n_classes, width=8):
    model = Two(*ends(input_shape, n_classes, "softmax", width))
    model.compile("adam", loss="sparse_categorical_crossentropy")
    model.other = keras.optimizers.SGD(0.05, momentum=0.9)
    model.other.build(model.trainable_variables)
    return model

def averaged(input_shape, n_classes, width=8):
    model = keras.Model(*ends(input_shape, n_classes, "softmax", width))
    adam = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model.compile(adam, loss="sparse_categorical_crossentropy")
    return model

def logits(input_shape, n_classes, width=8):
    return keras.Model(*ends(input_shape, n_classes, None, width))

def shares(input_shape, n_classes, width=8):
    model = keras.Model(*ends(input_shape, n_classes, "sigmoid", width))
    model.compile("adam", loss="binary_crossentropy")
    return model
"""

STUDY = """
[study]
name = "engines"
[data]
dataset = "digits"
train_rows = 200
test_rows = 60
[model]
factory = "engines_models:{factory}"
epochs = 3
fast = {fast}
[search]
method = "grid"
cv = 2
[space]
width = [8]
"""

HYPERBAND = """
[study]
name = "bands"
[data]
dataset = "digits"
train_rows = 200
[model]
factory = "{factory}"
epochs = 9
fast = {fast}
[search]
method = "random"
trials = 12
validation = 0.3
refit = false
pruner = {{ name = "hyperband", min_epochs = 1, reduction_factor = 3 }}
[space]
{name} = {{ int = [4, 40] }}
"""


def run(folder, text, **words):
    """Run a study over the models above."""
    (folder / "engines_models.py").write_text(MODELS, "utf-8")
    (folder / "study.toml").write_text(text, "utf-8")
    words = {"allow": ["engines_models"], "n_jobs": 1, **words}
    return run_study(folder / "study.toml", storage=str(folder / "l.db"), **words)


@pytest.mark.filterwarnings("ignore:fast fit not possible")
@pytest.mark.parametrize("fast", ["true", "false"])
@pytest.mark.parametrize("factory", ["stepped", "averaged", "logits", "shares"])
def test_winners_predict_the_same_wherever_they_are_loaded(tmp_path, factory, fast):
    """From the run, from the ledger, from the export; probabilities sum to one."""
    result = run(tmp_path, STUDY.format(factory=factory, fast=fast))
    rows = load_dataset("digits").x_test[:30]
    here = result.best_estimator_.predict_proba(rows)
    np.testing.assert_allclose(here.sum(axis=1), 1, atol=1e-5)
    again = open_study("engines", storage=str(tmp_path / "l.db"), allow=["engines_models"])
    np.testing.assert_array_equal(again.best_estimator_.predict_proba(rows), here)
    if factory != "stepped":  # its class is the person's own
        loaded = load_best(result.export(tmp_path / "out"))
        np.testing.assert_allclose(loaded.predict_proba(rows), here, atol=1e-5)
    assert result.test_score_ == pytest.approx(
        np.mean(again.best_estimator_.predict(load_dataset("digits").x_test[:60]) == labels())
    )


def labels():
    """Return the labels of the first test rows."""
    return load_dataset("digits").y_test[:60]


@pytest.mark.filterwarnings("ignore:fast fit not possible")
@pytest.mark.parametrize(
    ("factory", "name"), [("mlp", "hidden_size"), ("engines_models:averaged", "width")]
)
def test_hyperband_goes_on_alike_in_both_engines(tmp_path, factory, name):
    """The optimizer's state and the averages are kept between rungs: every score within 1e-4."""
    scores = {}
    for fast in ("true", "false"):
        (tmp_path / fast).mkdir()
        text = HYPERBAND.format(factory=factory, fast=fast, name=name)
        folds = run(tmp_path / fast, text).folds
        scores[fast] = folds.set_index(["trial", "epoch"])["test_score"].dropna().sort_index()
    assert len(scores["true"]) > 20
    np.testing.assert_allclose(scores["true"], scores["false"], atol=1e-4)


@pytest.mark.filterwarnings("ignore:fast fit not possible")
def test_a_pause_costs_an_own_train_step_no_state(tmp_path):
    """Its second optimizer's momentum is in no file: such a fit begins anew after a pause."""
    text = HYPERBAND.format(factory="engines_models:twofold", fast="true", name="width")
    text = text.replace("epochs = 9", "epochs = 4").replace("trials = 12", "trials = 8")
    text = text.replace("refit", 'scoring = "neg_log_loss"\nrefit').replace(
        "factor = 3", "factor = 2"
    )
    halving = text.replace('"hyperband"', '"successive_halving"')
    found = run(tmp_path, halving.replace("int = [4, 40]", "int = [8, 16], step = 8"))
    plain = STUDY.format(factory="twofold", fast="true").replace("cv = 2", "validation = 0.3")
    plain = plain.replace("epochs = 3", "epochs = 4").replace("width = [8]", "width = [8, 16]")
    plain = plain.replace("[space]", 'scoring = "neg_log_loss"\nrefit = false\n[space]')
    alone = run(tmp_path, plain.replace("test_rows = 60\n", ""))
    expected, measured = (
        {
            (trial.params["width"], epoch): score
            for trial in result.record.trials
            for split in trial.splits
            for epoch, score in split.test.items()
        }
        for result in (alone, found)
    )
    assert max(epoch for _, epoch in measured) == 4
    assert measured == {place: expected[place] for place in measured}
