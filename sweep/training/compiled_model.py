"""A compiled Keras model that fits load their state into; how an epoch runs is a subclass's."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.backend import FitState, Rows, Settings
from sweep.training.graphs import make_predict
from sweep.training.output_meaning import as_probabilities, output_units, takes_one_hot
from sweep.training.random_state import Draws
from sweep.training.tracing import traced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweep.training.blueprint import Blueprint


class CompiledModel:
    """A compiled model that holds the state of one fit at a time.

    Parameters
    ----------
    blueprint : Blueprint
        What to build, and how it is optimized.
    seed : int
        Of the first initial weights.
    model : keras.Model, optional
        Built by the blueprint with that seed already.
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
        self._rate_held = rate if hasattr(rate, "assign") else None  # else a schedule of Keras's
        self._averages = bool(getattr(inner, "use_ema", False))
        self._default_rate = self._rate_now()
        self._fresh_optimizer = [_number(v) for v in self.optimizer.variables]
        self._predict = cache(partial(make_predict, self.model, blueprint.architecture.input_shape))
        self.draws = Draws(self.model)
        if blueprint.foreign:
            self.draws.examine(lambda: traced(self.model, blueprint.architecture.input_shape))
        self._weights: list[np.ndarray] | None = None
        self._slots: list[np.ndarray] | None = None

    def start(self, seed: int, model: Any = None) -> FitState:
        """Return the state of a fit before its first epoch: initial weights from ``seed``."""
        with self.lock:
            if model is not None:  # its weights may be set by more than the seed
                return FitState([_number(v) for v in model.weights], list(self._fresh_optimizer))
            if seed not in self._initial:
                self._initial = {seed: [_number(v) for v in self.blueprint.build(seed).weights]}
            return FitState(list(self._initial[seed]), list(self._fresh_optimizer))

    def train_epoch(
        self, state: FitState, rows: Rows, settings: Settings, told: Any = None
    ) -> dict[str, float]:
        """Run the next epoch of a fit, in place.

        Shuffling and dropout are a pure function of ``(seed, epoch)``.

        Parameters
        ----------
        state : FitState
            Of the fit.
        rows : Rows
            What it trains on.
        settings : Settings
            How.
        told : object, optional
            Hears of each batch, where the subclass can tell.

        Returns
        -------
        dict of str to float
            ``loss`` and ``accuracy``, means over the training rows as Keras reports them.
        """
        with self.lock:
            self._load(state)
            self._weights = self._slots = None  # until the epoch is whole: a signal may end it
            self._set_rates(settings, state.learning_rate)
            with self.draws.at(settings.seed, state.epoch):
                logs = self._run_epoch(rows, settings, state, told)
            self._unload(state)
            self._average(state)
            state.epoch += 1
        return logs

    @contextmanager
    def visit(self, state: FitState, settings: Settings) -> Iterator[Any]:
        """Lend the Keras model, loaded with a state, to Keras callbacks; keep what they change."""
        with self.lock:
            self._build_metrics()
            self._load(state)
            self._set_rates(settings, state.learning_rate)
            self._weights = self._slots = None
            before = self._rate_now()
            yield self.model
            after = self._rate_now()
            if after != before:
                state.learning_rate = after
            self._unload(state)

    def targets(self, y: Any) -> Any:
        """Return class numbers as the loss wants them, shape ``(n,)``, ``(n, 1)`` or one-hot."""
        import tensorflow as tf

        if self.units == (1,):
            return tf.cast(y, tf.float32)[:, None]
        return tf.one_hot(y, self.units[0]) if self.one_hot else y

    def predict(self, state: FitState, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return probabilities for rows ``x``, shape ``(n, n_classes)``, float32.

        They are not finite where the weights are not.
        """
        with self.lock:
            self._load_weights(state.fitted)
            with self.draws.at(0, state.epoch):  # a layer may draw here too
                output = self._output(x, shift, factor)
        return as_probabilities(output, self.blueprint.meaning)

    def _output(self, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return what the model gives for rows; its weights are loaded."""
        import tensorflow as tf

        scaling = (tf.constant(shift, tf.float32), tf.constant(factor, tf.float32))
        output: np.ndarray = self._predict(x.dtype.name)(tf.convert_to_tensor(x), *scaling).numpy()
        return output

    def _build_metrics(self) -> None:
        """Let Keras know its metrics: callbacks look for the one that they monitor."""
        metrics = self.model._compile_metrics
        if metrics is not None and not metrics.built:
            x = np.zeros((1, *self.blueprint.architecture.input_shape), np.float32)
            labels = self.targets(np.zeros(1, np.int64))
            metrics.build(labels, self.model(x, training=False))

    def _run_epoch(
        self, rows: Rows, settings: Settings, state: FitState, told: Any
    ) -> dict[str, float]:
        """Train on every row once; the state is loaded."""
        raise NotImplementedError

    def _read_weights(self) -> list[np.ndarray]:
        return [_number(v) for v in self.model.weights]

    def _load(self, state: FitState) -> None:
        self._load_weights(state.weights)
        if self._slots is not state.optimizer:
            self._slots = None
            _assign_all(self.optimizer.variables, state.optimizer)
            self._slots = state.optimizer

    def _load_weights(self, weights: list[np.ndarray]) -> None:
        """Put weights into the model, unless they are what it holds."""
        if self._weights is not weights:
            self._weights = None
            _assign_all(self.model.weights, weights)
            self._weights = weights

    def _unload(self, state: FitState) -> None:
        state.weights = self._weights = self._read_weights()
        state.optimizer = self._slots = [_number(v) for v in self.optimizer.variables]

    def _average(self, state: FitState) -> None:
        """Ask the optimizer for the weights with which a fit would end here."""
        if self._averages:
            self._weights = None
            self.optimizer.finalize_variable_values(self.model.trainable_weights)
            state.averaged = self._weights = self._read_weights()

    def _set_rates(self, settings: Settings, instead: float | None) -> None:
        if self._rate_held is not None:
            self._rate_held.assign(self._rate(settings, instead))

    def _rate_now(self) -> float:
        """Return the optimizer's rate; 0 where a schedule gives another at each step."""
        return 0.0 if self._rate_held is None else float(_number(self._rate_held))

    def _rate(self, settings: Settings, instead: float | None) -> float:
        """Return the rate of the first step: a callback's, the fit's, the optimizer's own."""
        asked = (instead, settings.learning_rate, self._default_rate)
        return next(rate for rate in asked if rate is not None)


def _assign_all(variables: Sequence[Any], values: Sequence[np.ndarray]) -> None:
    """Assign without Keras's checks of each value, which cost more than small values do."""
    for variable, value in zip(variables, values, strict=True):
        getattr(variable, "_value", variable).assign(value, read_value=False)


def _number(variable: Any) -> np.ndarray:
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)
