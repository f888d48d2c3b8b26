"""Train with Keras's own step, batch by batch, on one model for each fit.

The interface is that of :class:`sweep.training.graph_backend.GraphBackend`. Initial weights, row
order and dropout masks for a seed are the same; it is slower, and it takes any model.
``Model.fit`` is not called epoch by epoch: at the end of a fit it overwrites weights by their
averages, and would then do so at the end of each epoch.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.backend import FitState, Rows, Settings, epoch_order
from sweep.training.compiled_model import CompiledModel
from sweep.training.graph_eligibility import iterates_itself, may_draw, predicts_itself
from sweep.training.output_meaning import predicted
from sweep.training.tracing import traced_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.training.blueprint import Blueprint

ACCURACIES = (
    "accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy",
)  # fmt: skip


class KerasBackend(CompiledModel):
    """One fit's model, trained by Keras's ``train_function``.

    Parameters
    ----------
    blueprint, seed, model
        As for :class:`sweep.training.compiled_model.CompiledModel`.
    """

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None:
        super().__init__(blueprint, seed, model)
        self._unseen = blueprint.architecture.called is not None and may_draw(self.model)
        self._iterates = iterates_itself(self.model)
        self._predicts = predicts_itself(self.model)
        if blueprint.drawn:
            self._leave_graph()

    def _leave_graph(self) -> None:
        self.model.run_eagerly = self.draws.outside = True

    def train_epoch(
        self, state: FitState, rows: Rows, settings: Settings, told: Any = None
    ) -> dict[str, float]:
        """Run the next epoch of a fit, as :meth:`CompiledModel.train_epoch` does."""
        if self._unseen:
            self._look_at_step(rows)
        return super().train_epoch(state, rows, settings, told)

    def _look_at_step(self, rows: Rows) -> None:
        """See what a step of a person's own draws: no look at the layers has told."""
        self._unseen = False
        if not self.draws.outside:
            batch = next(self._batches(rows, np.arange(1), 1))
            _, drawn = self.draws.examine(lambda: traced_step(self.model, batch))
            if drawn:
                self._leave_graph()

    def _output(self, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        if not (self._predicts or self.model.run_eagerly):
            return super()._output(x, shift, factor)
        scaled = (x.astype(np.float32) - np.float32(shift)) * np.float32(factor)
        return predicted(self.model, scaled)

    def _run_epoch(
        self, rows: Rows, settings: Settings, state: FitState, told: Any
    ) -> dict[str, float]:
        model, logs = self.model, {}
        order = epoch_order(rows.count, settings.seed, state.epoch)
        rate = self._rate(settings, state.learning_rate)
        batches = self._batches(rows, order, settings.batch_size)
        for number, batch in enumerate(batches):
            if number == 0:
                self._ready(batch)
            if settings.learning_rate_decay and self._rate_held is not None:
                steps = float(self.optimizer.iterations.numpy())
                now = np.float32(rate / (1.0 + settings.learning_rate_decay * steps))
                self._rate_held.assign(now)
            if told is not None:
                told.on_train_batch_begin(number)
            logs = model.train_function(self._as_iterator(batch))
            if told is not None:
                told.on_train_batch_end(number, logs)
            if model.stop_training:
                break
        logs = model._get_metrics_result_or_logs(logs)
        found = {name: float(np.asarray(value)) for name, value in _flat(logs)}
        return {"loss": found.get("loss", float("nan")), "accuracy": _accuracy(found)}

    def _ready(self, batch: tuple[Any, ...]) -> None:
        """Do what Keras's fit does before its first batch of an epoch."""
        with warnings.catch_warnings():
            # Keras traces with labels of one axis, and says that it does not like them.
            warnings.simplefilter("ignore")
            self.model._maybe_symbolic_build(data_batch=batch)
        self.model.stop_training = False
        self.model.make_train_function()
        self.model.reset_metrics()

    def _as_iterator(self, batch: tuple[Any, ...]) -> Iterator[Any]:
        """Return an iterator of one batch; TensorFlow's where a person's own function takes it."""
        import tensorflow as tf

        return iter(tf.data.Dataset.from_tensors(batch) if self._iterates else [batch])

    def _batches(self, rows: Rows, order: np.ndarray, size: int) -> Iterator[tuple[Any, ...]]:
        import tensorflow as tf

        weighted = bool((rows.weight.numpy() != 1).any())
        for first in range(0, len(order), size):
            picked = order[first : first + size]
            x, y, weight = (tf.gather(each, picked) for each in (rows.x, rows.y, rows.weight))
            scaled = (tf.cast(x, tf.float32) - rows.shift) * rows.factor
            # As Model.fit: a train_step of one's own meets weights only where there are some.
            yield (scaled, self.targets(y), weight) if weighted else (scaled, self.targets(y))


def _flat(logs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield logs by name; a train_step of one's own may return those of metrics in a mapping."""
    for name, value in logs.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value


def _accuracy(logs: Mapping[str, float]) -> float:
    """Return the accuracy under whichever name it was compiled with, else NaN."""
    found = [value for name, value in logs.items() if name in ACCURACIES]
    return found[0] if found else float("nan")
