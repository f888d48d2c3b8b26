"""Build a ``keras.Model`` from layer descriptions; the only file of this room that loads Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError, NoModelError
from sweep.models.layers import (
    Activation,
    Augment,
    BatchNorm,
    Conv,
    Dense,
    Dropout,
    Flatten,
    LayerSpec,
    Pool,
    Reshape,
)
from sweep.models.registry import check_parameters, get_factory
from sweep.models.shapes import describe
from sweep.models.signature import Factory, Facts, call_factory
from sweep.support.keras_configuration import load_keras
from sweep.support.layer import Layer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import keras

    from sweep.models.kernels import Kernel

SHIFT = 0.1
"""Largest random shift, as a share of height and of width."""


def build_model(layers: Sequence[LayerSpec], input_shape: Sequence[int]) -> keras.Model:
    """Build an uncompiled functional model of standard Keras layers.

    Parameters
    ----------
    layers : sequence of LayerSpec
        As a built-in factory returns them.
    input_shape : sequence of int
        Shape of one row, without the batch axis.

    Returns
    -------
    keras.Model
        With the layers, names and shapes that ``describe`` returns.

    Raises
    ------
    ModelError
        Where a layer does not fit its input; raised before Keras is loaded.
    """
    describe(layers, input_shape)
    load_keras()
    import keras

    inputs = keras.Input(shape=tuple(input_shape), name="input")
    outputs = inputs
    for layer in layers:
        outputs = _maker(layer)(layer, keras.layers)(outputs)
    return keras.Model(inputs, outputs)


def build_from(
    factory: str | Factory,
    input_shape: Sequence[int],
    n_classes: int,
    params: Mapping[str, Any] | None = None,
    facts: Facts | None = None,
) -> keras.Model:
    """Call a factory and return its model, built if it returns layer descriptions.

    Parameters
    ----------
    factory : str or callable
        A built-in's name, or the user's own function that returns a ``keras.Model`` or a list of
        layer descriptions; :mod:`sweep.models.signature` says how it is called.
    input_shape : sequence of int
        Shape of one row, without the batch axis.
    n_classes : int
        Classes.
    params : mapping of str to value, optional
        The factory's parameters.
    facts : Facts, optional
        What else the factory may be told; by default the shape and the classes alone.

    Returns
    -------
    keras.Model
        Uncompiled, unless the user's function compiled it.

    Raises
    ------
    ModelError
        For an unknown factory, parameter or value, or another type of result.
    """
    params = params or {}
    check_parameters(factory, params)
    facts = facts or Facts(tuple(input_shape), n_classes)
    made = call_factory(get_factory(factory), facts, params)
    if _is_layers(made):
        return build_model(made, input_shape)
    import keras

    if isinstance(made, keras.Model):
        return _with_weights(made, input_shape)
    why = "nothing; end it with return model" if made is None else type(made).__name__
    raise NoModelError(
        f"model.factory: must return a keras.Model or a list of layer descriptions, got {why}"
    )


def model_layers(model: keras.Model) -> tuple[Layer, ...]:
    """Return the layers of any Keras model: name, kind, output shape, parameters.

    Parameters
    ----------
    model : keras.Model
        A built model.

    Returns
    -------
    tuple of Layer
        As :func:`sweep.models.describe`; input layers are left out. The shape is ``"?"`` where
        Keras does not know it (models that subclass ``keras.Model``).

    Raises
    ------
    ModelError
        If the model does not know its input's shape yet.
    """
    return tuple(
        Layer(layer.name, type(layer).__name__, _shape_text(layer), _count(layer))
        for layer in model.layers
        if type(layer).__name__ != "InputLayer"
    )


def _with_weights(model: Any, input_shape: Sequence[int]) -> Any:
    """Create the weights of a model that has none yet, with one row, as Keras does in ``fit``."""
    import keras
    import numpy as np

    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    elif not model.built or not all(layer.built for layer in model.layers):
        model(np.zeros((1, *input_shape), np.float32), training=False)
    return model


def _is_layers(made: Any) -> bool:
    is_list = isinstance(made, list | tuple) and len(made) > 0
    return is_list and all(isinstance(item, LayerSpec) for item in made)


def _maker(layer: LayerSpec) -> Callable[[Any, Any], Any]:
    if type(layer) not in _MAKERS:
        known = ", ".join(sorted(spec.__name__ for spec in _MAKERS))
        raise ModelError(
            f"layer {layer.name}: no Keras layer stands for {type(layer).__name__}; "
            f"take one of {known}, or return a keras.Model"
        )
    return _MAKERS[type(layer)]


def _shape_text(layer: Any) -> str:
    import keras

    try:
        tensors = keras.tree.flatten(layer.output)
    except (AttributeError, ValueError):
        return "?"
    return ", ".join(str(tuple(tensor.shape[1:])) for tensor in tensors)


def _count(layer: Any) -> int:
    try:
        return int(layer.count_params())
    except ValueError as error:
        raise ModelError(
            f"layer {layer.name}: its weights do not exist yet; "
            "begin the model with keras.Input(input_shape)"
        ) from error


def _kernel(kernel: Kernel, axes: int | Sequence[int]) -> dict[str, Any]:
    """Return Keras's arguments for a kernel; ``axes`` lead to one unit or filter."""
    import keras

    limit, penalty = kernel.max_norm, kernel.l2
    return {
        "kernel_initializer": kernel.initializer,
        "kernel_regularizer": keras.regularizers.L2(penalty) if penalty else None,
        "kernel_constraint": keras.constraints.MaxNorm(limit, axes) if limit else None,
    }


def _conv(layer: Conv, kl: Any) -> Any:
    return kl.Conv2D(
        layer.filters,
        layer.kernel_size,
        strides=layer.strides,
        padding=layer.padding,
        activation=layer.activation,
        name=layer.name,
        **_kernel(layer.kernel, [0, 1, 2]),
    )


def _dense(layer: Dense, kl: Any) -> Any:
    # In mixed precision too the probabilities stay float32: half precision would distort the loss.
    dtype = "float32" if layer.activation == "softmax" else None
    return kl.Dense(
        layer.units,
        activation=layer.activation,
        dtype=dtype,
        name=layer.name,
        **_kernel(layer.kernel, 0),
    )


def _augment(layer: Augment, kl: Any) -> Any:
    if layer.change == "flip":
        return kl.RandomFlip("horizontal", name=layer.name)
    return kl.RandomTranslation(SHIFT, SHIFT, name=layer.name)


_MAKERS: dict[type[LayerSpec], Callable[[Any, Any], Any]] = {
    Activation: lambda layer, kl: kl.Activation(layer.function, name=layer.name),
    Augment: _augment,
    BatchNorm: lambda layer, kl: kl.BatchNormalization(name=layer.name),
    Conv: _conv,
    Dense: _dense,
    Dropout: lambda layer, kl: kl.Dropout(layer.rate, name=layer.name),
    Flatten: lambda layer, kl: kl.Flatten(name=layer.name),
    Pool: lambda layer, kl: kl.MaxPooling2D(layer.size, padding=layer.padding, name=layer.name),
    Reshape: lambda layer, kl: kl.Reshape(layer.shape, name=layer.name),
}
