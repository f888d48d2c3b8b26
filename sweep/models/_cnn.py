"""The convolutional network: blocks of convolutions, each ended by max pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.errors import ModelError
from sweep.models import building_blocks, checks
from sweep.models.kernels import checked_kernel
from sweep.models.layers import Conv, LayerSpec, Pool

if TYPE_CHECKING:
    from collections.abc import Sequence

AUGMENT = ("none", "flip_shift")


def cnn(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    filters: int | Sequence[int] = 32,
    kernel_size: int = 3,
    convolutions: int = 1,
    blocks: int = 1,
    pool_size: int = 2,
    padding: str = "valid",
    dense_width: int = 128,
    activation: str = "relu",
    batch_norm: str = "none",
    conv_dropout_rate: float | Sequence[float] = 0.0,
    dense_dropout_rate: float = 0.0,
    augment: str = "none",
    kernel_initializer: str = "glorot_uniform",
    l2: float = 0.0,
    max_norm: float | str = "none",
) -> list[LayerSpec]:
    """Convolutional network: blocks of convolutions and max pooling, then a dense layer.

    Rows of shape (height, width) get a channel axis; flat rows are a map one value high, along
    which kernels and pools slide.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one row: (features,), (height, width) or (height, width, channels).
    n_classes : int
        Classes, two or more.
    filters : int or list of int, default 32
        Filters of every convolution, or a list: one value per block, or one per convolution.
    kernel_size : int, default 3
        Height and width of the kernels, 1 or more.
    convolutions : int, default 1
        Convolutions per block, 1 or more.
    blocks : int, default 1
        Blocks, 1 or more.
    pool_size : int, default 2
        Max pooling at the end of each block; 0 or 1 for none.
    padding : {"valid", "same"}, default "valid"
        Padding of convolutions and pools; with "valid" an incomplete last window is dropped.
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
    augment : {"none", "flip_shift"}, default "none"
        Mirror training images left to right at random and shift them by up to a tenth.
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
    per_block = checks.count("convolutions", convolutions)
    n_blocks = checks.count("blocks", blocks, per_block)
    widths = _filters(filters, n_blocks, per_block)
    template = Conv(
        "conv",
        1,
        building_blocks.window(checks.whole("kernel_size", kernel_size), shape),
        padding=checks.one_of("padding", padding, checks.PADDING),
        activation=checks.activation(activation),
        kernel=checked_kernel(kernel_initializer, l2, max_norm),
    )
    norm = checks.one_of("batch_norm", batch_norm, checks.BATCH_NORM)
    pool = checks.whole("pool_size", pool_size, low=0)
    rates = checks.each("conv_dropout_rate", conv_dropout_rate, n_blocks, checks.rate, "blocks")
    layers = building_blocks.as_image(shape)
    layers += building_blocks.augmentation(checks.one_of("augment", augment, AUGMENT), shape)
    for block, rate in enumerate(rates):
        first = block * per_block
        layers += building_blocks.convolve(
            template, widths[first : first + per_block], norm, first + 1
        )
        layers += (
            [Pool(f"pool_{block + 1}", building_blocks.window(pool, shape), template.padding)]
            if pool > 1
            else []
        )
        layers += building_blocks.dropout(f"dropout_{block + 1}", rate)
    return layers + building_blocks.head(
        checks.whole("dense_width", dense_width, low=0),
        template,
        checks.rate("dense_dropout_rate", dense_dropout_rate),
        checks.class_count(n_classes),
    )


def _filters(filters: int | Sequence[int], blocks: int, convolutions: int) -> tuple[int, ...]:
    values = checks.plain(filters)
    if not isinstance(values, list):
        return (checks.whole("filters", values),) * (blocks * convolutions)
    checked = tuple(checks.whole("filters", value) for value in values)
    if len(checked) == blocks:
        return tuple(value for value in checked for _ in range(convolutions))
    if len(checked) == blocks * convolutions:
        return checked
    raise ModelError(
        f"model.filters: a list needs one value per block ({blocks}) or per convolution "
        f"({blocks * convolutions}), got {values}"
    )
