"""The epochs of one fit: held-out rows, early stopping, checkpoints, callbacks."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.mapped_rows import MappedRows
from sweep.estimators.checks import check_each_class, check_finite
from sweep.estimators.holdout import hold_out
from sweep.training.backend import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from sweep.datasets import Scaling
    from sweep.estimators.keras_callbacks import KerasCallbacks
    from sweep.training.backend import FitState


@dataclass(frozen=True)
class Prepared:
    """Checked rows: pixels, labels as places among the classes, weights."""

    pixels: np.ndarray
    labels: np.ndarray
    weight: np.ndarray

    def take(self, rows: np.ndarray) -> Prepared:
        """Return some of the rows."""
        return Prepared(self.pixels[rows], self.labels[rows], self.weight[rows])


class Fit:
    """Run the epochs of a fit.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        With state, backend and scaling set.
    rows : Prepared
        All rows of the fit; some are held out if early stopping or a callback needs them.
    callbacks : KerasCallbacks
        The user's.
    stopping : bool
        Stop early, by the loss of held-out rows.
    """

    def __init__(
        self, estimator: Any, rows: Prepared, callbacks: KerasCallbacks, *, stopping: bool
    ) -> None:
        self.estimator, self.callbacks, self.stopping = estimator, callbacks, stopping
        self.held_out: Prepared | None = None
        if stopping or callbacks.need_held_out_rows:
            share, seed = estimator.validation_fraction, estimator._seed
            fit, held_out = hold_out(estimator.classes_[rows.labels], share, seed)
            rows, self.held_out = rows.take(fit), rows.take(held_out)
            if not self.held_out.weight.any():
                raise ValueError(
                    f"sample_weight: of the {len(held_out)} rows that early stopping holds out at "
                    "least one must weigh more than 0, and all of them weigh 0; raise "
                    "validation_fraction, or leave out rows that do not count"
                )
            check_each_class(rows.weight, rows.labels, estimator.classes_)
        self.rows = _tensors(rows, estimator._scaling)

    @property
    def best(self) -> tuple[float, int, FitState] | None:
        """Loss, epoch and weights of the best epoch so far."""
        found: tuple[float, int, FitState] | None = self.estimator._best
        return found

    def run(self, context: Any, callback_args: Mapping[str, Any], resumed: int = 0) -> None:
        """Run up to ``epochs`` epochs.

        Parameters
        ----------
        context : sklearn.callback.CallbackContext
            Calls scikit-learn's callbacks at each epoch.
        callback_args : mapping
            Arguments for them that are the same at each epoch.
        resumed : int
            Epochs of this fit that another process has run.
        """
        estimator = self.estimator
        done = estimator.n_epochs_ - resumed
        self._call_train_begin()
        for number in range(resumed + 1, estimator.epochs + 1):
            if resumed and self._patience_exhausted():
                break
            step = context.subcontext(task_name="epoch")
            step.call_on_fit_task_begin(estimator=estimator, **callback_args)
            stop = self.epoch()
            self._store_checkpoint(done + number)
            now = {
                "estimator": estimator,
                "reconstruction_attributes": estimator._attributes_now,
                **callback_args,
            }
            stop |= bool(step.call_on_fit_task_end(**now))
            if stop:
                break
        self._call_train_end()
        self._restore_best(done + estimator.epochs)
        check_finite(estimator._state.fitted, "the weights", estimator.n_epochs_)

    def epoch(self) -> bool:
        """Run one epoch; return whether to stop after it."""
        estimator = self.estimator
        began = time.perf_counter() - _seconds_within_epoch(estimator._state)
        self._call_epoch_begin()
        logs = estimator._engine().train_epoch(
            estimator._state, self.rows, estimator._epoch_settings(), self.callbacks.batch_callbacks
        )
        estimator.n_epochs_ += 1
        if not np.isfinite(logs["loss"]):
            check_finite(estimator._state.weights, "the weights", estimator.n_epochs_)
        if self.held_out is not None:
            self._call(self.callbacks.test_begin)
            logs.update(self._score_held_out())
            self._call(
                self.callbacks.test_end, {n.removeprefix("val_"): v for n, v in logs.items()}
            )
        stop = self._update_best(logs.get("val_loss")) | self._call_epoch_end(logs)
        spent = estimator.history_.setdefault("seconds", [])
        spent.append((spent[-1] if spent else 0.0) + time.perf_counter() - began)
        for name, value in logs.items():
            estimator.history_.setdefault(name, []).append(float(value))
        return stop

    def part(self, rows: int) -> float:
        """Run the next epoch as far as its first rows, rounded up to whole batches.

        Returns the seconds of fitting from the start.
        """
        estimator = self.estimator
        began = time.perf_counter()
        batches, settings = ceil(rows / estimator.batch_size), estimator._epoch_settings()
        estimator._engine().train_part(estimator._state, self.rows, settings, batches)
        part = estimator._state.part
        part.seconds += time.perf_counter() - began
        return float(sum(estimator.history_["seconds"][-1:]) + part.seconds)

    def _score_held_out(self) -> dict[str, float]:
        """Return loss and accuracy of the held-out rows."""
        rows, estimator = self.held_out, self.estimator
        proba = estimator._proba(rows.pixels)  # type: ignore[union-attr]
        chosen = proba[np.arange(len(proba)), rows.labels]  # type: ignore[union-attr]
        losses = -np.log(np.clip(chosen, np.finfo(np.float32).eps, 1))
        right = proba.argmax(axis=1) == rows.labels  # type: ignore[union-attr]
        weight = rows.weight  # type: ignore[union-attr]
        mean = {"val_loss": losses, "val_accuracy": right}
        return {name: float(np.average(values, weights=weight)) for name, values in mean.items()}

    def _update_best(self, loss: float | None) -> bool:
        """Remember the best epoch; return whether to stop early."""
        estimator = self.estimator
        if not self.stopping or loss is None:
            return False
        if self.best is None or loss < self.best[0]:
            estimator._best = (loss, estimator.n_epochs_, copy.copy(estimator._state))
        return self._patience_exhausted()

    def _patience_exhausted(self) -> bool:
        """Return whether the last ``n_iter_no_change`` epochs were no better than the best one."""
        estimator = self.estimator
        waited = estimator.n_epochs_ - self.best[1] if self.best else 0
        return bool(self.stopping and waited >= estimator.n_iter_no_change)

    def _store_checkpoint(self, epoch: int) -> None:
        if epoch in (self.estimator.checkpoint_epochs or ()):
            self.estimator._checkpoints[epoch] = copy.copy(self._best_state())

    def _best_state(self) -> FitState:
        return self.best[2] if self.best else self.estimator._state

    def _restore_best(self, last: int) -> None:
        """Restore the best weights; checkpoints of epochs that were not run equal the last one."""
        estimator = self.estimator
        estimator._state = self._best_state()
        estimator.best_epoch_ = self.best[1] if self.best else estimator.n_epochs_
        for epoch in estimator.checkpoint_epochs or ():
            if estimator.n_epochs_ < epoch <= last:
                estimator._checkpoints[epoch] = copy.copy(estimator._state)

    # -- Keras callbacks -----------------------------------------------------------------------

    def _model_for_callbacks(self) -> AbstractContextManager[Any]:
        """Lend the model in its present state to callbacks."""
        estimator = self.estimator
        return estimator._engine().visit(estimator._state, estimator._epoch_settings())

    def _call(self, hook: Callable[..., None], *args: Any) -> None:
        if self.callbacks:
            with self._model_for_callbacks() as model:
                hook(model, *args)

    def _call_train_begin(self) -> None:
        steps = -(-self.rows.count // self.estimator.batch_size)
        self._call(self.callbacks.begin, self.estimator.epochs, steps)

    def _call_epoch_begin(self) -> None:
        self._call(self.callbacks.epoch_begin, self.estimator.n_epochs_ + 1)

    def _call_epoch_end(self, logs: Mapping[str, float]) -> bool:
        if not self.callbacks:
            return False
        with self._model_for_callbacks() as model:
            rate = float(np.asarray(model.optimizer.learning_rate))
            return self.callbacks.epoch_end(
                model, self.estimator.n_epochs_, {**logs, "learning_rate": rate}
            )

    def _call_train_end(self) -> None:
        self._call(self.callbacks.end)


def _seconds_within_epoch(state: FitState) -> float:
    return state.part.seconds if state.part else 0.0


def _tensors(rows: Prepared, scaling: Scaling) -> Rows:
    """Turn rows into tensors, once for all epochs."""
    import tensorflow as tf

    return Rows(
        rows.pixels if isinstance(rows.pixels, MappedRows) else tf.constant(rows.pixels),
        tf.constant(rows.labels, tf.int64),
        tf.constant(rows.weight),
        tf.constant(scaling.shift, tf.float32),
        tf.constant(1.0 / scaling.scale, tf.float32),
    )
