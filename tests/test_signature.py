"""How a factory is called: what sweep passes, what is the factory's own."""

from functools import partial

import numpy as np
import pytest

from sweep.errors import ModelError
from sweep.models import REQUIRED, check_parameters, factory_parameters
from sweep.models.signature import Facts, call_factory, make_meta, read_signature, remedy

FACTS = Facts((8, 8), 10)


def tutorial(optimizer="adam", init="uniform", dropout_rate=0.0):
    return optimizer, init, dropout_rate


def usual(input_shape, n_classes, width=3):
    return input_shape, n_classes, width


def turned(width, n_classes, input_shape=(1,)):
    return width, n_classes, input_shape


def shape_alone(units=4, *, input_shape):
    return units, input_shape


def other_names(shape, num_classes, width=3):
    return shape, num_classes, width


def short_names(s, n):
    return s, n


def with_defaults(shape=(28, 28), classes=10):
    return shape, classes


def anything(*first, **rest):
    return (*first, rest)


def scikeras(hidden, meta, compile_kwargs):
    return hidden, meta["n_features_in_"], sorted(compile_kwargs)


COMPILED = ["loss", "metrics", "optimizer", "run_eagerly"]


@pytest.mark.parametrize(
    ("factory", "params", "own", "result"),
    [
        (
            tutorial,
            {"init": "zeros"},
            {"optimizer": "adam", "init": "uniform", "dropout_rate": 0.0},
            ("adam", "zeros", 0.0),
        ),
        (usual, {}, {"width": 3}, ((8, 8), 10, 3)),
        (turned, {"width": 5}, {"width": REQUIRED}, (5, 10, (8, 8))),
        (shape_alone, {}, {"units": 4}, (4, (8, 8))),
        (other_names, {"width": 7}, {"width": 3}, ((8, 8), 10, 7)),
        (short_names, {}, {}, ((8, 8), 10)),
        (with_defaults, {}, {}, ((8, 8), 10)),
        (anything, {"a": 1}, {}, ((8, 8), 10, {"a": 1})),
        (scikeras, {"hidden": 9}, {"hidden": REQUIRED}, (9, 8, COMPILED)),
        (partial(usual, width=4), {}, {"width": 4}, ((8, 8), 10, 4)),
    ],
)
def test_each_parameter_gets_what_the_rule_says(factory, params, own, result):
    """By name where named, by position where the first two mean shape and classes, else not."""
    assert factory_parameters(factory) == own
    check_parameters(factory, params)
    assert call_factory(factory, FACTS, params) == result


def second_is_not_classes(input_shape, n_neurons=30):
    return input_shape, n_neurons


def weighted(input_shape, class_weight=None):
    return input_shape, class_weight


@pytest.mark.parametrize(
    ("factory", "name"), [(second_is_not_classes, "n_neurons"), (weighted, "class_weight")]
)
def test_the_number_of_classes_is_never_another_parameter(factory, name):
    """A second parameter with another meaning keeps its own value."""
    assert call_factory(factory, FACTS, {name: 12}) == ((8, 8), 12)


def lone(shape): ...


def tuned(hp): ...


def all_of_scikeras(meta, compile_kwargs, params=None): ...


def params_alone(input_shape, params): ...


def own_params(input_shape, params=None): ...


class OfATuner:
    """As KerasTuner's ``HyperModel``."""

    def build(self, hp): ...


class Built:
    """As a Keras model: it can be called."""

    def __call__(self, inputs): ...

    def get_weights(self): ...


def backwards(num_classes, shape): ...


@pytest.mark.parametrize(
    ("factory", "params", "message"),
    [
        (
            tuned,
            {},
            "model.hp: tuned needs a value for it; add one; or, if it draws values (hp",
        ),
        (lone, {}, "model.shape: lone needs a value for it; add one, or call the parameter inpu"),
        (backwards, {}, "model.num_classes: backwards needs a value for it; add one, or call the"),
        (usual, {"input_shape": [8, 8]}, "model.input_shape: sweep passes it to usual: the shape"),
        (other_names, {"shape": [8, 8]}, "model.shape: sweep passes it to other_names: the shape"),
        (scikeras, {"hidden": 1, "meta": {}}, "model.meta: sweep passes it to scikeras: what"),
        (all_of_scikeras, {}, "model.params: SciKeras passes all parameters of its estimator in"),
        (params_alone, {}, "model.params: SciKeras passes all parameters of its estimator in it"),
        (Built(), {"units": 3}, "model.factory: must be the function that builds the model, got a"),
        (OfATuner, {"units": 3}, "model.factory: OfATuner builds its model with build(hp), as Ker"),
        (tutorial, {"n_classes": 3}, "model.n_classes: unknown parameter of tutorial; there are"),
    ],
)
def test_what_sweep_passes_cannot_be_set(factory, params, message):
    """The message says what is passed, or how to be given it."""
    with pytest.raises(ModelError) as error:
        check_parameters(factory, params)
    assert str(error.value).startswith(message)


def test_params_of_a_factory_that_is_not_scikerass_is_its_own():
    """It has a default, and nothing else says SciKeras."""
    check_parameters(own_params, {})
    check_parameters(all_of_scikeras, {"params": {"units": 3}})


def test_every_parameter_is_named_at_once():
    """One line each."""
    with pytest.raises(ModelError) as error:
        check_parameters(usual, {"depth": 1, "n_classes": 3})
    assert [line.partition(":")[0] for line in str(error.value).splitlines()] == [
        "model.depth", "model.n_classes"
    ]  # fmt: skip


def test_a_callable_without_a_signature_is_refused():
    """Some of C's have none."""
    with pytest.raises(ModelError, match="the parameters of type cannot be told"):
        read_signature(type)


def test_meta_has_the_keys_of_scikeras():
    """As its classifier hands them to a factory."""
    labels = np.array(["a", "b", "c"])
    found = make_meta((90, 28, 28), 3, labels, np.uint8)
    assert found["target_type_"] == "multiclass"
    assert found["n_classes_"] == 3
    assert found["n_features_in_"] == 28
    assert found["X_shape_"] == (90, 28, 28)
    assert found["X_dtype_"] == np.uint8
    assert found["y_dtype_"] == labels.dtype
    assert found["n_outputs_"] == found["n_outputs_expected_"] == found["y_ndim_"] == 1
    assert found["classes_"] is labels
    assert make_meta((5, 2), 2)["target_type_"] == "binary"


def test_the_remedy_is_the_line_to_write():
    """With the factory's own parameters in it; or to use what it gets."""
    line = "def tutorial(input_shape, n_classes, optimizer, init, dropout_rate)"
    assert remedy(tutorial).endswith(line)
    assert (
        remedy(other_names) == "build it with the shape and num_classes that the factory is given"
    )
