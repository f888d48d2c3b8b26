"""Settings and row shapes that no built-in model can have."""

import pytest
from model_sizes import IMAGE, shapes

from sweep.errors import ModelError
from sweep.models import (
    Conv,
    all_conv,
    cnn,
    count_operations,
    count_parameters,
    describe,
    mlp,
    two_stage,
    weight_shapes,
)


@pytest.mark.parametrize(
    ("factory", "settings", "message"),
    [
        (cnn, {"padding": "vaild"}, 'model.padding: must be "same" or "valid", got "vaild"'),
        (cnn, {"kernel_size": 0}, "model.kernel_size: must be a whole number of at least 1, got 0"),
        (cnn, {"blocks": 1.5}, "model.blocks: must be a whole number of at least 1, got 1.5"),
        (cnn, {"blocks": True}, "model.blocks: must be a whole number of at least 1, got True"),
        (
            cnn,
            {"filters": [1, 2, 3], "blocks": 2, "convolutions": 2},
            (
                "model.filters: a list needs one value per block (2) or per convolution (4), "
                "got [1, 2, 3]"
            ),
        ),
        (
            cnn,
            {"augment": "flip"},
            'model.augment: must be "none" or "flip_shift", got "flip"',
        ),
        (
            two_stage,
            {"batch_norm": True},
            'model.batch_norm: must be "none", "before" or "after", got True',
        ),
        (
            all_conv,
            {"filters": [8, 8, 8]},
            "model.filters: a list needs one value for each of the 2 blocks, got [8, 8, 8]",
        ),
        (
            mlp,
            {"dropout_rate": 1.0},
            "model.dropout_rate: must be a number of at least 0 and below 1, got 1.0",
        ),
        (
            mlp,
            {"dropout_rate": float("nan")},
            "model.dropout_rate: must be a number of at least 0 and below 1, got nan",
        ),
        (
            mlp,
            {"hidden_size": [8, 8], "hidden_layers": 3},
            (
                "model.hidden_size: a list needs one width per hidden layer, got [8, 8] with "
                "hidden_layers = 3; leave hidden_layers out or make both agree"
            ),
        ),
        (
            mlp,
            {"hidden_size": [8, 8], "dropout_rate": [0.1]},
            "model.dropout_rate: a list needs one value for each of the 2 hidden layers, got [0.1]",
        ),
        (
            mlp,
            {"l2": -0.1},
            "model.l2: must be a number of at least 0 (0 is no penalty), got -0.1",
        ),
        (
            cnn,
            {"l2": "small"},
            'model.l2: must be a number of at least 0 (0 is no penalty), got "small"',
        ),
        (
            two_stage,
            {"max_norm": 0},
            'model.max_norm: must be a number above 0, or "none" for no limit, got 0',
        ),
        (
            all_conv,
            {"max_norm": True},
            'model.max_norm: must be a number above 0, or "none" for no limit, got True',
        ),
        (
            cnn,
            {"kernel_initializer": "identity"},
            (
                "model.kernel_initializer: must be an initializer for any kernel, but "
                '"identity" is no kernel of a convolution; put it into a factory of your own'
            ),
        ),
    ],
)
def test_a_value_that_is_not_allowed(factory, settings, message):
    """The message names the parameter, the rule and the value."""
    with pytest.raises(ModelError) as error:
        factory(IMAGE, 10, **settings)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("factory", "settings", "named"),
    [
        (mlp, {"hidden_layers": 2**62}, "hidden_layers"),
        (cnn, {"blocks": 10**9}, "blocks"),
        (cnn, {"convolutions": 10**9}, "convolutions"),
        (cnn, {"blocks": 100, "convolutions": 100}, "blocks"),
        (all_conv, {"blocks": 10**9}, "blocks"),
    ],
)
def test_a_model_without_end_is_refused_at_once(factory, settings, named):
    """Layers are counted before they are listed, or the list would fill the memory."""
    with pytest.raises(ModelError, match=rf"model\.{named}: a model may have at most 1000"):
        factory(IMAGE, 10, **settings)


def test_an_activation_misspelt_is_answered_with_a_suggestion():
    """The list, the value, the nearest name."""
    with pytest.raises(ModelError) as error:
        mlp((4,), 3, activation="ReLu")
    assert str(error.value).startswith("model.activation: must be one of celu, elu,")
    assert str(error.value).endswith('got "ReLu"; did you mean "relu"?')


@pytest.mark.parametrize(
    ("written", "near"),
    [("HeNormal", "he_normal"), ("glorot", "glorot_normal"), ("zeroes", "zeros")],
)
def test_an_initializer_misspelt_is_answered_with_a_suggestion(written, near):
    """The list, the value, the nearest name."""
    with pytest.raises(ModelError) as error:
        mlp((4,), 3, kernel_initializer=written)
    assert str(error.value).startswith("model.kernel_initializer: must be one of glorot_normal,")
    assert str(error.value).endswith(f'got "{written}"; did you mean "{near}"?')


@pytest.mark.parametrize("shape", [(), (0,), (28, -1), (2, 2, 2, 2), (None, 3)])
def test_a_row_shape_that_is_none(shape):
    """A row has one to three positive sizes."""
    with pytest.raises(ModelError, match="input_shape: must be"):
        mlp(shape, 3)


@pytest.mark.parametrize("n_classes", [0, 1, 2.5, True])
def test_too_few_classes(n_classes):
    """A classifier needs two classes."""
    with pytest.raises(ModelError, match="n_classes: a model needs at least 2 classes"):
        mlp((4,), n_classes)


def test_flat_rows_are_not_augmented():
    """Only images can be mirrored."""
    with pytest.raises(ModelError, match=r'model\.augment: must be "none" for flat rows'):
        cnn((784,), 10, augment="flip_shift")


def test_a_kernel_that_does_not_fit_names_the_layer():
    """The message names the layer, both sizes and three ways out."""
    layers = cnn((8, 8), 10, kernel_size=3, blocks=3, pool_size=0)
    assert shapes(layers, (8, 8))[3] == "(2, 2, 32)"
    layers = cnn((7, 7), 10, kernel_size=3, blocks=4, pool_size=0)
    with pytest.raises(ModelError) as error:
        describe(layers, (7, 7))
    assert str(error.value) == (
        "layer conv_4: a 3x3 kernel does not fit its 1x1 input; "
        'take a smaller kernel_size, fewer blocks, or padding = "same"'
    )


def test_a_pool_that_does_not_fit_names_the_layer():
    """The message names the layer, both sizes and the way out."""
    with pytest.raises(ModelError) as error:
        describe(cnn((8, 8), 10, blocks=2, kernel_size=1, pool_size=3), (8, 8))
    assert str(error.value) == (
        "layer pool_2: a 3x3 pool does not fit its 2x2 input; "
        "take a smaller pool_size or fewer blocks"
    )


def test_the_remedy_is_one_that_the_factory_has():
    """two_stage has neither blocks nor padding to change."""
    with pytest.raises(ModelError) as error:
        count_parameters(two_stage((8, 8), 10, kernel_size=5), (8, 8))
    assert str(error.value) == (
        "layer conv_4: a 5x5 kernel does not fit its 2x2 input; "
        "take a smaller kernel_size or larger images"
    )


@pytest.mark.parametrize("measure", [describe, weight_shapes, count_parameters, count_operations])
def test_every_measure_raises_where_a_kernel_does_not_fit(measure):
    """No number is given for a model that cannot be."""
    with pytest.raises(ModelError, match="conv_1"):
        measure([Conv("conv_1", 4, 5)], (3, 3, 1))


@pytest.mark.parametrize("name", ["glu", "threshold"])
def test_an_activation_that_a_name_is_not_enough_for(name):
    """It says why, and where it may stand."""
    with pytest.raises(ModelError, match=f'but "{name}" .*; put it into a factory of your own'):
        mlp((4,), 3, activation=name)
