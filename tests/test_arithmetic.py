"""What a prediction costs: multiplications and additions, counted from the layers."""

from dataclasses import replace

import pytest
from records import grid_record

from sweep.analysis import by_cost
from sweep.support.layer import Layer, multiply_adds

CONV = Layer("conv", "Conv2D", "(26, 26, 8)", (9 + 1) * 8)
DENSE = Layer("dense", "Dense", "(64,)", (784 + 1) * 64)
POOL = Layer("pool", "MaxPooling2D", "(13, 13, 8)", 0)


@pytest.mark.parametrize(
    ("layers", "count"),
    [
        ((DENSE,), 785 * 64),
        ((CONV, POOL), 26 * 26 * 80),
        ((CONV, POOL, DENSE), 26 * 26 * 80 + 785 * 64),
        ((Layer("norm", "BatchNormalization", "(5, 5, 2)", 8),), 25 * 8),
        ((Layer("flat", "Flatten", "(784,)", 0),), 0),
        ((DENSE, Layer("cell", "LSTM", "(8,)", 300)), None),
        ((Layer("conv", "Conv2D", "?", 80),), None),
        ((), None),
    ],
)
def test_each_weight_counts_once_at_each_place(layers, count):
    """By hand: 3 x 3 kernels of one channel with a bias; other kinds of layers are not counted."""
    assert multiply_adds(layers) == count


def test_of_equal_weights_less_arithmetic_is_cheaper():
    """Whatever the seconds of the two were, and however the candidates stand in the table."""
    rows = grid_record(epochs=(5,), widths=(32, 64)).candidates
    wide, narrow = (
        replace(row, trial=replace(row.trial, parameters=80, layers=(replace_shape(side),)))
        for row, side in zip(rows, (26, 13), strict=True)
    )
    assert by_cost([wide, narrow]) == by_cost([narrow, wide]) == [narrow, wide]


def replace_shape(side):
    """The convolution with another output."""
    return CONV._replace(output_shape=f"({side}, {side}, 8)")
