"""Factories of one's own: which parameters reach them, and which are refused."""

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from factory_models import (
    LOSS,
    WORDS,
    X,
    Y,
    compiled,
    network,
    proba,
)

from sweep import KerasClassifier, run_study
from sweep.cli.main import cli
from sweep.errors import ModelError

pytestmark = pytest.mark.tensorflow


@pytest.mark.parametrize("fast", [True, False])
def test_a_parameter_that_the_factory_names_reaches_it(fast):
    """Three optimizers, three results; without one, the factory's own default."""
    found = {name: proba(compiled, optimizer=name, fast=fast) for name in ("sgd", "adam", "lion")}
    assert not np.allclose(found["sgd"], found["adam"])
    assert not np.allclose(found["adam"], found["lion"])
    np.testing.assert_array_equal(proba(compiled, fast=fast), found["sgd"])
    slow, quick = (proba(compiled, learning_rate=rate, fast=fast) for rate in (1e-5, 0.5))
    assert not np.allclose(slow, quick)


@pytest.mark.parametrize(
    ("name", "value"),
    [("momentum", 0.9), ("weight_decay", 0.1), ("learning_rate_decay", 0.1), ("nesterov", True)],
)
def test_a_parameter_that_cannot_act_is_refused_by_name(name, value):
    """The factory compiles, and does not name it."""
    with pytest.raises(ModelError, match=f"{name}: the factory compiles its own optimizer"):
        proba(compiled, **{name: value})


def scheduled(input_shape, n_classes):
    """Compile with a schedule."""
    model = network()
    rates = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(keras.optimizers.SGD(rates), loss=LOSS)
    return model


def test_a_rate_beside_a_schedule_is_refused():
    """Two rates would score equally."""
    with pytest.raises(ModelError, match="learning_rate: the factory compiles"):
        proba(scheduled, learning_rate=0.1)


OWN = """
import keras

def build(input_shape, n_classes, optimizer="sgd"):
    layers = keras.layers
    model = keras.Sequential([keras.Input(input_shape), layers.Flatten(),
                              layers.Dense(n_classes, "softmax")])
    model.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model
"""


STUDY = """
[study]
name = "{module}"
[data]
dataset = "digits"
train_rows = 200
test_rows = 60
[model]
factory = "{module}:build"
epochs = 3
[search]
method = "grid"
cv = 2
[space]
{space}
"""


def study(folder, space, module="tutorial"):
    """Write a study over such a factory; return its file."""
    (folder / f"{module}.py").write_text(OWN, "utf-8")
    path = folder / "study.toml"
    path.write_text(STUDY.format(module=module, space=space), "utf-8")
    return path


def test_in_a_study_it_reaches_the_factory_too(tmp_path):
    """The three rows of the table differ."""
    asked = study(tmp_path, 'optimizer = ["sgd", "adam", "rmsprop"]')
    result = run_study(asked, allow=["tutorial"], storage=str(tmp_path / "l.db"), n_jobs=1)
    assert result.frame["mean_test_score"].nunique() == 3


def test_check_refuses_one_that_cannot_act(tmp_path):
    """Before anything trains."""
    asked = study(tmp_path, "momentum = [0.1, 0.9]", "tutorial_two")
    words = ["check", str(asked), "--allow", "tutorial_two", "--storage", str(tmp_path / "l.db")]
    done = CliRunner().invoke(cli, words)
    assert (
        "study.toml: 1 problem space.momentum (line 15): the factory compiles its own"
        in " ".join(done.output.split())
    )


def with_momentum(input_shape, n_classes, learn_rate=0.05, momentum=0.0, nesterov=False):
    """Compile SGD as the momentum tutorial does."""
    model = network()
    model.compile(keras.optimizers.SGD(learn_rate, momentum, nesterov), loss=LOSS)
    return model


def test_momentum_that_the_factory_names_is_not_sweeps():
    """No Adam is anywhere in it."""
    plain, heavy, ahead = (
        proba(with_momentum, **words)
        for words in ({}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True})
    )
    assert not np.allclose(plain, heavy)
    assert not np.allclose(heavy, ahead)


def uncompiled(input_shape, n_classes, optimizer="sgd"):
    """Take an optimizer and leave it."""
    return network()


def test_an_optimizer_that_the_factory_takes_and_does_not_use_is_refused():
    """It would reach nothing."""
    with pytest.raises(ModelError, match="not compiled, so that sweep's optimizer"):
        proba(uncompiled, optimizer="adam")


def neurons_second(input_shape, n_neurons=30):
    """Take something else where the number of classes often stands."""
    return network(width=n_neurons)


def turned(width, n_classes, input_shape):
    """Take them in another order."""
    assert (n_classes, tuple(input_shape)) == (10, (8, 8))
    return network(width=width)


@pytest.mark.parametrize(
    ("factory", "params", "width"),
    [(neurons_second, {}, 30), (neurons_second, {"n_neurons": 5}, 5), (turned, {"width": 7}, 7)],
)
def test_what_sweep_passes_goes_by_name(factory, params, width):
    """In any order, and never into a parameter of another meaning."""
    fitted = KerasClassifier(factory, **WORDS, **params).fit(X, Y)
    assert fitted.model_.layers[1].units == width


def test_a_model_in_place_of_its_function_is_refused():
    """With what to write."""
    with pytest.raises(ModelError, match="the function that builds the model"):
        KerasClassifier(network()).fit(X, Y)
