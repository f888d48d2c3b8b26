"""One compiled model: weights that can be reset and swapped, and an epoch in one graph call.

A plain ``Model.fit`` builds and traces a graph for every fit and crosses from Python into the
runtime at every batch. Here one model of a given architecture is traced once in a process; a fit
loads its own state (weights, optimizer, random seeds) into it, and a graph call runs many
batches over data that already lies in memory.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.architecture import seeded_build
from sweep.training.dropout import free_rates, set_rates
from sweep.training.eligible import check_fast
from sweep.training.fused import fuse
from sweep.training.graphs import make_predict, make_steps
from sweep.training.optimizers import OptimizerSettings, make_optimizer
from sweep.training.outputs import as_probabilities, gives_logits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweep.training.architecture import Architecture

CALL_SECONDS = 0.5
"""A graph call is cut to about this long, so that a signal is heard soon."""

FIRST_STEPS = 8
"""Batches in the first graph calls of a model, before its speed is known."""


@dataclass(frozen=True)
class Settings:
    """How an epoch is run; nothing here needs a new trace.

    Attributes
    ----------
    optimizer : OptimizerSettings
        Rates and decay.
    batch_size : int
        Rows in a step.
    seed : int
        With the epoch, decides row order and dropout.
    dropout : tuple of float, or None
        Rate of each dropout layer; None leaves them as they were built.
    """

    optimizer: OptimizerSettings
    batch_size: int
    seed: int
    dropout: tuple[float, ...] | None = None


@dataclass
class FitState:
    """All that a half-finished fit is: enough to stop it, continue it, repeat it exactly.

    Attributes
    ----------
    weights, optimizer : list of ndarray
        Values of the model's and the optimizer's variables, in their order.
    epoch : int
        Epochs done.
    learning_rate : float or None
        Set by a Keras callback in place of the estimator's.
    """

    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    epoch: int = 0
    learning_rate: float | None = None


@dataclass(frozen=True)
class Rows:
    """Training rows as tensors, in memory once: pixels, labels, weights, and their scaling."""

    x: Any
    y: Any
    weight: Any
    shift: Any
    factor: Any

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.x.shape[0])


class Engine:
    """A traced model that fits take turns in.

    Parameters
    ----------
    architecture : Architecture
        What to build; built again for the initial weights of another seed.
    optimizer : OptimizerSettings
        What the optimizer's trace depends on; rates are set by each fit.
    seed : int
        The seed of the first initial weights.
    """

    def __init__(self, architecture: Architecture, optimizer: OptimizerSettings, seed: int) -> None:
        self.lock = threading.RLock()
        self._architecture = architecture
        self.model = seeded_build(architecture, seed)
        check_fast(self.model)
        if not getattr(self.model, "optimizer", None):
            # Without a rate: that of None is the optimizer's own, whoever comes first.
            self.model.optimizer = make_optimizer(replace(optimizer, learning_rate=None))
        self.optimizer = self.model.optimizer
        self.optimizer.build(self.model.trainable_variables)
        fuse(self.optimizer)
        known = architecture.dropout_rates()
        self.logits = known is None and gives_logits(self.model)
        self._dropout = [] if known is None else free_rates(self.model)
        self._base_rate, self._decay = _variable(0.0), _variable(0.0)
        self._fixed_rate = not _is_variable(self.optimizer)
        self.decays = optimizer.learning_rate_decay > 0 and not self._fixed_rate
        self._default_rate = float(_number(self.optimizer.learning_rate))
        self._fresh_optimizer = [_number(v) for v in self.optimizer.variables]
        self._initial = {seed: self._read_weights()}
        self._steps = cache(partial(make_steps, self))
        self._predict = cache(partial(make_predict, self.model))
        self._weights: list[np.ndarray] | None = None
        self._slots: list[np.ndarray] | None = None
        self._step_seconds = 0.0
        weights, slots = self._initial[seed], self._fresh_optimizer
        self.nbytes = 2 * sum(values.nbytes for values in (*weights, *slots))

    def start(self, seed: int) -> FitState:
        """Return the state of a fit before its first epoch: initial weights from ``seed``."""
        with self.lock:
            if seed not in self._initial:
                model = seeded_build(self._architecture, seed)
                self._initial = {seed: [_number(v) for v in model.weights]}
            return FitState(list(self._initial[seed]), list(self._fresh_optimizer))

    def train_epoch(self, state: FitState, rows: Rows, settings: Settings) -> dict[str, float]:
        """Run the next epoch of a fit, in place.

        Shuffling and dropout are a pure function of ``(seed, epoch)``.

        Returns
        -------
        dict of str to float
            ``loss`` and ``accuracy``, means over the training rows as Keras reports them.
        """
        with self.lock:
            self._load(state)
            self._weights = self._slots = None  # until the epoch is whole: a signal may end it
            self._set_rates(settings.optimizer, state.learning_rate)
            set_rates(self._dropout, settings.dropout)
            for variable, value in seed_values(self.model, settings.seed, state.epoch):
                variable.assign(value)
            totals = self._run_batches(rows, settings, state.epoch)
            self._unload(state)
            state.epoch += 1
        return {"loss": totals[0] / totals[2], "accuracy": totals[1] / totals[2]}

    @contextmanager
    def visit(self, state: FitState, settings: Settings) -> Iterator[Any]:
        """Lend the Keras model, loaded with a state, to Keras callbacks; keep what they change."""
        with self.lock:
            self._load(state)
            self._set_rates(settings.optimizer, state.learning_rate)
            self._weights = self._slots = None
            before = float(_number(self.optimizer.learning_rate))
            yield self.model
            after = float(_number(self.optimizer.learning_rate))
            if after != before:
                state.learning_rate = after
            self._unload(state)

    def predict(self, state: FitState, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return probabilities for rows ``x``, shape ``(n, outputs)``, float32."""
        import tensorflow as tf

        with self.lock:
            self._load_weights(state)
            scaling = (tf.constant(shift, tf.float32), tf.constant(factor, tf.float32))
            output = self._predict(x.dtype.name)(tf.convert_to_tensor(x), *scaling).numpy()
        return as_probabilities(output) if self.logits else output

    def _read_weights(self) -> list[np.ndarray]:
        return [_number(v) for v in self.model.weights]

    def _load(self, state: FitState) -> None:
        self._load_weights(state)
        if self._slots is not state.optimizer:
            self._slots = None
            _assign_all(self.optimizer.variables, state.optimizer)
            self._slots = state.optimizer

    def _load_weights(self, state: FitState) -> None:
        """Put a state's weights into the model, unless they are what it holds."""
        if self._weights is not state.weights:
            self._weights = None
            _assign_all(self.model.weights, state.weights)
            self._weights = state.weights

    def _unload(self, state: FitState) -> None:
        state.weights = self._weights = self._read_weights()
        state.optimizer = self._slots = [_number(v) for v in self.optimizer.variables]

    def _set_rates(self, settings: OptimizerSettings, instead: float | None) -> None:
        if self._fixed_rate:
            return
        asked = (instead, settings.learning_rate, self._default_rate)
        rate = next(rate for rate in asked if rate is not None)
        if self.decays:
            self._base_rate.assign(rate)
            self._decay.assign(settings.learning_rate_decay)
        else:
            self.optimizer.learning_rate.assign(rate)

    def _run_batches(self, rows: Rows, settings: Settings, epoch: int) -> list[float]:
        import tensorflow as tf

        steps = self._steps(rows.x.dtype.name)
        order = tf.constant(epoch_order(rows.count, settings.seed, epoch))
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
        return [float(value) for value in totals.numpy()]

    def _steps_per_call(self) -> int:
        if not self._step_seconds:
            return FIRST_STEPS
        return max(1, int(CALL_SECONDS / self._step_seconds))


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the rows in an epoch: a permutation of ``range(count)``, int64."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def seed_values(model: Any, seed: int, epoch: int) -> list[tuple[Any, np.ndarray]]:
    """Return each random state of a model (dropout, augmentation) with its value for an epoch."""
    states = [v for v in model.variables if v.name == "seed_generator_state"]
    return [(v, np.array([seed + 7919 * (i + 1), epoch << 20])) for i, v in enumerate(states)]


def _variable(value: float) -> Any:
    import tensorflow as tf

    return tf.Variable(value, dtype=tf.float32, trainable=False)


def _assign_all(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Assign without Keras's checks of each value, which cost more than small values do."""
    for variable, value in zip(variables, values, strict=True):
        getattr(variable, "_value", variable).assign(value, read_value=False)


def _number(variable: Any) -> np.ndarray:
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def _is_variable(optimizer: Any) -> bool:
    return hasattr(optimizer._learning_rate, "assign")
