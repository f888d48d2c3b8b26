"""The two graphs of a compiled model: many training batches in one call, and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.training.outputs import loss_of

if TYPE_CHECKING:
    from sweep.training.engine import Engine

PREDICT_ROWS = 256
"""Rows predicted at a time: few enough for a processor's cache."""


def make_steps(engine: Engine, dtype: Any) -> Any:
    """Trace the batches ``first`` to ``stop`` of one epoch as a single graph call.

    The trace is for any number of rows whose pixels are of ``dtype``.
    """
    import tensorflow as tf

    model, optimizer, loss_of = engine.model, engine.optimizer, _loss_of(engine)
    base, decay = engine._base_rate, engine._decay

    def one_batch(x: Any, y: Any, weight: Any, shift: Any, factor: Any) -> Any:
        if engine.decays:
            step = tf.cast(optimizer.iterations.value, tf.float32)
            optimizer.learning_rate.assign(base / (1.0 + decay * step))
        scaled = (tf.cast(x, tf.float32) - shift) * factor
        with tf.GradientTape() as tape:
            output = model(scaled, training=True)
            loss = loss_of(y, output, weight)
            total = tf.add_n([loss, *model.losses]) if model.losses else loss
        variables = model.trainable_variables
        optimizer.apply(tape.gradient(total, variables), variables)
        return total, _hits(y, output, weight, 0.0 if engine.logits else 0.5)

    number, rate = tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.float32)
    rows = [tf.TensorSpec((None,), kind) for kind in (tf.int64, tf.float32, tf.int64)]
    totals_like = tf.TensorSpec((3,), tf.float64)
    signature = [_pixels(model, dtype), *rows, number, number, number, totals_like, rate, rate]

    @tf.function(autograph=False, input_signature=signature)
    def steps(
        x: Any, y: Any, weight: Any, order: Any, size: Any, first: Any, stop: Any,
        totals: Any, shift: Any, factor: Any,
    ) -> Any:  # fmt: skip
        count = tf.shape(order, out_type=tf.int64)[0]

        def body(i: Any, totals: Any) -> Any:
            picked = order[i * size : tf.minimum((i + 1) * size, count)]
            batch = [tf.gather(tensor, picked) for tensor in (x, y, weight)]
            loss, hits = one_batch(batch[0], batch[1], batch[2], shift, factor)
            mass = tf.reduce_sum(tf.cast(batch[2], tf.float64))
            added = tf.stack([tf.cast(loss, tf.float64) * mass, tf.cast(hits, tf.float64), mass])
            return i + 1, totals + added

        return tf.while_loop(lambda i, _: i < stop, body, (first, totals), parallel_iterations=1)[1]

    return steps


def make_predict(model: Any, dtype: Any) -> Any:
    """Trace the prediction of any number of rows, some at a time."""
    import tensorflow as tf

    def part(x: Any, shift: Any, factor: Any) -> Any:
        output = model((tf.cast(x, tf.float32) - shift) * factor, training=False)
        return tf.cast(output, tf.float32)

    number = tf.TensorSpec((), tf.float32)

    @tf.function(autograph=False, input_signature=[_pixels(model, dtype), number, number])
    def predict(x: Any, shift: Any, factor: Any) -> Any:
        parts = -(-tf.shape(x)[0] // PREDICT_ROWS)
        shape = tf.TensorShape((None, *model.output_shape[1:]))
        empty = tf.TensorArray(tf.float32, parts, element_shape=shape, infer_shape=False)

        def body(i: Any, done: Any) -> Any:
            rows = x[i * PREDICT_ROWS : (i + 1) * PREDICT_ROWS]
            return i + 1, done.write(i, part(rows, shift, factor))

        loop = tf.while_loop(lambda i, _: i < parts, body, (0, empty), parallel_iterations=1)
        return loop[1].concat()

    return predict


def _pixels(model: Any, dtype: Any) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None, *model.input_shape[1:]), dtype)


def _hits(y: Any, output: Any, weight: Any, middle: float) -> Any:
    import tensorflow as tf

    if output.shape[-1] == 1:
        guess = tf.cast(output[:, 0] > middle, y.dtype)
    else:
        guess = tf.argmax(output, axis=-1, output_type=y.dtype)
    return tf.reduce_sum(tf.cast(guess == y, weight.dtype) * weight)


def _loss_of(engine: Engine) -> Any:
    """Return ``loss(y, output, weight)``, the weighted mean over a batch."""
    import tensorflow as tf

    loss = loss_of(engine.model, logits=engine.logits)
    each = loss.call if hasattr(loss, "call") else loss
    single = engine.model.output_shape[-1] == 1

    def mean_loss(y: Any, output: Any, weight: Any) -> Any:
        target = tf.cast(y, tf.float32)[:, None] if single else y
        losses = tf.cast(each(target, output), tf.float32)
        return tf.math.divide_no_nan(tf.reduce_sum(losses * weight), tf.reduce_sum(weight))

    return mean_loss
