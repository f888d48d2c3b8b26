"""A model's forward pass, and the loss of a compiled model, traced to a graph for inspection."""

from __future__ import annotations

import warnings
from typing import Any


def forward(model: Any, x: Any, *, training: bool) -> Any:
    """Call a model as Keras's training step does: its ``call`` may lack ``training``."""
    return model(x, training=training) if model._call_has_training_arg else model(x)


def traced(model: Any, input_shape: tuple[int, ...]) -> Any:
    """Return the concrete function of a model, without running it."""
    import tensorflow as tf

    from sweep.training.output_meaning import output_units, takes_one_hot

    compiled = getattr(model, "compiled", False)

    def both(x: Any, y: Any) -> Any:
        output = forward(model, x, training=True)
        results = [output, forward(model, x, training=False), *model.losses]
        if compiled:
            results.append(model._compute_loss(x=x, y=y, y_pred=output, training=True))
        return results

    units = output_units(model, input_shape)
    one_hot = compiled and (units == (1,) or takes_one_hot(model.loss))
    labels = tf.TensorSpec((None, *units)) if one_hot else tf.TensorSpec((None,), tf.int64)
    rows = tf.TensorSpec((None, *input_shape))
    return tf.function(both, autograph=False).get_concrete_function(rows, labels)


def traced_step(model: Any, batch: tuple[Any, ...]) -> Any:
    """Return the concrete function of a compiled model's training step, without running it."""
    import tensorflow as tf

    like = tuple(tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras will warn again when it traces the step itself
        return tf.function(model.train_step, autograph=False).get_concrete_function(like)
