"""Dropout rates as variables: one trace for all rates, with the same masks as Keras's."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def make_rates_variable(model: Any) -> list[Any]:
    """Turn the rate of each dropout layer into a variable.

    Keras's class is not changed: only ``call`` of these layer objects is replaced.

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
    """Set the rates of the dropout layers; None, for a user's model, changes nothing."""
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
