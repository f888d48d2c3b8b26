"""Rates of a built-in model as variables: one trace for all of them, with Keras's own numbers.

They are those of :func:`sweep.models.rates.rates`, in the same order.
"""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PARTS = (("kernel_regularizer", "l2"), ("kernel_constraint", "max_value"))
"""Parts of a layer that hold a rate, and what they call it."""


class RateVariable:
    """A rate that a trace reads from a variable.

    Parameters
    ----------
    owner : keras object
        Dropout layer, regularizer or constraint; its configuration tells the rate of now.
    name : str
        What it calls the rate.
    """

    def __init__(self, owner: Any, name: str) -> None:
        import tensorflow as tf

        self.value = float(getattr(owner, name))
        self.variable = tf.Variable(self.value, dtype=tf.float32, trainable=False)
        config = owner.get_config
        owner.get_config = lambda: {**config(), name: self.value}

    def assign(self, value: float) -> None:
        """Set the rate."""
        self.value = value
        self.variable.assign(value)


def make_rate_variables(model: Any) -> list[RateVariable]:
    """Turn the rates of each layer into variables.

    Keras's classes are not changed: only ``call`` of these dropout layers is replaced, and the
    number that a regularizer or a constraint of a kernel holds.

    Returns
    -------
    list of RateVariable
        In the order of the layers.
    """
    return [variable for layer in model.layers for variable in _variables_of(layer)]


def set_rates(variables: Sequence[RateVariable], rates: Sequence[float] | None) -> None:
    """Set the rates; None, for a user's model, changes nothing."""
    for variable, rate in zip(variables, rates or (), strict=bool(rates)):
        variable.assign(rate)


def _variables_of(layer: Any) -> Iterator[RateVariable]:
    import keras

    if type(layer) is keras.layers.Dropout:
        rate = RateVariable(layer, "rate")
        layer.call = MethodType(_call_with(rate.variable), layer)
        yield rate
    for part, name in PARTS:
        if (owner := getattr(layer, part, None)) is not None:
            rate = RateVariable(owner, name)
            setattr(owner, name, rate.variable)
            yield rate


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
