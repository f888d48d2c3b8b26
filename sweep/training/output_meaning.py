"""What a model outputs: probabilities, or numbers that must still be turned into them.

The last layer decides; else the loss that the model is compiled with; else its output for rows of
the fit. A model that is still unclear after that is refused: a guess could give a wrong score.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sweep.errors import ModelError, ModelMisfitError
from sweep.models.signature import remedy
from sweep.training.graph_eligibility import predicts_itself
from sweep.training.tracing import forward

PROBABILITIES, LOGITS, SHARES = "probabilities", "logits", "shares"
"""Shares are between 0 and 1; divided by their sum they are probabilities."""

PACKETS = 48
"""Three registers of sixteen numbers, the most rows that Eigen's kernels take at a time."""

PREDICT_ROWS = 5 * PACKETS
"""Rows predicted at a time: few enough for a processor's cache."""

PROBES = 64
"""Rows of the fit that are predicted if neither the last layer nor the loss decides."""

SLACK = 1e-3
TWO = 2
PASSING = ("Dropout", "Flatten", "Identity", "Reshape")
"""Layers that change no number when a model predicts."""


def output_units(model: Any, input_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of a built model's output for one row."""
    try:
        return tuple(model.output_shape[1:])
    except (AttributeError, ValueError):  # a subclass of keras.Model: only a call shows it
        output = forward(model, np.zeros((1, *input_shape), np.float32), training=False)
        return tuple(output.shape[1:]) if hasattr(output, "shape") else ()


def check_outputs(model: Any, input_shape: tuple[int, ...], n_classes: int, factory: Any) -> None:
    """Refuse a model that is built for other rows, or for another number of classes.

    Raises
    ------
    ModelMisfitError
        Saying what the model has, what the data have, and what to write.
    """
    ends = [len(getattr(model, name, None) or [None]) for name in ("inputs", "outputs")]
    if ends != [1, 1]:
        raise ModelError(
            f"model.factory: the model must have one input and one output, got "
            f"{ends[0]} and {ends[1]}"
        )
    takes = _rows_of(model)
    if takes is not None and not _fits(input_shape, takes):
        gives: tuple[Any, ...] = tuple(model.output_shape[1:])
    else:
        takes, gives = input_shape, output_units(model, input_shape)
    right = gives == (n_classes,) or (gives == (1,) and n_classes == TWO)
    if takes == input_shape and right:
        return
    if len(gives) != 1:
        text = ", ".join(map(str, gives))
        has = f"an output of shape (n, {text}), which must be one number for each class"
    else:
        has = f"{gives[0]} output{'s' if gives[0] != 1 else ''}"
    raise ModelMisfitError(
        f"model.factory: the model takes rows of shape {takes} and has {has}; the data have rows "
        f"of shape {input_shape} and {n_classes} classes; {remedy(factory)}"
        + _reshaping(takes, input_shape)
    )


def _rows_of(model: Any) -> tuple[int | None, ...] | None:
    """Return the shape of the rows that a model is built for; None where Keras does not know it."""
    try:
        return tuple(model.input_shape[1:])
    except (AttributeError, ValueError, TypeError):  # a subclass of keras.Model
        return None


def _fits(rows: tuple[int, ...], takes: tuple[int | None, ...]) -> bool:
    """Return whether a model takes rows of a shape: Keras adds or drops a last axis of 1."""
    alike = {(*rows, 1), rows, rows[:-1] if rows[-1:] == (1,) else rows}
    return any(
        len(each) == len(takes) and all(b in (None, a) for a, b in zip(each, takes, strict=True))
        for each in alike
    )


def _reshaping(takes: tuple[Any, ...], rows: tuple[int, ...]) -> str:
    """Return how rows could be brought into the shape that a model takes, where they can."""
    if takes == rows or None in takes or np.prod(takes) != np.prod(rows):
        return ""
    if len(takes) == 1:
        return f"; or begin the model with keras.Input({rows}) and keras.layers.Flatten()"
    return f"; or say image_shape = {list(takes)}"


def meaning_of(model: Any, rows: np.ndarray) -> str:
    """Return what a model outputs.

    Parameters
    ----------
    model : keras.Model
        Built; compiled or not.
    rows : ndarray of shape (n, ...)
        Rows of the fit, scaled; predicted if nothing else decides.

    Returns
    -------
    {"probabilities", "logits", "shares"}

    Raises
    ------
    ModelError
        If that is unclear, or the loss takes probabilities and the model gives none.
    """
    if predicts_itself(model):
        by_layer, by_loss = None, None
        before = model.predict_function
        by_rows = _by_rows(predicted(model, rows[:PROBES].astype(np.float32)))
        model.predict_function = before  # the fit traces another, with its own generators
    else:
        by_layer, by_loss = _by_last_layer(model), _by_loss(model)
        by_rows = by_layer or _by_rows(_output(model, rows[:PROBES]))
    if by_rows == LOGITS and by_loss == PROBABILITIES:
        raise ModelError(
            "model.factory: the loss takes probabilities, and the model ends without a softmax "
            "or sigmoid; end it in one, or compile it with a loss that has from_logits=True"
        )
    meaning = by_layer or by_loss or by_rows
    if meaning is None:
        raise ModelError(
            "model.factory: it cannot be told whether the output is probabilities or logits; "
            'end the model in keras.layers.Activation("softmax") (or "sigmoid" for one output), '
            "or compile it with a loss that says from_logits=True"
        )
    return meaning


def predicted(model: Any, rows: np.ndarray) -> np.ndarray:
    """Return what ``Model.predict`` gives for scaled rows.

    Rows are filled up to whole packets, as in :func:`sweep.training.graphs.make_predict`.

    Raises
    ------
    ModelError
        If a user's method gives another shape than the model's output has.
    """
    filled = -(-len(rows) // PACKETS) * PACKETS
    places = np.minimum(np.arange(filled), len(rows) - 1)
    output = np.asarray(model.predict(rows[places], batch_size=PREDICT_ROWS, verbose=0))
    units = output_units(model, rows.shape[1:])
    if output.shape != (filled, *units):
        raise ModelError(
            f"model.factory: predict must give an array of shape {(filled, *units)} for "
            f"{filled} rows, as the model's output has, got {output.shape}"
        )
    return output[: len(rows)]


def as_probabilities(output: np.ndarray, meaning: str) -> np.ndarray:
    """Turn an output into probabilities of every class, shape ``(n, n_classes)``, float32."""
    wide = output.astype(np.float64)
    if meaning == LOGITS:
        wide = _sigmoid(wide) if output.shape[1] == 1 else _softmax(wide)
    elif meaning == SHARES:
        wide = wide / np.maximum(wide.sum(axis=1, keepdims=True), np.finfo(np.float32).tiny)
    elif output.shape[1] > 1:
        return output
    done = wide.astype(np.float32)
    return np.column_stack([1 - done, done]) if output.shape[1] == 1 else done


def loss_for(
    model: Any, input_shape: tuple[int, ...], meaning: str, smoothing: float | None = None
) -> Any:
    """Return the Keras loss that fits a model which is not compiled, its labels smoothed if so."""
    import keras

    logits = meaning == LOGITS
    if output_units(model, input_shape) == (1,):
        return keras.losses.BinaryCrossentropy(from_logits=logits, label_smoothing=smoothing or 0.0)
    if smoothing:
        return keras.losses.CategoricalCrossentropy(from_logits=logits, label_smoothing=smoothing)
    return keras.losses.SparseCategoricalCrossentropy(from_logits=logits)


def takes_one_hot(loss: Any) -> bool:
    """Return whether a loss takes one number for each class, not class numbers.

    This is known of Keras's losses; a user's loss gets class numbers.
    """
    one = single_loss(loss)
    if isinstance(one, str):
        return "sparse" not in one.lower()
    named = one if hasattr(one, "__name__") else type(one)
    is_keras = str(getattr(named, "__module__", "")).partition(".")[0] == "keras"
    return is_keras and "sparse" not in named.__name__.lower()


def single_loss(loss: Any) -> Any:
    """Return the loss of a model with one output, which Keras also takes in a list or by name."""
    while isinstance(loss, list | tuple | dict) and len(loss) == 1:
        loss = next(iter(loss.values())) if isinstance(loss, dict) else loss[0]
    return loss


def unwrap_loss(model: Any) -> None:
    """Have a model with one output take a dict with one loss, which Keras takes of some models."""
    losses = getattr(model, "_compile_loss", None)
    for name in ("_user_loss", "_user_loss_weights"):
        one = getattr(losses, name, None)
        if isinstance(one, dict) and len(one) == 1:
            setattr(losses, name, next(iter(one.values())))


def _by_loss(model: Any) -> str | None:
    loss = single_loss(getattr(model, "loss", None))
    if isinstance(loss, str) or not hasattr(loss, "from_logits"):
        named = loss if isinstance(loss, str) else getattr(loss, "__name__", "")
        takes = "crossentropy" in named.lower()
        return PROBABILITIES if takes and _is_keras(loss) else None
    return LOGITS if loss.from_logits else PROBABILITIES


def _is_keras(loss: Any) -> bool:
    """Return whether a loss is one of Keras's, by name or as a function."""
    return isinstance(loss, str) or str(getattr(loss, "__module__", "")).startswith("keras")


def _by_last_layer(model: Any) -> str | None:
    layer = _last(model)
    while layer is not None and _passes(layer):
        layer = _before(layer)
    kind = type(layer).__name__
    function = getattr(getattr(layer, "activation", None), "__name__", kind).lower()
    if kind == "Softmax" or function == "softmax":
        return PROBABILITIES
    if function in ("sigmoid", "hard_sigmoid"):
        return PROBABILITIES if layer.output.shape[-1] == 1 else SHARES
    if function == "log_softmax" or (function == "linear" and hasattr(layer, "kernel")):
        return LOGITS
    return None


def _last(model: Any) -> Any:
    """Return the layer whose output is the model's; None if Keras does not know it."""
    import keras

    layer = model
    while isinstance(layer, keras.Model):
        outputs = getattr(layer, "outputs", None)
        if not outputs or not hasattr(outputs[0], "_keras_history"):
            return None
        layer = outputs[0]._keras_history.operation
    return layer


def _passes(layer: Any) -> bool:
    kind = type(layer).__name__
    function = getattr(getattr(layer, "activation", None), "__name__", "")
    return kind in PASSING or (kind == "Activation" and function == "linear")


def _before(layer: Any) -> Any:
    """Return the layer before a layer; None if there is not exactly one."""
    try:
        history = layer.input._keras_history
    except (AttributeError, ValueError):  # several inputs, or several uses
        return None
    import keras

    operation = history.operation
    return _last(operation) if isinstance(operation, keras.Model) else operation


def _output(model: Any, rows: np.ndarray) -> np.ndarray:
    return np.asarray(forward(model, rows.astype(np.float32), training=False), np.float64)


def _by_rows(output: np.ndarray) -> str | None:
    if not len(output) or not np.isfinite(output).all():
        return None
    if (output < -SLACK).any() or (output > 1 + SLACK).any():
        return LOGITS
    certain = output.shape[1] > 1 and (np.abs(output.sum(axis=1) - 1) < SLACK).all()
    return PROBABILITIES if certain else None


def _sigmoid(values: np.ndarray) -> Any:
    return 0.5 * (1 + np.tanh(values / 2))


def _softmax(values: np.ndarray) -> Any:
    odds = np.exp(values - values.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
