"""Model factories by name: their parameters, and the names of the package."""

import pytest

import sweep.models
from sweep.errors import ModelError
from sweep.models import (
    FACTORIES,
    REQUIRED,
    check_parameters,
    factory_parameters,
    get_factory,
    one_line,
)


def bare(input_shape, n_classes): ...


def own(input_shape, n_classes, *, width, depth=2, **rest):
    """Own network."""


def test_factory_parameters_are_the_signature_without_the_first_two():
    """A built-in by name."""
    assert factory_parameters("mlp") == {
        "hidden_size": 128,
        "hidden_layers": 1,
        "activation": "relu",
        "dropout_rate": 0.0,
        "batch_norm": "none",
        "kernel_initializer": "glorot_uniform",
        "l2": 0.0,
        "max_norm": "none",
    }


def test_factory_parameters_of_an_own_callable():
    """A person's function: required parameters are marked, the rest of the kind is left out."""
    assert factory_parameters(own) == {"width": REQUIRED, "depth": 2}


@pytest.mark.parametrize("name", FACTORIES)
def test_every_parameter_is_documented(name):
    """Each parameter of each built-in stands in its docstring, with its default."""
    for parameter, default in factory_parameters(name).items():
        text = FACTORIES[name].__doc__
        shown = f'"{default}"' if isinstance(default, str) else default
        line = next(line for line in text.splitlines() if line.startswith(f"    {parameter} : "))
        assert line.endswith(f", default {shown}")


@pytest.mark.parametrize("name", FACTORIES)
def test_every_factory_has_one_line(name):
    """``sweep models`` has a sentence for each."""
    assert one_line(name).endswith(".")


def test_one_line_of_an_undocumented_function():
    """Nothing said is the empty string."""
    assert not one_line(bare)


def test_an_unknown_model_is_answered_with_the_list():
    """The message lists what there is."""
    with pytest.raises(ModelError) as error:
        get_factory("cnm")
    assert str(error.value) == (
        'model.factory: no model named "cnm"; there are: all_conv, cnn, mlp, two_stage'
    )


@pytest.mark.parametrize(
    ("factory", "params", "message"),
    [
        (
            "mlp",
            {"hiden_size": 3},
            'unknown parameter of model "mlp", did you mean hidden_size? (a factory of',
        ),
        (
            "two_stage",
            {"zzz": 3},
            'unknown parameter of model "two_stage"; there are: activation, batch_norm',
        ),
        (own, {"depth": 3}, "model.width: own needs a value for it; add one"),
    ],
)
def test_parameters_that_a_factory_does_not_take(factory, params, message):
    """The message names the parameter and what it may be."""
    with pytest.raises(ModelError) as error:
        check_parameters(factory, params)
    assert message in str(error.value)


def test_variable_parameters_take_any_name():
    """A function with ``**rest`` takes what it is given."""
    check_parameters(own, {"width": 1, "anything": 2})


def test_the_face_is_sorted_and_complete():
    """``__all__`` is pinned to what can be imported."""
    names = sweep.models.__all__
    constants = sorted(name for name in names if name.isupper())
    classes = sorted(name for name in names if not name.isupper() and name[0].isupper())
    functions = sorted(name for name in names if name[0].islower())
    assert names == constants + classes + functions
    assert all(hasattr(sweep.models, name) for name in names)
