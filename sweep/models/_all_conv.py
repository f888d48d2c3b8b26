"""The all-convolutional network: strides shrink the maps, nothing pools."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.models import building_blocks, checks
from sweep.models.kernels import checked_kernel
from sweep.models.layers import Conv, LayerSpec

if TYPE_CHECKING:
    from collections.abc import Sequence


def all_conv(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    filters: int | Sequence[int] = 32,
    kernel_size: int = 3,
    blocks: int = 2,
    padding: str = "same",
    dense_width: int = 128,
    activation: str = "relu",
    batch_norm: str = "none",
    conv_dropout_rate: float | Sequence[float] = 0.0,
    dense_dropout_rate: float = 0.0,
    kernel_initializer: str = "glorot_uniform",
    l2: float = 0.0,
    max_norm: float | str = "none",
) -> list[LayerSpec]:
    """All-convolutional network: convolutions with stride 2 shrink the maps, nothing pools.

    After Springenberg et al., "Striving for Simplicity: The All Convolutional Net" (2014), with
    a dense layer at the end.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one row: (features,), (height, width) or (height, width, channels).
    n_classes : int
        Classes, two or more.
    filters : int or list of int, default 32
        Filters of every convolution, or a list with one value per block.
    kernel_size : int, default 3
        Height and width of the kernels, 1 or more.
    blocks : int, default 2
        Blocks of one convolution with stride 1 and one with stride 2; 1 or more.
    padding : {"same", "valid"}, default "same"
        Padding of the convolutions.
    dense_width : int, default 128
        Width of the dense layer before the last; 0 for none.
    activation : str, default "relu"
        Any activation of Keras by its name, such as elu, gelu, relu, selu, silu, softmax or tanh;
        not glu and threshold, which need more than a name.
    batch_norm : {"none", "before", "after"}, default "none"
        Batch normalization before or after the activation of each convolution.
    conv_dropout_rate : float or list of float, default 0.0
        Dropout at the end of every block, or a list with the rate of each; 0 or more, below 1.
    dense_dropout_rate : float, default 0.0
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
    count = checks.count("blocks", blocks)
    widths = checks.each("filters", filters, count, checks.whole, "blocks")
    rates = checks.each("conv_dropout_rate", conv_dropout_rate, count, checks.rate, "blocks")
    template = Conv(
        "conv",
        1,
        building_blocks.window(checks.whole("kernel_size", kernel_size), shape),
        padding=checks.one_of("padding", padding, checks.PADDING),
        activation=checks.activation(activation),
        kernel=checked_kernel(kernel_initializer, l2, max_norm),
    )
    norm = checks.one_of("batch_norm", batch_norm, checks.BATCH_NORM)
    layers = building_blocks.as_image(shape)
    for block, (width, rate) in enumerate(zip(widths, rates, strict=True), start=1):
        layers += building_blocks.convolve(template, [width], norm, 2 * block - 1)
        layers += building_blocks.convolve(replace(template, strides=2), [width], norm, 2 * block)
        layers += building_blocks.dropout(f"dropout_{block}", rate)
    return layers + building_blocks.head(
        checks.whole("dense_width", dense_width, low=0),
        template,
        checks.rate("dense_dropout_rate", dense_dropout_rate),
        checks.class_count(n_classes),
    )
