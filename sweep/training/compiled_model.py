"""What the backends have in common: one compiled Keras model that fits load their state into."""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.mapped_rows import MappedRows
from sweep.training.backend import EpochPart, FitState, Rows, Settings
from sweep.training.graphs import make_predict
from sweep.training.optimizers import as_written
from sweep.training.output_meaning import (
    PREDICT_ROWS,
    as_probabilities,
    output_units,
    takes_one_hot,
)
from sweep.training.random_state import RandomSources
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweep.training.blueprint import Blueprint


class CompiledModel:
    """A compiled model that holds the state of one fit at a time.

    Its methods do what :class:`sweep.training.backend.Backend` promises; a subclass defines how an
    epoch runs.

    Parameters
    ----------
    blueprint, seed, model
        As for :class:`sweep.training.backend.Backend`.
    """

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None:
        self.lock = threading.RLock()
        self.blueprint = blueprint
        self.model = blueprint.build(seed) if model is None else model
        self._initial = {seed: self._read_weights()}
        blueprint.compiled(self.model)
        self.optimizer = self.model.optimizer
        self.optimizer.build(self.model.trainable_weights)
        self.units = output_units(self.model, blueprint.architecture.input_shape)
        self.one_hot = self.units != (1,) and takes_one_hot(self.model.loss)
        inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        rate = inner._learning_rate
        # A schedule of Keras's has no variable: it computes the rate of each step.
        self._rate_variable = rate if hasattr(rate, "assign") else None
        self._averages = bool(getattr(inner, "use_ema", False))
        self._default_rate = self._rate_now()
        self._fresh_optimizer = [_to_numpy(v) for v in self.optimizer.variables]
        values = (*self._initial[seed], *self._fresh_optimizer)
        self.nbytes = 2 * sum(each.nbytes for each in values)  # a copy each here and in the runtime
        self._predict = cache(partial(make_predict, self.model, blueprint.architecture.input_shape))
        self.random_sources = RandomSources(self.model)
        if blueprint.foreign_generators:
            self.random_sources.trace(
                lambda: traced(self.model, blueprint.architecture.input_shape)
            )
        # Which lists of arrays the variables hold now, so that the same fit is not loaded twice.
        self._loaded_weights: list[np.ndarray] | None = None
        self._loaded_optimizer: list[np.ndarray] | None = None

    @staticmethod
    def check_model(model: Any) -> None:
        """Accept any compiled model."""

    def start(self, seed: int, model: Any = None) -> FitState:
        """Return the state of a fit before its first epoch."""
        with self.lock:
            if model is not None:  # its factory may set weights that do not follow from the seed
                return FitState([_to_numpy(v) for v in model.weights], list(self._fresh_optimizer))
            if seed not in self._initial:
                self._initial = {seed: [_to_numpy(v) for v in self.blueprint.build(seed).weights]}
            return FitState(list(self._initial[seed]), list(self._fresh_optimizer))

    def train_epoch(
        self, state: FitState, rows: Rows, settings: Settings, batch_callbacks: Any = None
    ) -> dict[str, float]:
        """Run the next epoch of a fit, or the rest of a begun one; update ``state`` in place."""
        with self.lock:
            part = self._part(state)
            logs = self._train(state, part, rows, settings, None, batch_callbacks)
            state.epoch, state.part = state.epoch + 1, None
        return logs

    def train_part(self, state: FitState, rows: Rows, settings: Settings, batches: int) -> None:
        """Run the next epoch of a fit as far as its first ``batches``; update ``state``."""
        if state.part is not None and state.part.batches >= batches:
            return
        with self.lock:
            part = self._part(state)
            self._train(state, part, rows, settings, batches, None)
            state.part = part

    def _part(self, state: FitState) -> EpochPart:
        """Return how far a fit is within its next epoch."""
        return EpochPart(0) if state.part is None else copy.copy(state.part)

    def _train(
        self,
        state: FitState,
        part: EpochPart,
        rows: Rows,
        settings: Settings,
        batches: int | None,
        batch_callbacks: Any,
    ) -> dict[str, float]:
        """Run batches of an epoch, from where ``part`` is; None runs it to its end."""
        self._load(state)
        # A signal may end the epoch half-way; the variables then hold the state of no fit.
        self._loaded_weights = self._loaded_optimizer = None
        self._set_rates(settings, state.learning_rate)
        with self.random_sources.seeded(settings.seed, state.epoch, part.random):
            logs = self._run_epoch(rows, settings, state, part, batches, batch_callbacks)
            if batches is not None:
                part.random = self.random_sources.now()
        self._unload(state)
        self._average(state)
        return logs

    @contextmanager
    def visit(self, state: FitState, settings: Settings) -> Iterator[Any]:
        """Lend the Keras model, loaded with ``state``, to callbacks; store what they change."""
        with self.lock:
            self._build_metrics()
            self._load(state)
            self._set_rates(settings, state.learning_rate)
            self._loaded_weights = self._loaded_optimizer = None
            before = self._rate_now()
            yield self.model
            after = self._rate_now()
            if after != before:
                state.learning_rate = after
            self._unload(state)

    def optimizer_config(self, settings: Settings, state: FitState) -> dict[str, Any]:
        """Return class and settings of the optimizer, with the initial rate of this fit."""
        with self.lock:
            inner = getattr(self.optimizer, "inner_optimizer", self.optimizer)
            found = {**inner.get_config(), "name": type(inner).__name__}
        if self._rate_variable is not None:
            found["learning_rate"] = as_written(self._rate(settings, state.learning_rate))
        return found

    def targets(self, y: Any) -> Any:
        """Return class numbers as the loss takes them: shape ``(n,)``, ``(n, 1)`` or one-hot."""
        import tensorflow as tf

        if self.units == (1,):
            return tf.cast(y, tf.float32)[:, None]
        return tf.one_hot(y, self.units[0]) if self.one_hot else y

    def predict(self, state: FitState, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return probabilities of the rows ``(x - shift) * factor``."""
        with self.lock:
            self._load_weights(state.fitted)
            # A layer may draw random numbers here too.
            with self.random_sources.seeded(0, state.epoch):
                output = self._outputs(x, shift, factor)
        return as_probabilities(output, self.blueprint.meaning)

    def _outputs(self, x: Any, shift: float, factor: float) -> np.ndarray:
        """Return the model's output; rows on the disk are read in whole packets, as others are."""
        if not isinstance(x, MappedRows):
            return self._output(x, shift, factor)
        pieces = [self._output(piece, shift, factor) for piece in x.pieces(PREDICT_ROWS)]
        return np.concatenate(pieces)

    def _output(self, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return the model's output for rows; its weights are loaded."""
        import tensorflow as tf

        scaling = (tf.constant(shift, tf.float32), tf.constant(factor, tf.float32))
        output: np.ndarray = self._predict(x.dtype.name)(tf.convert_to_tensor(x), *scaling).numpy()
        return output

    def _build_metrics(self) -> None:
        """Build the metrics: callbacks look up the name of the one that they monitor."""
        metrics = self.model._compile_metrics
        if metrics is not None and not metrics.built:
            x = np.zeros((1, *self.blueprint.architecture.input_shape), np.float32)
            labels = self.targets(np.zeros(1, np.int64))
            metrics.build(labels, self.model(x, training=False))

    def _run_epoch(
        self,
        rows: Rows,
        settings: Settings,
        state: FitState,
        part: EpochPart,
        batches: int | None,
        batch_callbacks: Any,
    ) -> dict[str, float]:
        """Train on every row once, or on some batches; the state is loaded, ``part`` updated."""
        raise NotImplementedError

    def _read_weights(self) -> list[np.ndarray]:
        return [_to_numpy(v) for v in self.model.weights]

    def _load(self, state: FitState) -> None:
        self._load_weights(state.weights)
        if self._loaded_optimizer is not state.optimizer:
            self._loaded_optimizer = None
            _assign_all(self.optimizer.variables, state.optimizer)
            self._loaded_optimizer = state.optimizer

    def _load_weights(self, weights: list[np.ndarray]) -> None:
        """Put weights into the model, unless it holds them already."""
        if self._loaded_weights is not weights:
            self._loaded_weights = None
            _assign_all(self.model.weights, weights)
            self._loaded_weights = weights

    def _unload(self, state: FitState) -> None:
        state.weights = self._loaded_weights = self._read_weights()
        state.optimizer = self._loaded_optimizer = [_to_numpy(v) for v in self.optimizer.variables]

    def _average(self, state: FitState) -> None:
        """Store the averaged weights with which Keras would end the fit here."""
        if self._averages:
            self._loaded_weights = None
            self.optimizer.finalize_variable_values(self.model.trainable_weights)
            state.averaged = self._loaded_weights = self._read_weights()

    def _set_rates(self, settings: Settings, callback_rate: float | None) -> None:
        if self._rate_variable is not None:
            self._rate_variable.assign(self._rate(settings, callback_rate))

    def _rate_now(self) -> float:
        """Return the optimizer's rate; 0 if a schedule computes it for each step."""
        return 0.0 if self._rate_variable is None else float(_to_numpy(self._rate_variable))

    def _rate(self, settings: Settings, callback_rate: float | None) -> float:
        """Return the rate of the first step: a callback's, else the fit's, else the default."""
        rates = (callback_rate, settings.learning_rate, self._default_rate)
        return next(rate for rate in rates if rate is not None)


def _assign_all(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Assign values without Keras's checks, which take longer than copying a small array."""
    for variable, value in zip(variables, values, strict=True):
        getattr(variable, "_value", variable).assign(value, read_value=False)


def _to_numpy(variable: Any) -> np.ndarray:
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
