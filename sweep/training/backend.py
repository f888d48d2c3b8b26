"""The protocol of a training backend, and what a fit hands to it: rows, settings, state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from sweep.datasets.mapped_rows import PIECE, MappedRows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from sweep.training.blueprint import Blueprint


@dataclass(frozen=True)
class Settings:
    """Settings of an epoch that can change without tracing the model again.

    Attributes
    ----------
    learning_rate : float or None
        Rate of the first step; None takes the optimizer's default.
    learning_rate_decay : float
        Inverse-time decay for each step.
    batch_size : int
        Rows in a step.
    seed : int
        Together with the epoch it decides row order and dropout masks.
    rates : tuple of float, or None
        Dropout rates, penalties and largest norms (:func:`sweep.models.rates.rates`); None keeps
        those that the factory has set.
    """

    learning_rate: float | None
    learning_rate_decay: float
    batch_size: int
    seed: int
    rates: tuple[float, ...] | None = None


@dataclass
class EpochPart:
    """How far a fit is within an epoch that it has begun: enough to continue it exactly.

    Attributes
    ----------
    batches : int
        Batches of the epoch that are trained.
    seconds : float
        Seconds that they took.
    totals : ndarray of shape (3,)
        Sums over their rows from which the epoch's loss and accuracy follow.
    random : list of ndarray
        States of the model's random generators.
    begun : FitState or None
        The fit before the epoch, where its backend cannot continue one, but repeats its first
        batches.
    """

    batches: int
    seconds: float = 0.0
    totals: np.ndarray = field(default_factory=lambda: np.zeros(3))
    random: list[np.ndarray] = field(default_factory=list)
    begun: FitState | None = None


@dataclass
class FitState:
    """The whole state of a fit between two epochs, or within one: enough to continue it exactly.

    Attributes
    ----------
    weights, optimizer : list of ndarray
        Values of the model's and the optimizer's variables, in their order.
    epoch : int
        Finished epochs.
    learning_rate : float or None
        Set by a Keras callback; it replaces the estimator's.
    averaged : list of ndarray or None
        Weights with which Keras would replace the trained ones if the fit ended here: those of an
        optimizer with ``use_ema``. The fit itself continues from ``weights``.
    part : EpochPart or None
        How far it is within its next epoch; None between two epochs.
    """

    weights: list[np.ndarray]
    optimizer: list[np.ndarray]
    epoch: int = 0
    learning_rate: float | None = None
    averaged: list[np.ndarray] | None = None
    part: EpochPart | None = None

    @property
    def fitted(self) -> list[np.ndarray]:
        """The weights to predict with and to store."""
        return self.weights if self.averaged is None else self.averaged

    def ended(self) -> FitState:
        """Return the state at the end of a fit, from which a warm start begins."""
        return FitState(self.fitted, self.optimizer, self.epoch, self.learning_rate)


@dataclass(frozen=True)
class Rows:
    """Training rows as tensors: pixels, labels, weights, and the scaling of the pixels.

    Pixels may be :class:`sweep.datasets.mapped_rows.MappedRows` too, of which only the rows of the
    next batches are read.
    """

    x: Any
    y: Any
    weight: Any
    shift: Any
    factor: Any

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.x.shape[0])

    def most_batches(self, size: int) -> int | None:
        """Return how many batches are read together; None where all rows are in memory."""
        if not isinstance(self.x, MappedRows):
            return None
        return max(1, PIECE // max(1, size * self.x.row_bytes))

    def taken(self, picked: np.ndarray) -> Rows:
        """Return some rows, read into memory."""
        import tensorflow as tf

        on_disk = isinstance(self.x, MappedRows)
        x = tf.convert_to_tensor(self.x.read(picked)) if on_disk else tf.gather(self.x, picked)
        y, weight = tf.gather(self.y, picked), tf.gather(self.weight, picked)
        return Rows(x, y, weight, self.shift, self.factor)


class UnsupportedModelError(Exception):
    """A backend cannot train this model; the message says why. The next backend tries it."""


class Backend(Protocol):
    """What estimators, exports and checkpoints may ask of a training backend.

    A backend holds one compiled model. It is stateless between calls: each call loads the
    :class:`FitState` that it is given, so that several fits can take turns in one model.
    ``sweep/training/backend_choice.py`` lists the backends, ``tests/test_backend_contract.py``
    tests what is promised here for each of them.

    Parameters
    ----------
    blueprint : Blueprint
        The model to build, and how it is compiled.
    seed : int
        Seed of the first initial weights.
    model : keras.Model, optional
        Already built from the blueprint with that seed. The backend takes it over.

    Attributes
    ----------
    name : str
        Stored with the weights, so that a restored estimator uses the backend that fitted it.
    label : str
        How warnings call the backend.
    shared : bool
        Whether all fits of a blueprint in this process share one compiled model.
    calls_batch_callbacks : bool
        Whether Keras callbacks can follow each batch.
    checkpoints_running_fits : bool
        Whether a fit may be saved between two epochs, and continued by another worker.
    model : keras.Model
        The compiled model, with the weights of whichever fit came last. Ask it for names and
        shapes; for values ask the state.
    nbytes : int
        Memory that the backend's variables take.

    Raises
    ------
    UnsupportedModelError
        If the backend cannot train the model.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    shared: ClassVar[bool]
    calls_batch_callbacks: ClassVar[bool]
    checkpoints_running_fits: ClassVar[bool]
    model: Any
    nbytes: int

    def __init__(self, blueprint: Blueprint, seed: int, model: Any = None) -> None: ...

    @staticmethod
    def check_model(model: Any) -> None:
        """Refuse a compiled Keras model that this backend cannot train.

        Raises
        ------
        UnsupportedModelError
            With the reason.
        """

    def start(self, seed: int, model: Any = None) -> FitState:
        """Return the state of a fit before its first epoch.

        Parameters
        ----------
        seed : int
            Seed of the initial weights.
        model : keras.Model, optional
            Already built with that seed; its weights are taken as they are.
        """

    def train_epoch(
        self, state: FitState, rows: Rows, settings: Settings, batch_callbacks: Any = None
    ) -> dict[str, float]:
        """Run the next epoch of a fit, or the rest of a begun one; update ``state`` in place.

        Row order and dropout masks are a pure function of ``settings.seed`` and ``state.epoch``,
        so a fit that is stopped and continued equals one that runs through.

        Parameters
        ----------
        state : FitState
            The fit.
        rows : Rows
            Training rows.
        settings : Settings
            Learning rate, batch size and the like.
        batch_callbacks : keras.callbacks.CallbackList, optional
            Called before and after each batch, if ``calls_batch_callbacks``.

        Returns
        -------
        dict of str to float
            ``loss`` and ``accuracy``, means over the training rows as Keras reports them.
        """

    def train_part(self, state: FitState, rows: Rows, settings: Settings, batches: int) -> None:
        """Run the next epoch of a fit as far as its first ``batches``; update ``state`` in place.

        A fit that is stopped within an epoch and continued equals one that runs through.

        Parameters
        ----------
        state : FitState
            The fit; where it is further within the epoch already, nothing is done.
        rows : Rows
            Training rows.
        settings : Settings
            Learning rate, batch size and the like.
        batches : int
            More than the epoch has are all of them; the epoch is not ended then.
        """

    def predict(self, state: FitState, x: np.ndarray, shift: float, factor: float) -> np.ndarray:
        """Return probabilities of the rows ``(x - shift) * factor``.

        The model may output probabilities, logits or shares; what is returned are probabilities.

        Returns
        -------
        ndarray of shape (n, n_classes), float32
            Not finite if the weights are not.
        """

    def optimizer_config(self, settings: Settings, state: FitState) -> dict[str, Any]:
        """Return class and settings of the optimizer, with the rate that a fit has."""

    def visit(self, state: FitState, settings: Settings) -> AbstractContextManager[Any]:
        """Lend the Keras model, loaded with ``state``, to Keras callbacks.

        On leaving, weights, optimizer variables and learning rate that a callback has changed are
        stored in ``state``.
        """


def epoch_order(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the rows in an epoch: a permutation of ``range(count)``."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def is_finite(values: Sequence[np.ndarray]) -> bool:
    """Return whether all numbers are finite."""
    return all(bool(np.isfinite(each).all()) for each in values)
