"""Layers that the factories share: the image view of a row, normalized layers, the head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.errors import ModelError
from sweep.models.layers import (
    Activation,
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LayerSpec,
    Reshape,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.models.kernels import Kernel

IMAGE_AXES = 3


def as_image(shape: tuple[int, ...]) -> list[LayerSpec]:
    """Return the layers that reshape a row to (height, width, channels); a flat row is 1 x n."""
    if len(shape) == IMAGE_AXES:
        return []
    return [Reshape("image", (1, *shape, 1) if len(shape) == 1 else (*shape, 1))]


def window(size: int, shape: tuple[int, ...]) -> int | tuple[int, int]:
    """Return the size of a window: square for images, one value high for flat rows."""
    return (1, size) if len(shape) == 1 else size


def augmentation(kind: str, shape: tuple[int, ...]) -> list[LayerSpec]:
    """Return the layers of ``augment``: none, or mirroring and shifting."""
    if kind == "none":
        return []
    if len(shape) == 1:
        raise ModelError(
            f'model.augment: must be "none" for flat rows of shape {shape}, got "{kind}"; '
            "only images can be mirrored and shifted"
        )
    return [Augment("flip", "flip"), Augment("shift", "shift")]


def normalized(layer: Conv | Dense, batch_norm: str, suffix: str) -> list[LayerSpec]:
    """Return a layer with batch normalization before or after its activation.

    Parameters
    ----------
    layer : Conv or Dense
        The layer, with its activation.
    batch_norm : {"none", "before", "after"}
        "before" moves the activation into a layer of its own.
    suffix : str
        Suffix of the added layers' names: ``"1"`` gives ``"batch_norm_1"``.
    """
    norm = BatchNorm(f"batch_norm_{suffix}")
    if batch_norm == "before":
        activation = Activation(f"activation_{suffix}", layer.activation)
        return [replace(layer, activation="linear"), norm, activation]
    return [layer, norm] if batch_norm == "after" else [layer]


def dropout(name: str, rate: float) -> list[LayerSpec]:
    """Return a dropout layer, or nothing at rate 0."""
    return [Dropout(name, rate)] if rate else []


def head(
    dense_width: int, like: Conv, dense_dropout_rate: float, n_classes: int
) -> list[LayerSpec]:
    """Return flatten, dense layer and its dropout (width 0: neither), softmax over the classes.

    The dense layer has the activation and the kernel of the convolution ``like``.
    """
    layers: list[LayerSpec] = [Flatten("flatten")]
    if dense_width:
        layers += [Dense("dense", dense_width, like.activation, like.kernel)]
        layers += dropout("dropout_dense", dense_dropout_rate)
    return [*layers, output(n_classes, like.kernel)]


def output(n_classes: int, kernel: Kernel) -> LayerSpec:
    """Return the last layer: softmax over the classes, also for two classes.

    Its kernel is like the others, but no norm is limited.
    """
    return Dense("output", n_classes, "softmax", kernel.unlimited)


def convolve(
    template: Conv, filters: Sequence[int], batch_norm: str, first: int
) -> list[LayerSpec]:
    """Return convolutions with these filters, numbered from ``first``, each normalized."""
    layers: list[LayerSpec] = []
    for number, width in enumerate(filters, start=first):
        conv = replace(template, name=f"conv_{number}", filters=width)
        layers += normalized(conv, batch_norm, str(number))
    return layers
