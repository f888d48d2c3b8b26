"""The fast fit: many batches in one graph call.

``Model.fit`` builds and traces a graph for every fit, and calls from Python into the runtime at
every batch. Here one model of an architecture is traced once in a process. Each fit loads its own
state (weights, optimizer, random seeds) into it, and one graph call runs many batches over data
that is already in memory.
"""

from __future__ import annotations

import time
from functools import cache, partial
from typing import TYPE_CHECKING, Any, ClassVar

from sweep.training.backend import EpochPart, FitState, Rows, Settings, epoch_order
from sweep.training.compiled_model import CompiledModel
from sweep.training.fused_optimizers import fuse
from sweep.training.graph_eligibility import LOSS, check_fast, check_seeded
from sweep.training.graphs import make_steps
from sweep.training.overrides import user_methods
from sweep.training.rate_variables import make_rate_variables, set_rates
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from sweep.training.blueprint import Blueprint

CALL_SECONDS = 0.5
"""About how long one graph call takes: Python handles signals only between two calls."""

FIRST_STEPS = 8
"""Batches in the first graph call of a model, before its speed is known."""


class GraphBackend(CompiledModel):
    """Train many batches in each graph call, on a model that all fits of a blueprint share.

    Parameters
    ----------
    blueprint, seed, model
        As for :class:`sweep.training.backend.Backend`.

    Raises
    ------
    UnsupportedModelError
        If the model has methods that a graph call would go around, or draws unseeded numbers.
    """

    name: ClassVar = "graph"
    label: ClassVar = "the fast fit"
    shared: ClassVar = True
    calls_batch_callbacks: ClassVar = False
    checkpoints_running_fits: ClassVar = True

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None:
        super().__init__(blueprint, seed, model)
        self.check_model(self.model)
        check_seeded(blueprint.unseeded or self._unseeded_in_loss())
        fuse(self.optimizer)
        built_in = blueprint.architecture.is_built_in
        self._rates = make_rate_variables(self.model) if built_in else []
        self._base_rate, self._decay = _variable(0.0), _variable(0.0)
        self.decays = blueprint.optimizer is not None and blueprint.optimizer.decays
        decaying = (self._base_rate, self._decay) if self.decays else None
        self._steps = cache(partial(make_steps, self.model, blueprint, self.targets, decaying))
        self._step_seconds = 0.0

    @staticmethod
    def check_model(model: Any) -> None:
        """Refuse a compiled model of which a graph call would leave a part out."""
        check_fast(model)

    def _unseeded_in_loss(self) -> str:
        """Return unseeded sources of random numbers in the model's own loss; empty if none."""
        if self.blueprint.optimizer is None or not any(user_methods(self.model, LOSS)):
            return ""
        shape = self.blueprint.architecture.input_shape
        return self.random_sources.trace(lambda: traced(self.model, shape))[1]

    def _set_rates(self, settings: Settings, callback_rate: float | None) -> None:
        super()._set_rates(settings, callback_rate)
        set_rates(self._rates, settings.rates)
        if self.decays:
            self._base_rate.assign(self._rate(settings, callback_rate))
            self._decay.assign(settings.learning_rate_decay)

    def _run_epoch(
        self,
        rows: Rows,
        settings: Settings,
        state: FitState,
        part: EpochPart,
        batches: int | None,
        _batch_callbacks: Any,
    ) -> dict[str, float]:
        import tensorflow as tf

        steps = self._steps(rows.x.dtype.name)
        order = epoch_order(rows.count, settings.seed, state.epoch)
        whole = tf.constant(order)
        totals, first = tf.constant(part.totals, tf.float64), part.batches
        last = min(-(-rows.count // settings.batch_size), batches or rows.count)
        size = settings.batch_size
        most = rows.most_batches(size)
        while first < last:
            stop = min(last, first + self._steps_per_call(), first + (most or last))
            began = time.perf_counter()
            some, places, begin = rows, whole, first
            if most:  # the batches of this call alone, in their order
                picked = order[first * size : stop * size]
                some, places, begin = rows.taken(picked), tf.range(len(picked), dtype=tf.int64), 0
            data, scaling = (some.x, some.y, some.weight), (rows.shift, rows.factor)
            totals = steps(data, places, size, begin, begin + stop - first, totals, scaling)
            totals.numpy()  # waits until the call has ended, so that its time is right
            self._step_seconds = (time.perf_counter() - began) / (stop - first)
            first = stop
        part.batches, part.totals = first, totals.numpy()
        loss, hits, mass = (float(value) for value in part.totals)
        return {"loss": loss / rows.count, "accuracy": hits / mass if mass else 0.0}

    def _steps_per_call(self) -> int:
        if not self._step_seconds:
            return FIRST_STEPS
        return max(1, int(CALL_SECONDS / self._step_seconds))


def _variable(value: float) -> Any:
    import tensorflow as tf

    return tf.Variable(value, dtype=tf.float32, trainable=False)
