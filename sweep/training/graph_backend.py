"""The fast fit: an epoch in one graph call.

A plain ``Model.fit`` builds and traces a graph for every fit and crosses from Python into the
runtime at every batch. Here one model of a given architecture is traced once in a process; a fit
loads its own state (weights, optimizer, random seeds) into it, and a graph call runs many
batches over data that already lies in memory.
"""

from __future__ import annotations

import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from sweep.training.backend import FitState, Rows, Settings, epoch_order
from sweep.training.compiled_model import CompiledModel
from sweep.training.dropout_rates import free_rates, set_rates
from sweep.training.fused_optimizers import fuse
from sweep.training.graph_eligibility import LOSS, check_draws, check_fast
from sweep.training.graphs import make_steps
from sweep.training.overrides import own_methods
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from sweep.training.blueprint import Blueprint

CALL_SECONDS = 0.5
"""A graph call is cut to about this long, so that a signal is heard soon."""

FIRST_STEPS = 8
"""Batches in the first graph calls of a model, before its speed is known."""


class GraphBackend(CompiledModel):
    """A traced model that fits take turns in.

    Parameters
    ----------
    blueprint, seed, model
        As for :class:`sweep.training.compiled_model.CompiledModel`.

    Raises
    ------
    NotFastError
        If only Keras's own fit can train it.
    """

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None:
        super().__init__(blueprint, seed, model)
        check_fast(self.model)
        check_draws(blueprint.drawn or self._drawn_by_loss())
        fuse(self.optimizer)
        built_in = blueprint.architecture.is_built_in
        self._dropout = free_rates(self.model) if built_in else []
        self._base_rate, self._decay = _variable(0.0), _variable(0.0)
        self.decays = blueprint.optimizer is not None and blueprint.optimizer.decays
        self._steps = cache(partial(make_steps, self))
        self._step_seconds = 0.0
        values = (*self._initial[seed], *self._fresh_optimizer)
        self.nbytes = 2 * sum(each.nbytes for each in values)

    def _drawn_by_loss(self) -> str:
        """Return what the loss draws from, where sweep compiles a model that computes it itself."""
        if self.blueprint.optimizer is None or not any(own_methods(self.model, LOSS)):
            return ""
        shape = self.blueprint.architecture.input_shape
        return self.draws.examine(lambda: traced(self.model, shape))[1]

    def _set_rates(self, settings: Settings, instead: float | None) -> None:
        super()._set_rates(settings, instead)
        set_rates(self._dropout, settings.dropout)
        if self.decays:
            self._base_rate.assign(self._rate(settings, instead))
            self._decay.assign(settings.learning_rate_decay)

    def _run_epoch(
        self, rows: Rows, settings: Settings, state: FitState, _told: Any
    ) -> dict[str, float]:
        import tensorflow as tf

        steps = self._steps(rows.x.dtype.name)
        order = tf.constant(epoch_order(rows.count, settings.seed, state.epoch))
        totals, first = tf.zeros(3, tf.float64), 0
        last = -(-rows.count // settings.batch_size)
        size = tf.constant(settings.batch_size, tf.int64)
        while first < last:
            stop = min(last, first + self._steps_per_call())
            began = time.perf_counter()
            span = (tf.constant(first, tf.int64), tf.constant(stop, tf.int64))
            totals = steps(
                rows.x, rows.y, rows.weight, order, size, *span, totals, rows.shift, rows.factor
            )
            totals.numpy()
            self._step_seconds = (time.perf_counter() - began) / (stop - first)
            first = stop
        loss, hits, mass = (float(value) for value in totals.numpy())
        return {"loss": loss / rows.count, "accuracy": hits / mass if mass else 0.0}

    def _steps_per_call(self) -> int:
        if not self._step_seconds:
            return FIRST_STEPS
        return max(1, int(CALL_SECONDS / self._step_seconds))


def _variable(value: float) -> Any:
    import tensorflow as tf

    return tf.Variable(value, dtype=tf.float32, trainable=False)
