"""How a fit begins: what it trains is settled and kept, and what goes on from it is checked."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets import fit_scaling
from sweep.errors import ModelError, NotRepeatableWarning
from sweep.estimators import checks
from sweep.training.architecture import Architecture
from sweep.training.backend import UnsupportedModelError
from sweep.training.backend_choice import backend_type, first_choice, next_choice
from sweep.training.blueprint import check_reach, draw_up
from sweep.training.optimizers import OptimizerSettings
from sweep.training.output_meaning import PROBES, meaning_of

if TYPE_CHECKING:
    from sweep.estimators.keras_callbacks import KerasCallbacks

LATER = (
    "batch_size", "callbacks", "checkpoint_epochs", "class_weight", "early_stopping", "epochs",
    "learning_rate", "n_iter_no_change", "random_state", "validation_fraction", "warm_start",
)  # fmt: skip
"""Parameters that may change between a fit and one that goes on from it."""


def begin(estimator: Any, pixels: np.ndarray, hooks: KerasCallbacks) -> None:
    """Bring an estimator before its first epoch.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        Its classes are known.
    pixels : ndarray of shape (n, ...)
        The rows of the fit.
    hooks : KerasCallbacks
        Those that want to hear of batches are told by Keras's own step alone.
    """
    estimator._row_shape = pixels.shape[1:]
    estimator._scaling = fit_scaling(pixels, estimator.scaling or "none")
    estimator._seed = checks.seed_of(estimator.random_state)
    estimator._checkpoints, estimator._best = {}, None
    estimator.history_ = {"loss": [], "accuracy": [], "seconds": []}
    estimator.n_epochs_ = estimator.best_epoch_ = 0
    estimator._backend_name = first_choice(fast=bool(estimator.fast))
    if hooks.by_batch and not backend_type(estimator._backend_name).calls_batch_callbacks:
        kind = type(hooks.by_batch[0]).__name__
        _fall_back(estimator, f"{kind} wants to hear of each batch")
    start(estimator, settle(estimator, pixels[:PROBES]))


def settle(estimator: Any, pixels: np.ndarray, meaning: str | None = None) -> Any:
    """Settle what an estimator trains; return the model where one had to be built for that.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        Its classes, seed and scaling are known.
    pixels : ndarray of shape (n, ...)
        Some rows of the fit.
    meaning : str, optional
        What the output of the model is, where the fit has found that out before.
    """
    params, shape = estimator.get_params(deep=False), estimator.image_shape
    estimator._fitted_with = {n: v for n, v in params.items() if n != "callbacks"}
    estimator._image_shape, estimator._own_engine = shape, None
    shaped = checks.reshaped(pixels, shape)
    rows = (shaped.astype(np.float32) - estimator._scaling.shift) / estimator._scaling.scale
    architecture = Architecture(
        estimator._factory(),
        tuple(shaped.shape[1:]),
        len(estimator.classes_),
        estimator._model_params(),
        estimator.precision,
    )
    estimator._dropout = architecture.dropout_rates()
    taken = estimator._taken_by_factory()
    settings = OptimizerSettings.from_params(params, taken)
    given, handed = settings.given(params, taken), settings.given(params, set(params) - taken)
    found = meaning or partial(meaning_of, rows=rows)
    estimator._blueprint, model = draw_up(architecture, settings, estimator._seed, found)
    check_reach(estimator._blueprint, given, handed)
    return model


def start(estimator: Any, model: Any) -> None:
    """Give an estimator its initial weights; ``model`` is what :func:`settle` has built."""
    if why := estimator.unrepeatable_:
        said = f"the model is not repeatable: {why}"
        warnings.warn(said, NotRepeatableWarning, stacklevel=4)
    while True:
        try:
            if getattr(model, "compiled", False):
                # A shared engine was checked with a model built alike, not with this one.
                backend_type(estimator._backend_name).check_model(model)
            estimator._state = estimator._engine(model).start(estimator._seed, model)
            break
        except UnsupportedModelError as reason:
            _fall_back(estimator, str(reason))
            model = None  # the backend that refused it may have changed it: build another one


def check_going_on(estimator: Any) -> None:
    """Refuse a further fit on what the last one has left where it cannot follow.

    Raises
    ------
    ModelError
        Naming each parameter that has changed, with both values.
    """
    before, now = estimator._fitted_with, estimator.get_params(deep=False)
    taken = estimator._taken_by_factory()
    names = [n for n in {**before, **now} if n not in LATER or n in taken]
    if estimator._blueprint.optimizer is None and "learning_rate" not in names:
        names.append("learning_rate")
    changed = [n for n in names if not checks.same(before.get(n), now.get(n))]
    if changed:
        said = ", ".join(f"{n} from {before.get(n)!r} to {now.get(n)!r}" for n in changed)
        raise ModelError(
            f"warm_start: the fit cannot go on with another {said}; set it back, or begin anew on "
            "a clone (sklearn.base.clone)"
        )


def _fall_back(estimator: Any, reason: str) -> None:
    """Have the next backend train the fit, and warn that it is slower."""
    estimator._backend_name = next_choice(estimator._backend_name)
    label = backend_type(estimator._backend_name).label
    warnings.warn(f"fast fit not possible: {reason}; {label} runs", stacklevel=5)
