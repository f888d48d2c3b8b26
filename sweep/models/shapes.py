"""Shapes, weights, parameters and operations of a list of layer descriptions.

Nothing here imports TensorFlow. Each function raises :class:`sweep.errors.ModelError`, with the
layer's name, if a kernel or a pool does not fit its input.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from sweep.errors import ModelError
from sweep.models.layers import LayerSpec, Shape
from sweep.support.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WeightRow = tuple[str, str, Shape]
"""Layer, weight and shape: ``("conv_1", "kernel", (3, 3, 1, 32))``."""


def describe(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> tuple[Layer, ...]:
    """Return the layers of a model, like ``keras.Model.summary``.

    Parameters
    ----------
    layers : sequence of LayerSpec
        As a model factory returns them.
    input_shape : sequence of int
        Shape of one row, without the batch axis.

    Returns
    -------
    tuple of Layer
        Name, kind (the Keras layer's name), output shape such as ``"(26, 26, 32)"``, and number
        of parameters, with those that training does not change.

    Raises
    ------
    ModelError
        If a kernel or pool does not fit its input, or two layers have the same name.
    """
    return tuple(
        Layer(layer.name, layer.kind, str(layer.output_shape(shape)), _parameters(layer, shape))
        for layer, shape in _walk(layers, input_shape)
    )


def weight_shapes(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> tuple[WeightRow, ...]:
    """Return every weight array of a model: layer, weight (Keras's name), shape."""
    return tuple(
        (layer.name, weight, size)
        for layer, shape in _walk(layers, input_shape)
        for weight, size in layer.weights(shape)
    )


def output_shape(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> Shape:
    """Return the shape of one row after the last layer."""
    shape = tuple(input_shape)
    for layer, before in _walk(layers, input_shape):
        shape = layer.output_shape(before)
    return shape


def count_parameters(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> int:
    """Return the number of parameters, with those that training does not change."""
    return sum(_parameters(layer, shape) for layer, shape in _walk(layers, input_shape))


def count_operations(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> int:
    """Return the multiply-adds of one forward pass of one row.

    Biases, activations, pooling and layers active only in training are not counted; a training
    step costs about three times as much.
    """
    return sum(layer.operations(shape) for layer, shape in _walk(layers, input_shape))


def _walk(
    layers: Sequence[LayerSpec], input_shape: Sequence[int]
) -> Iterator[tuple[LayerSpec, Shape]]:
    shape = tuple(input_shape)
    seen: set[str] = set()
    for layer in layers:
        if layer.name in seen:
            raise ModelError(f"layer {layer.name}: two layers have this name; names are unique")
        seen.add(layer.name)
        yield layer, shape
        shape = layer.output_shape(shape)


def _parameters(layer: LayerSpec, shape: Shape) -> int:
    # output_shape first: it raises the error for a kernel that does not fit
    layer.output_shape(shape)
    return sum(prod(size) for _, size in layer.weights(shape))
