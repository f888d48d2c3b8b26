"""Dropout rates as variables: one trace serves every rate, with Keras's own masks."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def free_rates(model: Any) -> list[Any]:
    """Turn the rate of each dropout layer into a variable.

    The layer object stays Keras's own; only this instance reads its rate from a variable.

    Returns
    -------
    list of tf.Variable
        In the order of the layers.
    """
    import keras
    import tensorflow as tf

    layers = [layer for layer in model.layers if type(layer) is keras.layers.Dropout]
    variables = [tf.Variable(layer.rate, dtype=tf.float32, trainable=False) for layer in layers]
    for layer, variable in zip(layers, variables, strict=True):
        layer.call = MethodType(_call_with(variable), layer)
    return variables


def set_rates(variables: Sequence[Any], rates: Sequence[float] | None) -> None:
    """Give the dropout layers their rates; None leaves a person's own model as it is."""
    for variable, rate in zip(variables, rates or (), strict=bool(rates)):
        variable.assign(rate)


def _call_with(variable: Any) -> Any:
    import tensorflow as tf

    def call(self: Any, inputs: Any, training: bool = False) -> Any:
        if not training:
            return inputs
        seed = tf.math.floormod(self.seed_generator.next(), tf.int32.max - 1)
        return tf.nn.experimental.stateless_dropout(
            inputs,
            rate=tf.cast(variable, inputs.dtype),
            seed=tf.cast(seed, tf.int32),
            noise_shape=self.noise_shape,
        )

    return call
