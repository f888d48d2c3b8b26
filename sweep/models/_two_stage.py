"""The two-stage network: two convolutions, pooling, dropout; then the same, twice as wide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.models import building_blocks, checks
from sweep.models.kernels import checked_kernel
from sweep.models.layers import Conv, LayerSpec, Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEDY = "take a smaller kernel_size or larger images"


def two_stage(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    filters: int = 32,
    kernel_size: int = 3,
    dense_width: int = 512,
    activation: str = "relu",
    batch_norm: str = "none",
    conv_dropout_rate: float = 0.25,
    dense_dropout_rate: float = 0.5,
    kernel_initializer: str = "glorot_uniform",
    l2: float = 0.0,
    max_norm: float | str = "none",
) -> list[LayerSpec]:
    """Two-stage network: a "same" and a "valid" convolution, pooling; then again, twice as wide.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one row: (features,), (height, width) or (height, width, channels).
    n_classes : int
        Classes, two or more.
    filters : int, default 32
        Filters of the first stage's convolutions; the second stage has twice as many.
    kernel_size : int, default 3
        Height and width of the kernels, 1 or more.
    dense_width : int, default 512
        Width of the dense layer before the last; 0 for none.
    activation : str, default "relu"
        Any activation of Keras by its name, such as elu, gelu, relu, selu, silu, softmax or tanh;
        not glu and threshold, which need more than a name.
    batch_norm : {"none", "before", "after"}, default "none"
        Batch normalization before or after the activation of each convolution.
    conv_dropout_rate : float, default 0.25
        Dropout at the end of both stages; 0 or more, below 1.
    dense_dropout_rate : float, default 0.5
        Dropout after the dense layer; 0 or more, below 1.
    kernel_initializer : str, default "glorot_uniform"
        How the kernels begin: any initializer of Keras by its name, such as he_normal, normal,
        orthogonal or uniform; not constant, identity and stft.
    l2 : float, default 0.0
        Penalty on the sum of the squares of all kernels, 0 or more; 0 is none.
    max_norm : float or "none", default "none"
        Largest norm of the weights that lead to a unit or filter, above 0, kept after every step;
        the last layer has no limit.

    Returns
    -------
    list of LayerSpec
        Layer descriptions.

    Raises
    ------
    ModelError
        For a value that is not allowed.
    """
    shape = checks.row_shape(input_shape)
    kernel = building_blocks.window(checks.whole("kernel_size", kernel_size), shape)
    same = Conv(
        "conv",
        checks.whole("filters", filters),
        kernel,
        padding="same",
        activation=checks.activation(activation),
        kernel=checked_kernel(kernel_initializer, l2, max_norm),
        remedy=REMEDY,
    )
    norm = checks.one_of("batch_norm", batch_norm, checks.BATCH_NORM)
    rate = checks.rate("conv_dropout_rate", conv_dropout_rate)
    layers = building_blocks.as_image(shape)
    for stage in (1, 2):
        width, first = same.filters * stage, 2 * stage - 1
        layers += building_blocks.convolve(same, [width], norm, first)
        layers += building_blocks.convolve(replace(same, padding="valid"), [width], norm, first + 1)
        layers += [Pool(f"pool_{stage}", building_blocks.window(2, shape), remedy=REMEDY)]
        layers += building_blocks.dropout(f"dropout_{stage}", rate)
    return layers + building_blocks.head(
        checks.whole("dense_width", dense_width, low=0),
        same,
        checks.rate("dense_dropout_rate", dense_dropout_rate),
        checks.class_count(n_classes),
    )
