"""What one call of Keras's own ``Model.fit`` gives from the same weights, rows and masks."""

from contextlib import ExitStack

import numpy as np

from sweep.training.architecture import seeded_build
from sweep.training.backend import epoch_order
from sweep.training.output_meaning import output_units
from sweep.training.random_state import RandomSources


def keras_weights(estimator, x, y, sample_weight=None, *, one_hot=False, eager=False):
    """Train the estimator's model, compiled by its factory, by ``Model.fit``; return weights.

    Parameters
    ----------
    estimator : KerasClassifier
        Fitted, with the epochs to run.
    x : ndarray
        Scaled rows.
    y : ndarray of int
        Class numbers.
    sample_weight : ndarray, optional
        Of each row.
    one_hot : bool
        Hand the labels over so.
    eager : bool
        Run without a graph, under global seeds set before each epoch.
    """
    import keras
    import tensorflow as tf

    seed, size = estimator.random_state, estimator.batch_size
    model = seeded_build(estimator._blueprint.architecture, seed)
    units = output_units(model, x.shape[1:])[0]
    if units == 1:
        y = y.astype(np.float32)[:, None]
    elif one_hot:
        y = np.eye(units, dtype=np.float32)[y]
    parts = [x, y] if sample_weight is None else [x, y, sample_weight.astype(np.float32)]

    random_sources, drawing = RandomSources(model), ExitStack()
    random_sources.use_global_seeds = model.run_eagerly = eager or model.run_eagerly

    class Seeds(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            drawing.close()
            drawing.enter_context(random_sources.seeded(seed, epoch))

    def batches():
        for epoch in range(estimator.epochs):
            order = epoch_order(len(x), seed, epoch)
            for first in range(0, len(x), size):
                rows = order[first : first + size]
                yield tuple(part[rows] for part in parts)

    like = [tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in parts]
    rows = tf.data.Dataset.from_generator(batches, output_signature=tuple(like))
    steps = -(-len(x) // size)
    words = {"epochs": estimator.epochs, "steps_per_epoch": steps, "verbose": 0, "shuffle": False}
    with drawing:
        drawing.enter_context(random_sources.seeded(seed, 0))
        model.fit(rows, callbacks=[Seeds()], **words)
    return model.get_weights()
