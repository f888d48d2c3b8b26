"""The plain path: SciKeras around ``Model.fit``, a fresh model for each fit.

The only file that imports SciKeras. Same interface as :class:`sweep.training.engine.Engine`, same
initial weights, row order and dropout masks for the same seed; slower, and it takes any model.
"""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.training.architecture import seeded_build
from sweep.training.engine import FitState, Rows, Settings, epoch_order, seed_values
from sweep.training.optimizers import OptimizerSettings, make_optimizer
from sweep.training.outputs import as_probabilities, gives_logits, loss_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sweep.training.architecture import Architecture


ACCURACIES = ("accuracy", "acc", "sparse_categorical_accuracy", "binary_accuracy")
NOTHING = 1e-20
"""A mean weight below this is of a batch without any weight."""


class SlowEngine:
    """Fit one estimator's model through SciKeras's ``KerasClassifier``.

    Parameters
    ----------
    architecture : Architecture
        Makes the Keras model, compiled or not.
    optimizer : OptimizerSettings
        How it is optimized, where the model is not compiled already.
    """

    def __init__(self, architecture: Architecture, optimizer: OptimizerSettings) -> None:
        self._architecture = architecture
        self._optimizer = optimizer
        self._wrapper: Any = None
        self._model: Any = None
        self._logits: bool | None = None
        self.by_batch: list[Any] = []

    @property
    def model(self) -> Any:
        """The Keras model."""
        return self._wrapper.model_ if self._wrapper else self._unfitted()

    def start(self, seed: int) -> FitState:
        """Return the state before the first epoch."""
        model = seeded_build(self._architecture, seed)
        self._wrapper = self._model = None
        return FitState(model.get_weights(), [])

    def train_epoch(self, state: FitState, rows: Rows, settings: Settings) -> dict[str, float]:
        """Run the next epoch of a fit, in place, by one call of ``partial_fit``."""
        self._optimizer = settings.optimizer
        x, y, weight = self._numpy(rows)
        wrapper = self._wrapper or self._new_wrapper(x, y, settings.batch_size, state)
        for variable, value in seed_values(wrapper.model_, settings.seed, state.epoch):
            variable.assign(value)
        order = epoch_order(len(x), settings.seed, state.epoch)
        with warnings.catch_warnings():
            # SciKeras hands over one-dimensional labels as Keras no longer likes them.
            warnings.simplefilter("ignore")
            shares = _batch_shares(weight[order], settings.batch_size)
            wrapper.partial_fit(x[order], y[order], sample_weight=shares)
        state.weights = wrapper.model_.get_weights()
        state.epoch += 1
        return {"loss": wrapper.history_["loss"][-1], "accuracy": _accuracy(wrapper.history_)}

    @contextmanager
    def visit(self, state: FitState, settings: Settings) -> Iterator[Any]:
        """Lend the Keras model to Keras callbacks; keep what they change."""
        self._optimizer = settings.optimizer
        model = self.model
        model.set_weights(state.weights)
        yield model
        state.weights = model.get_weights()

    def predict(self, state: FitState, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return probabilities for rows ``x``, shape ``(n, outputs)``, float32."""
        model = self.model
        model.set_weights(state.weights)
        scaled = (x.astype(np.float32) - np.float32(shift)) * np.float32(factor)
        output = np.asarray(model.predict(scaled, verbose=0), np.float32)
        return as_probabilities(output) if self._logits else output

    def _new_wrapper(self, x: np.ndarray, y: np.ndarray, batch_size: int, state: FitState) -> Any:
        from scikeras.wrappers import KerasClassifier

        model = self._unfitted()
        self._wrapper = KerasClassifier(
            model=lambda: model,
            batch_size=batch_size,
            shuffle=False,
            verbose=0,
            warm_start=True,
            callbacks=[_batch_relay(self.by_batch)] if self.by_batch else None,
        )
        self._wrapper.initialize(x, y)
        model.set_weights(state.weights)
        return self._wrapper

    def _unfitted(self) -> Any:
        """Return the model that the fit will train, the same one each time."""
        if self._model is None:
            self._model = self._compiled()
        return self._model

    def _compiled(self) -> Any:
        model = self._architecture.build()
        if self._logits is None:
            self._logits = gives_logits(model)
        if not getattr(model, "compiled", False):
            loss = loss_of(model, logits=bool(self._logits))
            optimizer = make_optimizer(self._optimizer, schedule=True)
            model.compile(optimizer=optimizer, loss=loss, weighted_metrics=["accuracy"])
        return model

    @staticmethod
    def _numpy(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = rows.x.numpy().astype(np.float32)
        scaled = (x - rows.shift.numpy()) * rows.factor.numpy()
        return scaled, rows.y.numpy(), rows.weight.numpy()


def _batch_shares(weight: np.ndarray, batch_size: int) -> np.ndarray:
    """Return weights whose mean is one in each batch: Keras divides by rows, not by weights.

    Zeros become the smallest of numbers, since SciKeras would take such rows out and so shift
    all batches behind them; a batch of nothing else stays that small.
    """
    shares = np.maximum(weight, np.float32(1e-30))
    for first in range(0, len(shares), batch_size):
        batch = shares[first : first + batch_size]
        if (mean := batch.mean()) > NOTHING:
            batch /= mean
    return shares


def _accuracy(history: Mapping[str, Sequence[float]]) -> float:
    """Return the last epoch's accuracy under whichever name it was compiled with, else NaN."""
    found = [values for name, values in history.items() if name in ACCURACIES and values]
    return float(found[0][-1]) if found else float("nan")


def _batch_relay(callbacks: list[Any]) -> Any:
    """Return a Keras callback that hands batches on; epochs are told elsewhere."""
    import keras

    class Relay(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            for callback in callbacks:
                callback.on_train_batch_begin(batch, logs)

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            for callback in callbacks:
                callback.on_train_batch_end(batch, logs)

    return Relay()
