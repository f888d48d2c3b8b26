"""The built-in models of the experiments: layers, shapes and parameter counts."""

import numpy as np
import pytest
from model_sizes import COLOUR, IMAGE, kinds, parameters, shapes

from sweep.models import (
    FACTORIES,
    Activation,
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    all_conv,
    cnn,
    count_parameters,
    mlp,
    output_shape,
    two_stage,
    weight_shapes,
)
from sweep.models.kernels import Kernel
from sweep.models.rates import at_any_rate, rates


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


@pytest.mark.parametrize("factory", FACTORIES.values())
def test_kernels_are_asked_of_every_layer_with_one(factory):
    """Initializer and penalty of all, the largest norm of all but the last; none by default."""
    words = {"kernel_initializer": "he_normal", "l2": 0.1, "max_norm": 2}
    layers = [x for x in factory(IMAGE, 10, **words) if isinstance(x, Conv | Dense)]
    assert [layer.kernel for layer in layers[:-1]] == [Kernel("he_normal", 0.1, 2.0)] * (
        len(layers) - 1
    )
    assert layers[-1].kernel == Kernel("he_normal", 0.1, None)
    plain = [x for x in factory(IMAGE, 10) if isinstance(x, Conv | Dense)]
    assert {layer.kernel for layer in plain} == {Kernel("glorot_uniform", 0.0, None)}


def test_second_names_of_an_initializer_are_one_model():
    """Keras gives both the same weights; no limit may be said in two ways."""
    assert mlp((4,), 3, kernel_initializer="zero") == mlp((4,), 3, kernel_initializer="zeros")
    assert mlp((4,), 3, max_norm=None) == mlp((4,), 3, max_norm="none") == mlp((4,), 3, l2=0)


def test_fits_that_differ_in_rates_alone_can_share_a_trace():
    """Dropout, penalty and largest norm are numbers; whether there is one is not."""
    some = cnn(IMAGE, 10, l2=0.1, max_norm=2, dense_dropout_rate=0.3)
    others = cnn(IMAGE, 10, l2=0.2, max_norm=3, dense_dropout_rate=0.4)
    assert rates(some) == (0.1, 2.0, 0.1, 2.0, 0.3, 0.1)
    assert at_any_rate(some) == at_any_rate(others)
    for change in ({"l2": 0}, {"max_norm": "none"}, {"kernel_initializer": "ones"}):
        words = {"l2": 0.1, "max_norm": 2, "dense_dropout_rate": 0.3, **change}
        assert at_any_rate(cnn(IMAGE, 10, **words)) != at_any_rate(some)


def test_numpy_values_are_plain_values():
    """What a sampler or ParameterGrid hands over may be NumPy's."""
    ours = cnn(IMAGE, np.int64(10), filters=np.array([4, 8]), blocks=np.int64(2))
    assert ours == cnn(IMAGE, 10, filters=[4, 8], blocks=2)
    assert mlp((4,), 3, dropout_rate=np.float32(0.5)) == mlp((4,), 3, dropout_rate=0.5)
