"""The two graphs of a compiled model: many training batches in one call, and prediction."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sweep.training.output_meaning import LOGITS, PACKETS, PREDICT_ROWS
from sweep.training.tracing import forward
from sweep.training.xla import compiles, run_in_static_batches

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.training.blueprint import Blueprint


def make_steps(
    model: Any,
    blueprint: Blueprint,
    targets: Callable[[Any], Any],
    decaying: tuple[Any, Any] | None,
    dtype: Any,
) -> Callable[..., Any]:
    """Return a function that runs the batches ``first`` to ``stop`` of one epoch in a graph call.

    A batch is Keras's own ``Model.train_step`` without its metrics: loss (weights, masks,
    regularizers), its scaling, gradients, optimizer.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    blueprint : Blueprint
        What it was built from.
    targets : callable
        Turns class numbers into what the loss takes.
    decaying : (tf.Variable, tf.Variable) or None
        First learning rate and its decay a step; None if the rate does not decay.
    dtype : str
        Of the pixels. The trace is for any number of rows.

    Returns
    -------
    callable
        ``f(data, order, size, first, stop, totals, scaling)`` with ``data`` of pixels, labels and
        weights, ``order`` the rows of the epoch, ``size`` of a batch and ``scaling`` of shift and
        factor; it returns ``totals`` with the sums of loss, hits and weights added.
    """
    import tensorflow as tf

    one_batch = _one_batch(model, blueprint, targets, decaying)
    number, rate = tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.float32)
    rows = [tf.TensorSpec((None,), kind) for kind in (tf.int64, tf.float32, tf.int64)]
    totals_like = tf.TensorSpec((3,), tf.float64)
    pixels = _pixels(blueprint.architecture.input_shape, dtype)

    def traced(size: int | None) -> Any:
        """Trace the batches: of a static size for XLA, else of any."""
        sizes = [number] if size is None else []
        signature = [pixels, *rows, *sizes, number, number, totals_like, rate, rate]

        @tf.function(autograph=False, input_signature=signature, jit_compile=size is not None)
        def steps(x: Any, y: Any, weight: Any, order: Any, *rest: Any) -> Any:
            *given, first, stop, totals, shift, factor = rest
            count = tf.shape(order, out_type=tf.int64)[0]

            def rows_of(i: Any) -> Any:
                if size is not None:
                    return tf.slice(order, [i * size], [size])
                return order[i * given[0] : tf.minimum((i + 1) * given[0], count)]

            def body(i: Any, totals: Any) -> Any:
                picked = rows_of(i)
                batch = [tf.gather(tensor, picked) for tensor in (x, y, weight)]
                return i + 1, totals + one_batch(*batch, shift, factor)

            loop = tf.while_loop(
                lambda i, _: i < stop, body, (first, totals), parallel_iterations=1
            )
            return loop[1]

        return steps

    if compiles(blueprint.jit_compile, model):
        return run_in_static_batches(cache(traced))
    steps = traced(None)

    def run(
        data: tuple[Any, ...], order: Any, size: int, first: int, stop: int, totals: Any,
        scaling: tuple[Any, Any],
    ) -> Any:  # fmt: skip
        return steps(*data, order, size, first, stop, totals, *scaling)

    return run


def _one_batch(
    model: Any,
    blueprint: Blueprint,
    targets: Callable[[Any], Any],
    decaying: tuple[Any, Any] | None,
) -> Callable[..., Any]:
    """Return a function that trains on a batch and returns the sums of loss, hits and weights."""
    import tensorflow as tf

    optimizer = model.optimizer
    middle = 0.0 if blueprint.meaning == LOGITS else 0.5

    def one_batch(x: Any, y: Any, weight: Any, shift: Any, factor: Any) -> Any:
        if decaying is not None:
            base, decay = decaying
            step = tf.cast(optimizer.iterations.value, tf.float32)
            optimizer.learning_rate.assign(base / (1.0 + decay * step))
        scaled = (tf.cast(x, tf.float32) - shift) * factor
        with tf.GradientTape() as tape:
            output = forward(model, scaled, training=True)
            loss = model._compute_loss(
                x=scaled, y=targets(y), y_pred=output, sample_weight=weight, training=True
            )
            total = optimizer.scale_loss(loss)
        if variables := model.trainable_weights:  # as Keras: without any, no step is taken
            gradients = tape.gradient(total, variables)
            optimizer.apply_gradients(zip(gradients, variables, strict=True))
        count = tf.cast(tf.shape(y)[0], tf.float64)
        mass = tf.reduce_sum(tf.cast(weight, tf.float64))
        hits = tf.cast(_hits(y, output, weight, middle), tf.float64)
        return tf.stack([tf.cast(loss, tf.float64) * count, hits, mass])

    return one_batch


def make_predict(model: Any, input_shape: tuple[int, ...], dtype: Any) -> Any:
    """Trace the prediction of any number of rows, ``PREDICT_ROWS`` at a time.

    The last rows are filled up to a whole packet with copies of the last one: Eigen computes rows
    that do not fill its vector registers by other code, so that a row's probability would depend
    on its place among the others.
    """
    import tensorflow as tf

    def chunk(x: Any, shift: Any, factor: Any) -> Any:
        output = forward(model, (tf.cast(x, tf.float32) - shift) * factor, training=False)
        return tf.cast(output, tf.float32)

    number = tf.TensorSpec((), tf.float32)

    @tf.function(autograph=False, input_signature=[_pixels(input_shape, dtype), number, number])
    def predict(x: Any, shift: Any, factor: Any) -> Any:
        count = tf.shape(x)[0]
        filled = -(-count // PACKETS) * PACKETS
        chunks = -(-filled // PREDICT_ROWS)
        done = tf.TensorArray(tf.float32, chunks, infer_shape=False)

        def body(i: Any, done: Any) -> Any:
            stop = tf.minimum((i + 1) * PREDICT_ROWS, filled)
            rows = tf.minimum(tf.range(i * PREDICT_ROWS, stop), count - 1)
            return i + 1, done.write(i, chunk(tf.gather(x, rows), shift, factor))

        loop = tf.while_loop(lambda i, _: i < chunks, body, (0, done), parallel_iterations=1)
        return loop[1].concat()[:count]

    return predict


def _pixels(input_shape: tuple[int, ...], dtype: Any) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None, *input_shape), dtype)


def _hits(y: Any, output: Any, weight: Any, middle: float) -> Any:
    import tensorflow as tf

    if output.shape[-1] == 1:
        guess = tf.cast(output[:, 0] > tf.cast(middle, output.dtype), y.dtype)
    else:
        guess = tf.argmax(output, axis=-1, output_type=y.dtype)
    return tf.reduce_sum(tf.cast(guess == y, weight.dtype) * weight)
