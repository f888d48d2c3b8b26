"""The epochs of one fit: held-out rows, early stopping, checkpoints, callbacks."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

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
    """Checked rows: pixels in the model's shape, labels as places, weights."""

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
        Begun: its state, engine and scaling are there.
    rows : Prepared
        All rows of the fit; a part is held out where stopping asks for it.
    hooks : KerasCallbacks
        The person's own.
    stopping : bool
        Stop early, by rows held out.
    """

    def __init__(
        self, estimator: Any, rows: Prepared, hooks: KerasCallbacks, *, stopping: bool
    ) -> None:
        self.estimator, self.hooks, self.stopping = estimator, hooks, stopping
        self.held: Prepared | None = None
        if stopping or hooks.watch_held_out:
            share, seed = estimator.validation_fraction, estimator._seed
            fit, held = hold_out(estimator.classes_[rows.labels], share, seed)
            rows, self.held = rows.take(fit), rows.take(held)
            if not self.held.weight.any():
                raise ValueError(
                    f"sample_weight: of the {len(held)} rows that early stopping holds out at "
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

    def run(self, context: Any, told: Mapping[str, Any], resumed: int = 0) -> None:
        """Run up to ``epochs`` epochs.

        Parameters
        ----------
        context : callback context
            scikit-learn's, told of each epoch.
        told : mapping
            What it is told.
        resumed : int
            Epochs of this fit that another process has done.
        """
        estimator = self.estimator
        done = estimator.n_epochs_ - resumed
        self._tell_begin()
        for number in range(resumed + 1, estimator.epochs + 1):
            if resumed and self._exhausted():
                break
            step = context.subcontext(task_name="epoch")
            step.call_on_fit_task_begin(estimator=estimator, **told)
            stop = self.epoch()
            self._keep(done + number)
            now = {"estimator": estimator, "reconstruction_attributes": estimator._as_now, **told}
            stop |= bool(step.call_on_fit_task_end(**now))
            if stop:
                break
        self._tell_end()
        self._settle(done + estimator.epochs)
        check_finite(estimator._state.fitted, "the weights", estimator.n_epochs_)

    def epoch(self) -> bool:
        """Run one epoch; return whether to stop after it."""
        estimator = self.estimator
        began = time.perf_counter()
        self._tell_epoch_begin()
        logs = estimator._engine().train_epoch(
            estimator._state, self.rows, estimator._epoch_settings(), self.hooks.of_batches
        )
        estimator.n_epochs_ += 1
        if not np.isfinite(logs["loss"]):
            check_finite(estimator._state.weights, "the weights", estimator.n_epochs_)
        if self.held is not None:
            self._tell(self.hooks.test_begin)
            logs.update(self._held_out())
            self._tell(self.hooks.test_end, {n.removeprefix("val_"): v for n, v in logs.items()})
        stop = self._judge(logs.get("val_loss")) | self._tell_epoch(logs)
        spent = estimator.history_.setdefault("seconds", [])
        spent.append((spent[-1] if spent else 0.0) + time.perf_counter() - began)
        for name, value in logs.items():
            estimator.history_.setdefault(name, []).append(float(value))
        return stop

    def _held_out(self) -> dict[str, float]:
        """Return loss and accuracy on the rows held out."""
        held, estimator = self.held, self.estimator
        proba = estimator._proba(held.pixels)  # type: ignore[union-attr]
        chosen = proba[np.arange(len(proba)), held.labels]  # type: ignore[union-attr]
        losses = -np.log(np.clip(chosen, np.finfo(np.float32).eps, 1))
        right = proba.argmax(axis=1) == held.labels  # type: ignore[union-attr]
        weight = held.weight  # type: ignore[union-attr]
        mean = {"val_loss": losses, "val_accuracy": right}
        return {name: float(np.average(values, weights=weight)) for name, values in mean.items()}

    def _judge(self, loss: float | None) -> bool:
        """Remember the best epoch; return whether none has been better for long enough."""
        estimator = self.estimator
        if not self.stopping or loss is None:
            return False
        if self.best is None or loss < self.best[0]:
            estimator._best = (loss, estimator.n_epochs_, copy.copy(estimator._state))
        return self._exhausted()

    def _exhausted(self) -> bool:
        """Return whether no epoch has been better for long enough."""
        estimator = self.estimator
        waited = estimator.n_epochs_ - self.best[1] if self.best else 0
        return bool(self.stopping and waited >= estimator.n_iter_no_change)

    def _keep(self, epoch: int) -> None:
        if epoch in (self.estimator.checkpoint_epochs or ()):
            self.estimator._checkpoints[epoch] = copy.copy(self._current())

    def _current(self) -> FitState:
        return self.best[2] if self.best else self.estimator._state

    def _settle(self, last: int) -> None:
        """Restore the best weights; epochs that were not run stand as the end does."""
        estimator = self.estimator
        estimator._state = self._current()
        estimator.best_epoch_ = self.best[1] if self.best else estimator.n_epochs_
        for epoch in estimator.checkpoint_epochs or ():
            if estimator.n_epochs_ < epoch <= last:
                estimator._checkpoints[epoch] = copy.copy(estimator._state)

    # -- Keras callbacks -----------------------------------------------------------------------

    def _visited(self) -> AbstractContextManager[Any]:
        """Lend the model to callbacks as it stands now."""
        estimator = self.estimator
        return estimator._engine().visit(estimator._state, estimator._epoch_settings())

    def _tell(self, what: Callable[..., None], *said: Any) -> None:
        if self.hooks:
            with self._visited() as model:
                what(model, *said)

    def _tell_begin(self) -> None:
        steps = -(-self.rows.count // self.estimator.batch_size)
        self._tell(self.hooks.begin, self.estimator.epochs, steps)

    def _tell_epoch_begin(self) -> None:
        self._tell(self.hooks.epoch_begin, self.estimator.n_epochs_ + 1)

    def _tell_epoch(self, logs: Mapping[str, float]) -> bool:
        if not self.hooks:
            return False
        with self._visited() as model:
            rate = float(np.asarray(model.optimizer.learning_rate))
            return self.hooks.epoch(
                model, self.estimator.n_epochs_, {**logs, "learning_rate": rate}
            )

    def _tell_end(self) -> None:
        self._tell(self.hooks.end)


def _tensors(rows: Prepared, scaling: Scaling) -> Rows:
    """Put rows where the fit reads them, once."""
    import tensorflow as tf

    return Rows(
        tf.constant(rows.pixels),
        tf.constant(rows.labels, tf.int64),
        tf.constant(rows.weight),
        tf.constant(scaling.shift, tf.float32),
        tf.constant(1.0 / scaling.scale, tf.float32),
    )
