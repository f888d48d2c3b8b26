"""The multi-layer perceptron."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.errors import ModelError
from sweep.models import building_blocks, checks
from sweep.models.kernels import checked_kernel
from sweep.models.layers import Dense, Flatten, LayerSpec

if TYPE_CHECKING:
    from collections.abc import Sequence


def mlp(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    hidden_size: int | Sequence[int] = 128,
    hidden_layers: int = 1,
    activation: str = "relu",
    dropout_rate: float | Sequence[float] = 0.0,
    batch_norm: str = "none",
    kernel_initializer: str = "glorot_uniform",
    l2: float = 0.0,
    max_norm: float | str = "none",
) -> list[LayerSpec]:
    """Multi-layer perceptron: dense layers on the flattened row.

    Parameters
    ----------
    input_shape : sequence of int
        Shape of one row: (features,), (height, width) or (height, width, channels).
    n_classes : int
        Classes, two or more.
    hidden_size : int or list of int, default 128
        Width of every hidden layer, or a list with the width of each.
    hidden_layers : int, default 1
        Number of hidden layers, 1 or more. Beside a list of widths: its length, or left at 1.
    activation : str, default "relu"
        Any activation of Keras by its name, such as elu, gelu, relu, selu, silu, softmax or tanh;
        not glu and threshold, which need more than a name.
    dropout_rate : float or list of float, default 0.0
        Dropout after every hidden layer, or a list with the rate of each; 0 or more, below 1.
    batch_norm : {"none", "before", "after"}, default "none"
        Batch normalization before or after the activation of each hidden layer.
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
    sizes = _hidden_sizes(hidden_size, hidden_layers)
    rates = checks.each("dropout_rate", dropout_rate, len(sizes), checks.rate, "hidden layers")
    function = checks.activation(activation)
    kernel = checked_kernel(kernel_initializer, l2, max_norm)
    norm = checks.one_of("batch_norm", batch_norm, checks.BATCH_NORM)
    layers: list[LayerSpec] = [Flatten("flatten")] if len(shape) > 1 else []
    for number, (size, rate) in enumerate(zip(sizes, rates, strict=True), start=1):
        dense = Dense(f"dense_{number}", size, function, kernel)
        layers += building_blocks.normalized(dense, norm, str(number))
        layers += building_blocks.dropout(f"dropout_{number}", rate)
    return [*layers, building_blocks.output(checks.class_count(n_classes), kernel)]


def _hidden_sizes(hidden_size: int | Sequence[int], hidden_layers: int) -> tuple[int, ...]:
    count = checks.count("hidden_layers", hidden_layers)
    sizes = checks.plain(hidden_size)
    if not isinstance(sizes, list):
        return (checks.whole("hidden_size", sizes),) * count
    if not sizes or count not in {1, len(sizes)}:
        raise ModelError(
            f"model.hidden_size: a list needs one width per hidden layer, got {sizes} with "
            f"hidden_layers = {count}; leave hidden_layers out or make both agree"
        )
    return tuple(checks.whole("hidden_size", size) for size in sizes)
