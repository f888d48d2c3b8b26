"""The two graphs of a compiled model: many training batches in one call, and prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.training.outputs import loss_of

if TYPE_CHECKING:
    from sweep.training.engine import Engine


def make_steps(engine: Engine) -> Any:
    """Trace the batches ``first`` to ``stop`` of one epoch as a single graph call."""
    import tensorflow as tf

    model, optimizer, loss_of = engine.model, engine.optimizer, _loss_of(engine)
    base, decay, fixed = engine._base_rate, engine._decay, engine._fixed_rate

    def one_batch(x: Any, y: Any, weight: Any, shift: Any, factor: Any) -> Any:
        if not fixed:
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

    @tf.function(autograph=False, reduce_retracing=True)
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


def make_predict(model: Any) -> Any:
    """Trace the prediction of some rows."""
    import tensorflow as tf

    @tf.function(autograph=False, reduce_retracing=True)
    def predict(x: Any, shift: Any, factor: Any) -> Any:
        output = model((tf.cast(x, tf.float32) - shift) * factor, training=False)
        return tf.cast(output, tf.float32)

    return predict


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
