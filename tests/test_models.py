"""Models without TensorFlow: shapes, parameter counts, operations, errors, the registry."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sweep.models
from sweep.errors import ModelError
from sweep.models import (
    FACTORIES,
    REQUIRED,
    Activation,
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Pool,
    Reshape,
    all_conv,
    check_parameters,
    cnn,
    count_operations,
    count_parameters,
    describe,
    factory_parameters,
    get_factory,
    mlp,
    one_line,
    output_shape,
    two_stage,
    weight_shapes,
)

IMAGE = (28, 28, 1)
COLOUR = (32, 32, 3)


def kinds(layers, input_shape=IMAGE):
    return [kind for _, kind, _, _ in describe(layers, input_shape)]


def parameters(layers, input_shape=IMAGE):
    return [count for *_, count in describe(layers, input_shape) if count]


def shapes(layers, input_shape=IMAGE):
    """Output shape of each layer that changes it."""
    texts = [shape for _, _, shape, _ in describe(layers, input_shape)]
    return [text for before, text in zip([None, *texts], texts, strict=False) if text != before]


# The experiments


def test_e1a_is_conv_flatten_dense():
    """pool_size = 0 and dense_width = 0 leave a convolution and the output."""
    layers = cnn(IMAGE, 2, pool_size=0, dense_width=0)
    assert kinds(layers) == ["Conv2D", "Flatten", "Dense"]
    assert parameters(layers) == [320, 26 * 26 * 32 * 2 + 2]


def test_e1b_adds_a_dense_layer():
    """E1b is E1a with 128 dense units between."""
    layers = cnn(IMAGE, 2, pool_size=0)
    assert kinds(layers) == ["Conv2D", "Flatten", "Dense", "Dense"]
    assert parameters(layers) == [320, 21_632 * 128 + 128, 128 * 2 + 2]


def test_e1c_adds_dropout_after_the_dense_layer():
    """E1c is E1b with dropout before the output, and as many parameters."""
    layers = cnn(IMAGE, 2, pool_size=0, dense_dropout_rate=0.5)
    assert kinds(layers) == ["Conv2D", "Flatten", "Dense", "Dropout", "Dense"]
    assert count_parameters(layers, IMAGE) == count_parameters(cnn(IMAGE, 2, pool_size=0), IMAGE)


@pytest.mark.parametrize("classes", [2, 10])
def test_e1d_and_e3_are_two_convolutions_in_one_block(classes):
    """E1d (two classes) and E3 (ten) are one network."""
    layers = cnn(IMAGE, classes, convolutions=2, conv_dropout_rate=0.25, dense_dropout_rate=0.5)
    assert kinds(layers) == [
        *("Conv2D", "Conv2D", "MaxPooling2D", "Dropout"),
        *("Flatten", "Dense", "Dropout", "Dense"),
    ]
    assert parameters(layers) == [320, 9_248, 12 * 12 * 32 * 128 + 128, 129 * classes]


def test_e2_output_shapes():
    """The two-stage network has the output shapes of E2."""
    assert shapes(two_stage(IMAGE, 10)) == [
        *("(28, 28, 32)", "(26, 26, 32)", "(13, 13, 32)"),
        *("(13, 13, 64)", "(11, 11, 64)", "(5, 5, 64)"),
        *("(1600,)", "(512,)", "(10,)"),
    ]


def test_e2_weight_shapes():
    """The two-stage network has the kernels of E2, each with its bias."""
    rows = weight_shapes(two_stage(IMAGE, 10), IMAGE)
    assert [shape for _, weight, shape in rows if weight == "kernel"] == [
        *((3, 3, 1, 32), (3, 3, 32, 32), (3, 3, 32, 64), (3, 3, 64, 64)),
        *((1600, 512), (512, 10)),
    ]
    assert [shape for _, weight, shape in rows if weight == "bias"] == [
        *((32,), (32,), (64,), (64,), (512,), (10,)),
    ]


def test_e2_dropout_rates():
    """Both stages end in dropout 0.25, the dense layer in 0.5."""
    rates = [layer.rate for layer in two_stage(IMAGE, 10) if isinstance(layer, Dropout)]
    assert rates == [0.25, 0.25, 0.5]


def test_e4_is_two_hidden_layers_with_dropout():
    """E4's third variant: 784 - 512 - 512 - 10 with dropout 0.2 after each hidden layer."""
    layers = mlp((784,), 10, hidden_size=512, hidden_layers=2, dropout_rate=0.2)
    assert kinds(layers, (784,)) == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
    assert parameters(layers, (784,)) == [785 * 512, 513 * 512, 5_130]


def test_e5_net_1_has_filters_by_convolution():
    """conv 32 - conv 64 - maxpool - flatten - dense 128 - dense 10."""
    layers = cnn(IMAGE, 10, filters=[32, 64], convolutions=2)
    assert kinds(layers) == ["Conv2D", "Conv2D", "MaxPooling2D", "Flatten", "Dense", "Dense"]
    assert parameters(layers) == [320, 18_496, 12 * 12 * 64 * 128 + 128, 1_290]


def test_e5_net_2_shrinks_by_strides():
    """No pooling layer: strides take 32 x 32 to 16 x 16 to 8 x 8."""
    layers = all_conv(COLOUR, 10)
    assert "MaxPooling2D" not in kinds(layers, COLOUR)
    assert shapes(layers, COLOUR)[:3] == ["(32, 32, 32)", "(16, 16, 32)", "(8, 8, 32)"]


@pytest.mark.parametrize(("hidden", "expected"), [(32, 25_450), (64, 50_890), (256, 203_530)])
def test_e6_parameter_counts(hidden, expected):
    """784 - hidden - 10 has 785 x hidden + (hidden + 1) x 10 parameters."""
    assert count_parameters(mlp((784,), 10, hidden_size=hidden), (784,)) == expected


def test_e7_perceptron():
    """The large perceptron of E7 has 1,863,690 parameters."""
    layers = mlp((784,), 10, hidden_size=1024, hidden_layers=2, dropout_rate=0.5)
    assert parameters(layers, (784,)) == [803_840, 1_049_600, 10_250]
    assert count_parameters(layers, (784,)) == 1_863_690


def test_e7_small_cnn():
    """The small network of E7 has 61,482 parameters."""
    layers = cnn(IMAGE, 10, blocks=2, dense_width=64)
    assert parameters(layers) == [320, 9_248, 51_264, 650]
    assert count_parameters(layers, IMAGE) == 61_482


def test_e8_normalizes_after_the_activation_of_each_convolution():
    """E8 stands conv - ReLU - batch norm - maxpool twice, and nothing after the dense layer."""
    layers = cnn(IMAGE, 10, filters=8, blocks=2, dense_width=64, batch_norm="after")
    assert kinds(layers) == [
        *("Conv2D", "BatchNormalization", "MaxPooling2D") * 2,
        *("Flatten", "Dense", "Dense"),
    ]
    assert layers[0].activation == "relu"
    kernels = [row[2] for row in weight_shapes(layers, IMAGE) if row[1] == "kernel"]
    assert kernels[:2] == [(3, 3, 1, 8), (3, 3, 8, 8)]


# Factories


def test_batch_norm_before_splits_the_activation_off():
    """Before: the convolution is linear, then batch norm, then the activation."""
    layers = cnn(IMAGE, 10, activation="tanh", batch_norm="before")
    assert layers[:3] == [
        Conv("conv_1", 32, 3),
        BatchNorm("batch_norm_1"),
        Activation("activation_1", "tanh"),
    ]


@pytest.mark.parametrize("factory", FACTORIES.values())
@pytest.mark.parametrize("n_classes", [2, 3, 10])
def test_the_last_layer_is_softmax_over_the_classes(factory, n_classes):
    """Every built-in ends in a softmax, with two classes too."""
    assert factory(IMAGE, n_classes)[-1] == Dense("output", n_classes, "softmax")


@pytest.mark.parametrize("factory", FACTORIES.values())
@pytest.mark.parametrize("shape", [(784,), (28, 28), IMAGE, COLOUR])
def test_every_row_shape_is_taken(factory, shape):
    """Flat rows, grey images without channel axis, and images with channels all do."""
    assert output_shape(factory(shape, 10), shape) == (10,)


def test_flat_rows_become_a_map_one_high():
    """Kernels and pools slide along a flat row."""
    layers = cnn((20,), 3, kernel_size=5)
    assert shapes(layers, (20,))[:3] == ["(1, 20, 1)", "(1, 16, 32)", "(1, 8, 32)"]


def test_mlp_takes_widths_and_rates_by_layer():
    """A list is one value per hidden layer; rate 0 leaves no dropout layer."""
    layers = mlp((4,), 3, hidden_size=[8, 6], dropout_rate=[0.0, 0.5])
    assert [(layer.name, layer.kind) for layer in layers] == [
        *(("dense_1", "Dense"), ("dense_2", "Dense")),
        *(("dropout_2", "Dropout"), ("output", "Dense")),
    ]
    assert layers == mlp((4,), 3, hidden_size=(8, 6), hidden_layers=2, dropout_rate=(0, 0.5))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [(4, [4, 4, 4, 4]), ([4, 8], [4, 4, 8, 8]), ([1, 2, 3, 4], [1, 2, 3, 4])],
)
def test_cnn_takes_filters_by_block_or_by_convolution(filters, expected):
    """One value, one per block, one per convolution."""
    layers = cnn(IMAGE, 10, filters=filters, blocks=2, convolutions=2)
    assert [layer.filters for layer in layers if isinstance(layer, Conv)] == expected


def test_pool_size_1_is_no_pooling():
    """0 and 1 mean the same."""
    assert cnn(IMAGE, 10, pool_size=1) == cnn(IMAGE, 10, pool_size=0)


def test_augmentation_comes_first():
    """flip_shift changes the image before the first convolution, and no shape."""
    layers = cnn(IMAGE, 10, augment="flip_shift")
    assert layers[:2] == [Augment("flip", "flip"), Augment("shift", "shift")]
    assert layers[2:] == cnn(IMAGE, 10)
    assert kinds(layers)[:2] == ["RandomFlip", "RandomTranslation"]


def test_numpy_values_are_plain_values():
    """What a sampler or ParameterGrid hands over may be NumPy's."""
    ours = cnn(IMAGE, np.int64(10), filters=np.array([4, 8]), blocks=np.int64(2))
    assert ours == cnn(IMAGE, 10, filters=[4, 8], blocks=2)
    assert mlp((4,), 3, dropout_rate=np.float32(0.5)) == mlp((4,), 3, dropout_rate=0.5)


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


# Shapes


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


@given(
    size=st.integers(1, 40),
    kernel=st.integers(1, 9),
    strides=st.integers(1, 4),
    padding=st.sampled_from(["same", "valid"]),
)
def test_output_size_of_a_convolution(size, kernel, strides, padding):
    """(input - kernel + 2 * padding) / strides + 1; "same" is as many places as strides allow."""
    conv = Conv("conv", 2, kernel, strides, padding)
    if padding == "same":
        places = len(range(0, size, strides))
    else:
        places = len(range(0, size - kernel + 1, strides))
    if places:
        assert conv.output_shape((size, size, 3)) == (places, places, 2)
    else:
        with pytest.raises(ModelError):
            conv.output_shape((size, size, 3))


settings_of = {
    mlp: st.fixed_dictionaries(
        {"hidden_size": st.integers(1, 9) | st.lists(st.integers(1, 9), min_size=1, max_size=3)}
    ),
    cnn: st.fixed_dictionaries(
        {
            "kernel_size": st.integers(1, 7),
            "convolutions": st.integers(1, 3),
            "blocks": st.integers(1, 3),
            "pool_size": st.integers(0, 4),
            "padding": st.sampled_from(["same", "valid"]),
            "dense_width": st.integers(0, 3),
            "batch_norm": st.sampled_from(["none", "before", "after"]),
        }
    ),
    two_stage: st.fixed_dictionaries({"kernel_size": st.integers(1, 7)}),
    all_conv: st.fixed_dictionaries(
        {
            "kernel_size": st.integers(1, 7),
            "blocks": st.integers(1, 4),
            "padding": st.sampled_from(["same", "valid"]),
        }
    ),
}
any_model = st.sampled_from(list(settings_of)).flatmap(
    lambda factory: st.tuples(st.just(factory), settings_of[factory])
)
any_shape = st.lists(st.integers(1, 30), min_size=1, max_size=3).map(tuple)


@given(model=any_model, shape=any_shape, n_classes=st.integers(2, 5))
def test_a_model_has_positive_sizes_or_is_refused(model, shape, n_classes):
    """describe gives shapes of positive sizes that end in the classes, or raises ModelError."""
    factory, settings = model
    layers = factory(shape, n_classes, **settings)
    try:
        rows = describe(layers, shape)
    except ModelError as error:
        assert "does not fit its" in str(error)  # noqa: PT017 - either outcome is right
        return
    sizes = [int(size) for _, _, text, _ in rows for size in text.strip("(),").split(", ")]
    assert min(sizes) >= 1
    assert output_shape(layers, shape) == (n_classes,)
    assert count_operations(layers, shape) > 0
    assert sum(row[3] for row in rows) == count_parameters(layers, shape)


def test_operations_are_multiply_adds():
    """A convolution multiplies its kernel at each place, a dense layer inputs by units."""
    layers = [Conv("a", 4, 3), Pool("b", 2), Flatten("c"), Dense("d", 5)]
    assert count_operations(layers, (8, 6, 2)) == 6 * 4 * (3 * 3 * 2) * 4 + (3 * 2 * 4) * 5


def test_batch_norm_has_four_weights_and_an_operation_a_value():
    """Scale, shift and the two moving statistics."""
    assert weight_shapes([BatchNorm("norm")], (4, 4, 8)) == (
        ("norm", "gamma", (8,)),
        ("norm", "beta", (8,)),
        ("norm", "moving_mean", (8,)),
        ("norm", "moving_variance", (8,)),
    )
    assert count_operations([BatchNorm("norm")], (4, 4, 8)) == 128


def test_a_pool_that_keeps_the_incomplete_window():
    """Padding "same" rounds up, "valid" down."""
    assert Pool("pool", 2, "same").output_shape((5, 4, 3)) == (3, 2, 3)
    assert Pool("pool", 2).output_shape((5, 4, 3)) == (2, 2, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv("c", 0, 3), "layer c: filters must be at least 1, got 0"),
        (lambda: Conv("c", 1, (3, 0)), "layer c: kernel_size must be at least 1, got 0"),
        (lambda: Conv("c", 1, 3, strides=0), "layer c: strides must be at least 1, got 0"),
        (lambda: Pool("p", 2, "vald"), 'layer p: padding must be "same" or "valid", got "vald"'),
        (lambda: Dense("d", -1), "layer d: units must be at least 1, got -1"),
        (lambda: Dropout("o", 1.0), "layer o: rate must be at least 0 and below 1, got 1.0"),
        (lambda: Augment("a", "x"), 'layer a: change must be "flip" or "shift", got "x"'),
    ],
)
def test_a_description_of_no_layer(make, message):
    """A description that Keras would refuse is refused at once."""
    with pytest.raises(ModelError) as error:
        make()
    assert str(error.value) == message


def test_a_reshape_keeps_the_number_of_values():
    """Twelve values do not become ten."""
    with pytest.raises(ModelError, match=r"layer r: a row of shape \(12,\) cannot become \(5, 2\)"):
        describe([Reshape("r", (5, 2))], (12,))


def test_a_convolution_of_flat_rows_is_refused():
    """A convolution needs height, width and channels."""
    with pytest.raises(ModelError, match=r"layer conv: a kernel needs rows of shape"):
        describe([Conv("conv", 1, 1)], (12,))


def test_names_are_unique():
    """Two layers of one name are refused."""
    with pytest.raises(ModelError, match="layer a: two layers have this name"):
        describe([Flatten("a"), Dense("a", 2)], (12,))


def test_descriptions_are_frozen():
    """A description cannot be changed after it is made."""
    with pytest.raises(FrozenInstanceError):
        Dense("d", 2).units = 3


# Registry and face


def bare(input_shape, n_classes): ...


def too_little(shape): ...


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


def test_a_callable_that_takes_too_little():
    """A factory takes the row's shape and the number of classes."""
    with pytest.raises(ModelError, match=r"must take \(input_shape, n_classes, ...\), got"):
        factory_parameters(too_little)


@pytest.mark.parametrize(
    ("factory", "params", "message"),
    [
        ("mlp", {"hiden_size": 3}, "unknown parameter of mlp; did you mean hidden_size?"),
        (
            "two_stage",
            {"zzz": 3},
            "unknown parameter of two_stage; there are: filters",
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


def test_describing_loads_no_tensorflow():
    """Shapes and errors come without TensorFlow."""
    code = (
        "import sys; from sweep.models import cnn, describe; describe(cnn((28, 28), 10), (28, 28))"
        "; print({'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("name", ["glu", "threshold"])
def test_an_activation_that_a_name_is_not_enough_for(name):
    """It says why, and where it may stand."""
    with pytest.raises(ModelError, match=f'but "{name}" .*; put it into a factory of your own'):
        mlp((4,), 3, activation=name)
