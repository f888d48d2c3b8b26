"""What a fit is made of: its rows, its settings, and the state it has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Settings:
    """How an epoch is run; nothing here needs a new trace.

    Attributes
    ----------
    learning_rate : float or None
        Of the first step; None takes the optimizer's own.
    learning_rate_decay : float
        Inverse-time decay a step.
    batch_size : int
        Rows in a step.
    seed : int
        With the epoch, decides row order and dropout.
    dropout : tuple of float, or None
        Rate of each dropout layer; None leaves them as they were built.
    """

    learning_rate: float | None
    learning_rate_decay: float
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
    averaged : list of ndarray or None
        Weights that Keras would put in place of the trained ones if the fit ended here: those of
        an optimizer with ``use_ema``. The fit itself goes on from ``weights``.
    """

    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    epoch: int = 0
    learning_rate: float | None = None
    averaged: list[np.ndarray] | None = None

    @property
    def fitted(self) -> list[np.ndarray]:
        """The weights to predict with, and to keep."""
        return self.weights if self.averaged is None else self.averaged

    def ended(self) -> FitState:
        """Return the state that Keras leaves at the end of a fit, from which a next one begins."""
        return FitState(self.fitted, self.optimizer, self.epoch, self.learning_rate)


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


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the rows in an epoch: a permutation of ``range(count)``, int64."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def is_finite(values: Sequence[np.ndarray]) -> bool:
    """Return whether all numbers are: no NaN, no infinity."""
    return all(bool(np.isfinite(each).all()) for each in values)
