"""What a model's output means: probabilities, or numbers that are still to become them."""

from __future__ import annotations

from typing import Any

import numpy as np

from sweep.errors import ModelError

PROBES = 64
LOUD = 100.0


def check_outputs(model: Any, n_classes: int) -> None:
    """Refuse a model whose output does not fit the classes.

    Raises
    ------
    ModelError
        Saying how many outputs it has and how many are needed.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ModelError(
            f"model.factory: the model must have one input and one output, got "
            f"{len(model.inputs)} and {len(model.outputs)}"
        )
    units = model.output_shape[-1]
    fits = units == n_classes or (units == 1 and n_classes == 2)
    if len(model.output_shape) != 2 or not fits:
        raise ModelError(
            f"model.factory: the output must have shape (n, {n_classes}), one number for each "
            f"class, got (n, {', '.join(map(str, model.output_shape[1:]))})"
        )


def gives_logits(model: Any) -> bool:
    """Return whether a model lacks the softmax or sigmoid at its end.

    Told by what it does, so that it holds for any model: probabilities of random inputs, small
    and large, lie between 0 and 1 and (for several outputs) sum to 1; logits do not.
    """
    draw = np.random.default_rng(0)
    shape = (PROBES, *model.input_shape[1:])
    loudness = np.geomspace(1.0, LOUD, PROBES).reshape(-1, *[1] * (len(shape) - 1))
    rows = (draw.normal(size=shape) * loudness).astype(np.float32)
    output = np.asarray(model(rows, training=False), np.float32)
    outside = (output < -1e-3).any() or (output > 1 + 1e-3).any()
    off_one = output.shape[1] > 1 and (np.abs(output.sum(axis=1) - 1) > 1e-2).any()
    return bool(outside or off_one)


def as_probabilities(output: np.ndarray) -> np.ndarray:
    """Turn logits into probabilities: softmax, or sigmoid for a single output."""
    wide = output.astype(np.float64)
    if output.shape[1] == 1:
        return (0.5 * (1 + np.tanh(wide / 2))).astype(np.float32)
    odds = np.exp(wide - wide.max(axis=1, keepdims=True))
    return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def loss_of(model: Any, *, logits: bool) -> Any:
    """Return the Keras loss of a model: its own if it is compiled, else the one that fits."""
    import keras

    if getattr(model, "loss", None):
        return keras.losses.get(model.loss)
    if model.output_shape[-1] == 1:
        return keras.losses.BinaryCrossentropy(from_logits=logits)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
