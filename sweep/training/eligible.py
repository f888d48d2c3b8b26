"""Which models the fast fit can take: those whose training step is Keras's own."""

from __future__ import annotations

from typing import Any


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

    if type(model).train_step is not keras.Model.train_step:
        raise NotFastError(f"{type(model).__name__} has a train_step of its own")
    if getattr(model, "run_eagerly", False):
        raise NotFastError("it is compiled with run_eagerly=True")
