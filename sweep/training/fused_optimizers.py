"""Optimizer steps as one kernel for each variable, where Keras runs a dozen operations.

Adam in Keras 3 is about fifteen operations for each variable, each a pass over memory; TensorFlow
still ships the step as a single kernel that computes the same expression. Clipping, weight decay,
constraints and counting stay Keras's: only the innermost step is replaced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def fuse(optimizer: Any) -> None:
    """Replace the innermost step of a built Keras optimizer, if there is a kernel for it.

    Not changed: other optimizers, subclasses, and weights that are not float32.
    """
    import keras

    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if optimizer.gradient_accumulation_steps:
        return  # Keras steps in a branch of the graph, on tensors
    if any(variable.dtype != "float32" for variable in optimizer._trainable_variables):
        return

    kinds = {
        keras.optimizers.Adam: _adam,
        keras.optimizers.AdamW: _adam,
        keras.optimizers.SGD: _sgd,
    }
    if (make := kinds.get(type(optimizer))) and not getattr(optimizer, "amsgrad", False):
        optimizer._backend_update_step = _where_dense(make(optimizer), optimizer)


def _where_dense(step: Callable[..., None], optimizer: Any) -> Callable[..., None]:
    """Use Keras's step for sparse gradients, which an embedding layer has."""
    import tensorflow as tf

    plain = optimizer._backend_update_step

    def either(gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
        dense = all(isinstance(gradient, tf.Tensor) for gradient in gradients)
        (step if dense else plain)(gradients, variables, rate)

    return either


def _adam(optimizer: Any) -> Callable[..., None]:
    import tensorflow as tf

    def step(gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
        count = tf.cast(optimizer.iterations._value + 1, tf.float32)
        shared = {
            "beta1_power": tf.pow(optimizer.beta_1, count),
            "beta2_power": tf.pow(optimizer.beta_2, count),
            "lr": tf.convert_to_tensor(rate),
            "beta1": optimizer.beta_1,
            "beta2": optimizer.beta_2,
            "epsilon": optimizer.epsilon,
        }
        for gradient, variable in zip(gradients, variables, strict=True):
            place = optimizer._get_variable_index(variable)
            tf.raw_ops.ResourceApplyAdam(
                var=_handle(variable),
                m=_handle(optimizer._momentums[place]),
                v=_handle(optimizer._velocities[place]),
                grad=tf.convert_to_tensor(gradient),
                **shared,
            )

    return step


def _sgd(optimizer: Any) -> Callable[..., None]:
    import tensorflow as tf

    def step(gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
        rate = tf.convert_to_tensor(rate)
        for gradient, variable in zip(gradients, variables, strict=True):
            target, delta = _handle(variable), tf.convert_to_tensor(gradient)
            if not optimizer.momentum:
                tf.raw_ops.ResourceApplyGradientDescent(var=target, alpha=rate, delta=delta)
                continue
            place = optimizer._get_variable_index(variable)
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=target,
                accum=_handle(optimizer.momentums[place]),
                lr=rate,
                grad=delta,
                momentum=optimizer.momentum,
                use_nesterov=optimizer.nesterov,
            )

    return step


def _handle(variable: Any) -> Any:
    return variable._value.handle
