"""Keras's own training step, batch by batch, on one model for each fit.

Slower than a graph call for many batches, but it trains any model. Initial weights, row order and
dropout masks of a seed are the same. ``Model.fit`` is not called epoch by epoch: at the end of a
fit it overwrites weights by their averages, and would then do so at the end of each epoch.
"""

from __future__ import annotations

import copy
import warnings
from itertools import islice
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from sweep.training.backend import EpochPart, FitState, Rows, Settings, epoch_order
from sweep.training.compiled_model import CompiledModel
from sweep.training.graph_eligibility import (
    has_user_train_function,
    may_draw_in_step,
    predicts_itself,
)
from sweep.training.output_meaning import predicted
from sweep.training.tracing import traced_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.training.blueprint import Blueprint

ACCURACIES = (
    "accuracy", "acc", "sparse_categorical_accuracy", "categorical_accuracy", "binary_accuracy",
)  # fmt: skip


class KerasBackend(CompiledModel):
    """Train the model of one fit by Keras's ``train_function``.

    Parameters
    ----------
    blueprint, seed, model
        As for :class:`sweep.training.backend.Backend`.
    """

    name: ClassVar = "keras"
    label: ClassVar = "Keras's own fit"
    shared: ClassVar = False
    calls_batch_callbacks: ClassVar = True
    checkpoints_running_fits: ClassVar = False

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None:
        super().__init__(blueprint, seed, model)
        is_users = not blueprint.architecture.is_built_in
        self._step_unchecked = is_users and may_draw_in_step(self.model)
        self._needs_dataset = has_user_train_function(self.model)
        # Such a model predicts by Keras: its own predict methods count, or no graph may hold it.
        self._predicts_by_keras = predicts_itself(self.model) or bool(blueprint.unseeded)
        if blueprint.unseeded:
            self._run_eagerly()

    def _run_eagerly(self) -> None:
        """Run without a graph, under global seeds: the code draws what no variable holds."""
        self.model.run_eagerly = self.random_sources.use_global_seeds = True

    def train_epoch(
        self, state: FitState, rows: Rows, settings: Settings, batch_callbacks: Any = None
    ) -> dict[str, float]:
        """Run the next epoch of a fit, or the rest of a begun one; update ``state`` in place."""
        if self._step_unchecked:
            self._check_step(rows)
        return super().train_epoch(state, rows, settings, batch_callbacks)

    def train_part(self, state: FitState, rows: Rows, settings: Settings, batches: int) -> None:
        """Run the next epoch of a fit as far as its first ``batches``; update ``state``."""
        if self._step_unchecked:
            self._check_step(rows)
        super().train_part(state, rows, settings, batches)

    def _check_step(self, rows: Rows) -> None:
        """Find out whether a user's training step draws; the layers do not tell."""
        self._step_unchecked = False
        if not self.random_sources.use_global_seeds:
            batch = next(self._batches(rows, np.arange(1), 1))
            _, unseeded = self.random_sources.trace(lambda: traced_step(self.model, batch))
            if unseeded:
                self._run_eagerly()

    def _output(self, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        if not self._predicts_by_keras:
            return super()._output(x, shift, factor)
        scaled = (x.astype(np.float32) - np.float32(shift)) * np.float32(factor)
        return predicted(self.model, scaled)

    def _part(self, state: FitState) -> EpochPart:
        """Return to the begin of the epoch: metrics and global generators hold no state to keep."""
        before = state.part or EpochPart(0)
        begun, seconds = before.begun or copy.copy(state), before.seconds
        vars(state).update(vars(begun))
        return EpochPart(0, seconds, begun=begun)

    def _run_epoch(
        self,
        rows: Rows,
        settings: Settings,
        state: FitState,
        part: EpochPart,
        batches: int | None,
        batch_callbacks: Any,
    ) -> dict[str, float]:
        model, logs = self.model, {}
        order = epoch_order(rows.count, settings.seed, state.epoch)
        rate = self._rate(settings, state.learning_rate)
        each = self._batches(rows, order, settings.batch_size)
        for number, batch in enumerate(islice(each, batches)):
            if number == 0:
                self._prepare_epoch(batch)
            if settings.learning_rate_decay and self._rate_variable is not None:
                steps = float(self.optimizer.iterations.numpy())
                now = np.float32(rate / (1.0 + settings.learning_rate_decay * steps))
                self._rate_variable.assign(now)
            if batch_callbacks is not None:
                batch_callbacks.on_train_batch_begin(number)
            logs = model.train_function(self._as_iterator(batch))
            if batch_callbacks is not None:
                batch_callbacks.on_train_batch_end(number, logs)
            part.batches = number + 1
            if model.stop_training:
                break
        logs = model._get_metrics_result_or_logs(logs)
        values = {name: float(np.asarray(value)) for name, value in _flat(logs)}
        return {"loss": values.get("loss", float("nan")), "accuracy": _accuracy(values)}

    def _prepare_epoch(self, batch: tuple[Any, ...]) -> None:
        """Do what Keras's fit does before its first batch of an epoch."""
        with warnings.catch_warnings():
            # Keras warns about labels of one axis, although it trains with them.
            warnings.simplefilter("ignore")
            self.model._maybe_symbolic_build(data_batch=batch)
        self.model.stop_training = False
        self.model.make_train_function()
        self.model.reset_metrics()

    def _as_iterator(self, batch: tuple[Any, ...]) -> Iterator[Any]:
        """Return an iterator of one batch; TensorFlow's if a user's train_function takes it."""
        import tensorflow as tf

        return iter(tf.data.Dataset.from_tensors(batch) if self._needs_dataset else [batch])

    def _batches(self, rows: Rows, order: np.ndarray, size: int) -> Iterator[tuple[Any, ...]]:
        import tensorflow as tf

        weighted = bool((rows.weight.numpy() != 1).any())
        for first in range(0, len(order), size):
            picked = order[first : first + size]
            some = rows.taken(picked)
            x, y, weight = some.x, some.y, some.weight
            scaled = (tf.cast(x, tf.float32) - rows.shift) * rows.factor
            # As Model.fit does: a user's train_step gets weights only if there are any.
            yield (scaled, self.targets(y), weight) if weighted else (scaled, self.targets(y))


def _flat(logs: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield logs by name; a user's train_step may return those of metrics as a nested mapping."""
    for name, value in logs.items():
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield name, value


def _accuracy(logs: Mapping[str, float]) -> float:
    """Return the accuracy under whichever name it was compiled with, else NaN."""
    found = [value for name, value in logs.items() if name in ACCURACIES]
    return found[0] if found else float("nan")
