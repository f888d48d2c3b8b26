"""Optimizer settings."""

import pytest

from sweep.errors import ModelError
from sweep.spec import OPTIMIZERS
from sweep.training.optimizers import OptimizerSettings, check_optimizer, make_optimizer


def test_an_unknown_optimizer_names_the_known_ones():
    """The message lists what there is."""
    with pytest.raises(ModelError, match="no optimizer named 'adma'; there are: adadelta, adagrad"):
        check_optimizer(OptimizerSettings("adma"))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"sgd", "rmsprop"}))
def test_momentum_where_it_would_be_ignored_is_refused(name):
    """A setting that changes nothing must not look like one that was tried."""
    with pytest.raises(ModelError, match=f"{name} takes no momentum, got 0.9"):
        check_optimizer(OptimizerSettings(name, momentum=0.9))


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_every_optimizer_can_be_made(name):
    """Each name is Keras's own, at the asked learning rate."""
    optimizer = make_optimizer(OptimizerSettings(name, learning_rate=0.25))
    assert type(optimizer).__name__.lower() == name
    assert float(optimizer.learning_rate.numpy()) == 0.25


@pytest.mark.tensorflow
def test_every_accepted_setting_is_one_that_keras_knows():
    """The table of settings follows Keras's signatures."""
    import inspect

    import keras

    for name in OPTIMIZERS:
        keras_class = type(keras.optimizers.get(name))
        known = set(inspect.signature(keras_class.__init__).parameters)
        assert {s for s in ("momentum", "nesterov") if s in known} == set(OPTIMIZERS[name])


def test_no_weight_decay_is_none_for_adamw_too():
    """Keras's own default there is 0.004."""
    assert make_optimizer(OptimizerSettings("adamw", weight_decay=0.0)).weight_decay == 0.0
    assert make_optimizer(OptimizerSettings("adamw")).weight_decay == 0.004
