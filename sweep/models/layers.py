"""Layer descriptions: plain frozen values that know their shapes, weights and operations.

A model factory returns a list of these. Everything that a person asks about a model before it
trains (does this kernel fit, how many parameters, how many operations) is answered from the list
alone; :func:`sweep.models.build_model` turns the same list into a ``keras.Model``. ``kind`` is the
name of the Keras layer that a description stands for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import ClassVar

from sweep.errors import ModelError
from sweep.models.kernels import PLAIN, Kernel
from sweep.models.windows import check_fit, check_padding, check_positive, pair, slide

Shape = tuple[int, ...]
"""Shape of one row, without the batch axis: ``(784,)``, ``(28, 28, 1)``."""

Weight = tuple[str, Shape]
"""Name and shape of one weight of a layer, by Keras's names: ``("kernel", (3, 3, 1, 32))``."""

AUGMENT_KINDS = {"flip": "RandomFlip", "shift": "RandomTranslation"}


@dataclass(frozen=True)
class LayerSpec:
    """Base of all descriptions: a layer that changes no shape and holds no weight.

    Parameters
    ----------
    name : str
        Name of the layer, unique in its model; errors and tables call it so.
    """

    name: str
    kind: ClassVar[str] = "Identity"

    def output_shape(self, shape: Shape) -> Shape:
        """Shape of one row after this layer, given its shape before."""
        return shape

    def weights(self, shape: Shape) -> tuple[Weight, ...]:  # noqa: ARG002 - the base has none
        """Names and shapes of the weights, in Keras's order, given the input's shape."""
        return ()

    def operations(self, shape: Shape) -> int:  # noqa: ARG002 - the base does none
        """Multiply-adds of one forward pass of one row; biases and activations not counted."""
        return 0


@dataclass(frozen=True)
class Conv(LayerSpec):
    """Two-dimensional convolution with bias and, fused, an activation.

    Parameters
    ----------
    name : str
        Name of the layer.
    filters : int
        Output channels.
    kernel_size : int or pair of int
        Height and width of the kernel.
    strides : int
        Step in both directions.
    padding : {"valid", "same"}
        No padding, or Keras's zero padding to ``ceil(input / strides)``.
    activation : str
        Keras's name of it; ``"linear"`` for none.
    kernel : Kernel
        How its weights begin and what holds them small.
    remedy : str
        What to do where the kernel does not fit; ends the error's message.
    """

    kind: ClassVar[str] = "Conv2D"
    filters: int
    kernel_size: int | tuple[int, int]
    strides: int = 1
    padding: str = "valid"
    activation: str = "linear"
    kernel: Kernel = PLAIN
    remedy: str = field(
        default='take a smaller kernel_size, fewer blocks, or padding = "same"',
        repr=False,
        compare=False,
    )

    def __post_init__(self) -> None:
        check_positive(self.name, "filters", self.filters)
        check_positive(self.name, "kernel_size", *pair(self.kernel_size))
        check_positive(self.name, "strides", self.strides)
        check_padding(self.name, self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        """``(input - kernel + 2 * padding) / strides + 1`` in both directions, then filters."""
        kernel = pair(self.kernel_size)
        check_fit(self.name, "kernel", kernel, shape, padding=self.padding, remedy=self.remedy)
        return (*slide(shape, kernel, (self.strides, self.strides), self.padding), self.filters)

    def weights(self, shape: Shape) -> tuple[Weight, ...]:
        """Kernel (height, width, input channels, filters) and bias (filters,)."""
        kernel = (*pair(self.kernel_size), shape[-1], self.filters)
        return ("kernel", kernel), ("bias", (self.filters,))

    def operations(self, shape: Shape) -> int:
        """One multiply-add for each kernel value at each place of the output map."""
        height, width, filters = self.output_shape(shape)
        return height * width * prod(pair(self.kernel_size)) * shape[-1] * filters


@dataclass(frozen=True)
class Pool(LayerSpec):
    """Max pooling; the windows do not overlap.

    Parameters
    ----------
    name : str
        Name of the layer.
    size : int or pair of int
        Height and width of the window, and its step.
    padding : {"valid", "same"}
        Whether an incomplete last window is left out or kept.
    remedy : str
        What to do where the window does not fit; ends the error's message.
    """

    kind: ClassVar[str] = "MaxPooling2D"
    size: int | tuple[int, int]
    padding: str = "valid"
    remedy: str = field(
        default="take a smaller pool_size or fewer blocks", repr=False, compare=False
    )

    def __post_init__(self) -> None:
        check_positive(self.name, "size", *pair(self.size))
        check_padding(self.name, self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        """Count the windows in both directions; the channels stay."""
        size = pair(self.size)
        check_fit(self.name, "pool", size, shape, padding=self.padding, remedy=self.remedy)
        return (*slide(shape, size, size, self.padding), shape[-1])


@dataclass(frozen=True)
class Dense(LayerSpec):
    """Fully connected layer with bias and, fused, an activation.

    Parameters
    ----------
    name : str
        Name of the layer.
    units : int
        Outputs.
    activation : str
        Keras's name of it; ``"linear"`` for none.
    kernel : Kernel
        How its weights begin and what holds them small.
    """

    kind: ClassVar[str] = "Dense"
    units: int
    activation: str = "linear"
    kernel: Kernel = PLAIN

    def __post_init__(self) -> None:
        check_positive(self.name, "units", self.units)

    def output_shape(self, shape: Shape) -> Shape:
        """Put ``units`` in the place of the last axis."""
        return (*shape[:-1], self.units)

    def weights(self, shape: Shape) -> tuple[Weight, ...]:
        """Kernel (inputs, units) and bias (units,)."""
        return ("kernel", (shape[-1], self.units)), ("bias", (self.units,))

    def operations(self, shape: Shape) -> int:
        """Multiply inputs by units."""
        return prod(shape) * self.units


@dataclass(frozen=True)
class Activation(LayerSpec):
    """An activation on its own, for batch normalization that stands before it.

    Parameters
    ----------
    name : str
        Name of the layer.
    function : str
        Keras's name of the activation.
    """

    kind: ClassVar[str] = "Activation"
    function: str


@dataclass(frozen=True)
class BatchNorm(LayerSpec):
    """Batch normalization over the last axis."""

    kind: ClassVar[str] = "BatchNormalization"

    def weights(self, shape: Shape) -> tuple[Weight, ...]:
        """Scale, shift and the two moving statistics, one value a channel each."""
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        return tuple((name, (shape[-1],)) for name in names)

    def operations(self, shape: Shape) -> int:
        """One multiply-add a value (the statistics are constants in a forward pass)."""
        return prod(shape)


@dataclass(frozen=True)
class Dropout(LayerSpec):
    """Dropout, active only in training.

    Parameters
    ----------
    name : str
        Name of the layer.
    rate : float
        Share of values set to zero, at least 0 and below 1.
    """

    kind: ClassVar[str] = "Dropout"
    rate: float

    def __post_init__(self) -> None:
        if not 0 <= self.rate < 1:
            raise ModelError(
                f"layer {self.name}: rate must be at least 0 and below 1, got {self.rate}"
            )


@dataclass(frozen=True)
class Flatten(LayerSpec):
    """All values of a row in one axis."""

    kind: ClassVar[str] = "Flatten"

    def output_shape(self, shape: Shape) -> Shape:
        """Give ``(number of values,)``."""
        return (prod(shape),)


@dataclass(frozen=True)
class Reshape(LayerSpec):
    """The same values in another shape.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : tuple of int
        Shape of one row afterwards.
    """

    kind: ClassVar[str] = "Reshape"
    shape: Shape

    def output_shape(self, shape: Shape) -> Shape:
        """Give the target shape, which must hold as many values."""
        if prod(shape) != prod(self.shape):
            raise ModelError(
                f"layer {self.name}: a row of shape {shape} cannot become {self.shape}; "
                f"both must hold the same number of values"
            )
        return self.shape


@dataclass(frozen=True)
class Augment(LayerSpec):
    """Random change of an image, active only in training.

    Parameters
    ----------
    name : str
        Name of the layer.
    change : {"flip", "shift"}
        Mirror left to right in half of the cases, or shift by up to a tenth of height and width.
    """

    change: str

    def __post_init__(self) -> None:
        if self.change not in AUGMENT_KINDS:
            raise ModelError(
                f'layer {self.name}: change must be "flip" or "shift", got "{self.change}"'
            )

    @property
    def kind(self) -> str:  # type: ignore[override]  # one description for two Keras layers
        """``"RandomFlip"`` or ``"RandomTranslation"``."""
        return AUGMENT_KINDS[self.change]
