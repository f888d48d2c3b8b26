"""Models with Keras: our shapes and counts are Keras's own."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np
import pytest

from sweep.errors import ModelError
from sweep.models import (
    ACTIVATIONS,
    FACTORIES,
    Conv,
    Dense,
    Flatten,
    LayerSpec,
    Pool,
    build_from,
    build_model,
    cnn,
    count_parameters,
    describe,
    model_layers,
    weight_shapes,
)
from sweep.models.kernels import INITIALIZERS, OTHERS

pytestmark = pytest.mark.tensorflow

SETTINGS = [
    ("mlp", (784,), {}),
    ("mlp", (28, 28), {"hidden_size": [20, 10], "dropout_rate": [0.1, 0.2]}),
    ("mlp", (8, 8, 3), {"hidden_layers": 3, "hidden_size": 7, "batch_norm": "before"}),
    ("mlp", (12,), {"hidden_layers": 2, "batch_norm": "after", "activation": "swish"}),
    ("cnn", (28, 28), {}),
    ("cnn", (28, 28, 1), {"filters": 8, "blocks": 2, "batch_norm": "after"}),
    ("cnn", (32, 32, 3), {"blocks": 2, "convolutions": 2, "padding": "same", "filters": [4, 8]}),
    ("cnn", (27, 31, 3), {"kernel_size": 4, "pool_size": 3, "conv_dropout_rate": 0.25}),
    ("cnn", (28, 28), {"pool_size": 0, "dense_width": 0, "augment": "flip_shift"}),
    ("cnn", (40,), {"kernel_size": 5, "batch_norm": "before", "dense_dropout_rate": 0.5}),
    ("cnn", (2,), {"padding": "same", "pool_size": 1}),
    ("two_stage", (28, 28, 1), {}),
    ("two_stage", (33, 29, 3), {"filters": 3, "dense_width": 9, "batch_norm": "before"}),
    ("two_stage", (50,), {"batch_norm": "after", "kernel_size": 4}),
    ("all_conv", (28, 28, 1), {}),
    ("all_conv", (31, 33, 3), {"blocks": 3, "filters": [2, 3, 4], "batch_norm": "after"}),
    ("all_conv", (31, 32), {"padding": "valid", "kernel_size": 4, "batch_norm": "before"}),
    ("all_conv", (9,), {"conv_dropout_rate": 0.1, "dense_dropout_rate": 0.1}),
]


@pytest.mark.parametrize(("name", "shape", "settings"), SETTINGS)
def test_our_shapes_and_counts_are_those_of_keras(name, shape, settings):
    """Names, kinds, output shapes, parameters and weights agree layer by layer."""
    layers = FACTORIES[name](shape, 10, **settings)
    model = build_model(layers, shape)
    assert model_layers(model) == describe(layers, shape)
    assert model.count_params() == count_parameters(layers, shape)
    assert weight_shapes(layers, shape) == tuple(
        (layer.name, weight.name, tuple(weight.shape))
        for layer in model.layers
        for weight in layer.weights
    )


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernel", [1, 2, 5, (2, 3)])
def test_convolution_and_pool_sizes_are_those_of_keras(kernel, padding, strides):
    """On a map of unequal odd and even sides, with every padding and stride."""
    layers = [Conv("c", 2, kernel, strides, padding), Pool("p", 2, padding), Flatten("f")]
    model = build_model(layers, (13, 10, 1))
    assert model_layers(model) == describe(layers, (13, 10, 1))


def test_e2_weights():
    """The kernels of E2, as Keras holds them."""
    kernels = [tuple(w.shape) for w in build_from("two_stage", (28, 28, 1), 10).weights[::2]]
    assert kernels == [
        *((3, 3, 1, 32), (3, 3, 32, 32), (3, 3, 32, 64), (3, 3, 64, 64)),
        *((1600, 512), (512, 10)),
    ]


@pytest.mark.parametrize("name", FACTORIES)
def test_predictions_are_probabilities(name):
    """Each row of the output is over the classes and sums to one."""
    rows = np.random.default_rng(0).normal(size=(4, 16, 16)).astype("float32")
    out = np.asarray(build_from(name, (16, 16), 3)(rows))
    assert out.shape == (4, 3)
    np.testing.assert_allclose(out.sum(axis=1), 1, rtol=1e-5)


def test_batch_norm_before_and_after_compute_what_they_say():
    """With statistics that shift everything below zero, ReLU after gives 0, ReLU before not."""
    rows = np.ones((1, 6, 6, 1), "float32")
    outputs = {}
    for place in ("before", "after"):
        model = build_from("cnn", (6, 6, 1), 2, {"batch_norm": place, "filters": 2})
        model.get_layer("batch_norm_1").moving_mean.assign([1e3, 1e3])
        import keras

        inner = keras.Model(model.input, model.get_layer("pool_1").output)
        outputs[place] = np.asarray(inner(rows, training=False))
    assert (outputs["before"] == 0).all()
    assert (outputs["after"] < 0).all()


def test_augmentation_is_active_only_in_training():
    """Prediction leaves the image alone, training changes it."""
    import keras

    model = build_from("cnn", (12, 12), 2, {"augment": "flip_shift"})
    images = keras.Model(model.input, model.get_layer("shift").output)
    rows = np.random.default_rng(0).uniform(size=(8, 12, 12)).astype("float32")
    np.testing.assert_array_equal(np.asarray(images(rows, training=False))[..., 0], rows)
    assert not np.allclose(np.asarray(images(rows, training=True))[..., 0], rows)


def test_dropout_is_active_only_in_training():
    """Prediction repeats itself, training drops half of the values."""
    model = build_model(
        [*cnn((8, 8), 2, dense_dropout_rate=0.5, activation="softplus")[:-1]], (8, 8)
    )
    rows = np.ones((2, 8, 8), "float32")
    assert (np.asarray(model(rows, training=False)) > 0).all()
    share = (np.asarray(model(rows, training=True)) == 0).mean()
    assert 0.3 < share < 0.7


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_listed_activation_is_one_of_keras(activation):
    """Fused and on its own, each name builds."""
    for place in ("none", "before"):
        params = {"activation": activation, "batch_norm": place, "hidden_size": 2}
        assert build_from("mlp", (3,), 2, params).count_params() > 0


def test_every_initializer_of_keras_is_listed_or_refused_with_the_reason():
    """Those that are left out need more than a name."""
    from keras.src.initializers import ALL_OBJECTS_DICT

    names = {n for n in ALL_OBJECTS_DICT if isinstance(n, str) and n.islower()} - {"initializer"}
    assert names == set(INITIALIZERS) | set(OTHERS)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_listed_initializer_makes_kernels_of_matrices_and_of_maps(name):
    """Those that Keras makes of that name, and of its second name, under one seed."""
    import keras

    def kernels(written):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(2, 3, kernel_initializer=written),
            keras.layers.Flatten(),
            keras.layers.Dense(3, kernel_initializer=written),
        ])  # fmt: skip
        return model.get_weights()

    keras.utils.set_random_seed(1)
    words = {"kernel_initializer": name, "filters": 2, "pool_size": 1, "dense_width": 0}
    ours = build_from("cnn", (6, 6, 1), 3, words).get_weights()
    for one, other in zip(ours, kernels(name), strict=True):
        np.testing.assert_array_equal(one, other)


def test_penalty_and_largest_norm_are_those_of_keras():
    """A unit's weights lie along the first axis of a matrix, a filter's along the first three."""
    words = {"l2": 0.1, "max_norm": 2, "dense_width": 4}
    model = build_from("cnn", (6, 6, 1), 3, words)
    found = {layer.name: layer for layer in model.layers if hasattr(layer, "kernel")}
    assert {n: float(x.kernel_regularizer.l2) for n, x in found.items()} == dict.fromkeys(
        ("conv_1", "dense", "output"), 0.1
    )
    limits = {n: x.kernel_constraint and x.kernel_constraint.get_config() for n, x in found.items()}
    assert limits == {
        "conv_1": {"max_value": 2.0, "axis": [0, 1, 2]},
        "dense": {"max_value": 2.0, "axis": 0},
        "output": None,
    }


def test_the_model_is_not_compiled():
    """Loss and optimizer are chosen elsewhere."""
    assert not build_from("mlp", (3,), 2).compiled


def test_a_kernel_that_does_not_fit_is_our_error():
    """build_model says which layer, before Keras does."""
    with pytest.raises(ModelError, match="layer conv_1: a 5x5 kernel does not fit its 3x3 input"):
        build_from("cnn", (3, 3), 2, {"kernel_size": 5})


def own_layers(input_shape, n_classes, *, width=4):
    return [Flatten("flat"), Dense("hidden", width, "relu"), Dense("classes", n_classes, "softmax")]


def own_model(input_shape, n_classes, *, width=4):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, activation="relu", name="hidden"),
            keras.layers.Dense(n_classes, activation="softmax", name="classes"),
        ]
    )


def test_an_own_factory_may_return_descriptions():
    """A list of layer descriptions is built."""
    rows = model_layers(build_from(own_layers, (2, 3), 5, {"width": 7}))
    assert rows == (
        ("flat", "Flatten", "(6,)", 0),
        ("hidden", "Dense", "(7,)", 49),
        ("classes", "Dense", "(5,)", 40),
    )


def test_an_own_factory_may_return_a_model():
    """A keras.Model is taken as it is, and read layer by layer."""
    rows = model_layers(build_from(own_model, (6,), 5))
    assert rows == (("hidden", "Dense", "(4,)", 28), ("classes", "Dense", "(5,)", 25))


@pytest.mark.parametrize(
    ("made", "got"),
    [(None, "nothing; end it with return model"), ([], "list"), (["conv"], "list"), (3, "int")],
)
def test_an_own_factory_may_return_nothing_else(made, got):
    """The message names what came back."""

    def factory(input_shape, n_classes):
        return made

    with pytest.raises(ModelError, match=f"must return a keras.Model .* got {got}"):
        build_from(factory, (3,), 2)


def test_parameters_of_an_own_factory_are_checked():
    """A misspelt parameter is answered with the nearest."""
    with pytest.raises(ModelError, match=r"model\.widht: unknown parameter of own_model; did you"):
        build_from(own_model, (3,), 2, {"widht": 3})


def test_a_model_without_input_shape_is_refused():
    """Without keras.Input there are no weights to count."""
    import keras

    model = keras.Sequential([keras.layers.Dense(3, name="first")])
    with pytest.raises(ModelError, match=r"layer first: .* begin the model with keras.Input"):
        model_layers(model)


def test_a_subclassed_model_shows_what_keras_knows():
    """Layers that were never called symbolically have no shape, but parameters."""
    import keras

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(2, name="hidden")

        def call(self, x):
            return self.hidden(x)

    model = Own()
    model(np.zeros((1, 3), "float32"))
    assert model_layers(model) == (("hidden", "Dense", "?", 8),)


def test_a_description_without_keras_layer_is_refused():
    """A person's own description cannot be built; the message says what can."""

    class Strange(LayerSpec):
        pass

    with pytest.raises(ModelError, match="layer odd: no Keras layer stands for Strange"):
        build_model([Strange("odd")], (3,))


def test_every_activation_of_keras_is_known():
    """Those that a name is enough for, and those that it is not."""
    from keras.src.activations import ALL_OBJECTS_DICT

    from sweep.models.checks import OTHERS

    assert {*ACTIVATIONS, *OTHERS} == set(ALL_OBJECTS_DICT)
