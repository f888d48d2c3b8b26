"""One layer of a model as a row: what models describe, the ledger holds and reports show."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Layer(NamedTuple):
    """One layer of a model.

    Attributes
    ----------
    name : str
        Its name in the model.
    kind : str
        The Keras layer's name: ``"Conv2D"``.
    output_shape : str
        Output shape of one row: ``"(26, 26, 32)"``, or ``"?"`` where it has none.
    parameters : int
        Weights, those that training does not change included.
    """

    name: str
    kind: str
    output_shape: str
    parameters: int


def total_parameters(layers: Iterable[Layer]) -> int:
    """Return the number of weights of a model."""
    return sum(layer.parameters for layer in layers)


COUNTED = frozenset(
    {
        "Dense", "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D",
        "SeparableConv1D", "SeparableConv2D", "BatchNormalization", "LayerNormalization",
        "GroupNormalization",
    }
)  # fmt: skip
"""Layers that use each of their weights once at each place of their output."""


def multiply_adds(layers: Iterable[Layer]) -> int | None:
    """Return the multiplications, each with its addition, of a prediction for one row.

    A dense layer, a convolution or a normalization uses each of its weights once at each place of
    its output. Layers without weights (pooling, activations) count as nothing.

    Parameters
    ----------
    layers : iterable of Layer
        The layers of a model.

    Returns
    -------
    int or None
        None for no layers, and where a layer with weights is of another kind or has an output
        shape that is not known.
    """
    counts = [_multiply_adds(layer) for layer in layers]
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None


def _multiply_adds(layer: Layer) -> int | None:
    if not layer.parameters:
        return 0
    sides = layer.output_shape.strip("()").replace(" ", "").rstrip(",").split(",")
    if layer.kind not in COUNTED or not all(side.isdecimal() for side in sides):
        return None
    return layer.parameters * prod(int(side) for side in sides[:-1])
