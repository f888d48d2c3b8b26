"""Descriptions of layers: output sizes, operations, names."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import ModelError
from sweep.models import (
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    Pool,
    Reshape,
    all_conv,
    cnn,
    count_operations,
    count_parameters,
    describe,
    mlp,
    output_shape,
    two_stage,
    weight_shapes,
)
from sweep.support.layer import total_parameters


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
    assert total_parameters(rows) == count_parameters(layers, shape)


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


def test_describing_loads_no_tensorflow():
    """Shapes and errors come without TensorFlow."""
    code = (
        "import sys; from sweep.models import cnn, describe; describe(cnn((28, 28), 10), (28, 28))"
        "; print({'keras', 'tensorflow', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
