"""Which models the fast fit can take: those whose training step is Keras's plain one."""

from __future__ import annotations

from typing import Any

OPTIMIZER_WAYS = {
    "use_ema": "keeps a moving average of the weights",
    "gradient_accumulation_steps": "accumulates gradients",
    "loss_scale_factor": "scales the loss",
    "inner_optimizer": "scales the loss",
}
"""Settings of an optimizer that only Keras's own fit follows, and what they do."""


class NotFastError(Exception):
    """A model that only Keras's own fit can train; says why."""


def check_fast(model: Any) -> None:
    """Refuse a model whose training step is more than forward, loss, gradients, optimizer.

    Raises
    ------
    NotFastError
        Saying what is its own.
    """
    import keras

    for name in ("train_step", "compute_loss"):
        if getattr(type(model), name) is not getattr(keras.Model, name):
            raise NotFastError(f"{type(model).__name__} has a {name} of its own")
    if getattr(model, "compiled", False):
        _check_optimizer(model.optimizer)
        _check_loss(model)


def _check_optimizer(optimizer: Any) -> None:
    for name, what in OPTIMIZER_WAYS.items():
        if getattr(optimizer, name, None):
            raise NotFastError(f"its optimizer {what}")


def _check_loss(model: Any) -> None:
    import keras

    if getattr(model._compile_loss, "_user_loss_weights", None) is not None:
        raise NotFastError("it is compiled with loss_weights")
    loss = keras.losses.get(model.loss)
    if getattr(loss, "reduction", "sum_over_batch_size") != "sum_over_batch_size":
        raise NotFastError(f"its loss is reduced by {loss.reduction}")
    if getattr(loss, "ignore_class", None) is not None:
        raise NotFastError("its loss ignores a class")
