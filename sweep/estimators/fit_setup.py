"""How a fit begins: its blueprint, its backend, its first state; what a warm start may change."""

from __future__ import annotations

import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets import fit_scaling
from sweep.errors import ModelError, NotRepeatableWarning
from sweep.estimators import checks
from sweep.models.signature import make_meta
from sweep.training.architecture import Architecture
from sweep.training.backend import UnsupportedModelError
from sweep.training.backend_choice import backend_type, first_choice, next_choice
from sweep.training.blueprint import check_optimizer_parameters, make_blueprint
from sweep.training.model_identity import start_digest
from sweep.training.optimizers import OptimizerSettings
from sweep.training.output_meaning import PROBES, meaning_of

if TYPE_CHECKING:
    from sweep.estimators.keras_callbacks import KerasCallbacks

CHANGEABLE = (
    "batch_size", "callbacks", "checkpoint_epochs", "class_weight", "early_stopping", "epochs",
    "learning_rate", "n_iter_no_change", "random_state", "validation_fraction", "warm_start",
)  # fmt: skip
"""Parameters that may change between a fit and one that continues it."""


def begin_fit(estimator: Any, pixels: np.ndarray, callbacks: KerasCallbacks) -> None:
    """Set all attributes of an estimator that its first epoch needs.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        With ``classes_`` set.
    pixels : ndarray of shape (n, ...)
        The rows of the fit.
    callbacks : KerasCallbacks
        Callbacks that follow batches need a backend that calls them.
    """
    estimator._row_shape = pixels.shape[1:]
    estimator._scaling = fit_scaling(pixels, estimator.scaling or "none")
    estimator._seed = checks.seed_of(estimator.random_state)
    estimator._checkpoints, estimator._best = {}, None
    estimator.history_ = {"loss": [], "accuracy": [], "seconds": []}
    estimator.part_seconds_ = {}
    estimator.n_epochs_ = estimator.best_epoch_ = 0
    estimator._backend_name = first_choice(fast=bool(estimator.fast))
    if (
        callbacks.with_batch_hooks
        and not backend_type(estimator._backend_name).calls_batch_callbacks
    ):
        kind = type(callbacks.with_batch_hooks[0]).__name__
        _fall_back(estimator, f"{kind} must be called at each batch")
    start_fit(estimator, prepare_blueprint(estimator, pixels[:PROBES], n_rows=len(pixels)))


def prepare_blueprint(
    estimator: Any, pixels: np.ndarray, meaning: str | None = None, n_rows: int | None = None
) -> Any:
    """Make the blueprint of a fit; return the Keras model if one had to be built for that.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        With classes, seed and scaling set.
    pixels : ndarray of shape (n, ...)
        Some rows of the fit.
    meaning : str, optional
        What the model outputs, if an earlier fit has found it out.
    n_rows : int, optional
        Rows of the fit, where ``pixels`` are not all.
    """
    params, shape = estimator.get_params(deep=False), estimator.image_shape
    estimator._fit_params = {n: v for n, v in params.items() if n != "callbacks"}
    estimator._image_shape, estimator._own_engine = shape, None
    shaped = checks.reshaped(pixels, shape)
    rows = (shaped.astype(np.float32) - estimator._scaling.shift) / estimator._scaling.scale
    taken = estimator._taken_by_factory()
    settings = OptimizerSettings.from_params(params, taken)
    row_shape, classes = tuple(shaped.shape[1:]), estimator.classes_
    architecture = Architecture(
        estimator._factory(),
        row_shape,
        len(classes),
        estimator._model_params(),
        estimator.precision,
        make_meta((n_rows or len(pixels), *row_shape), len(classes), classes, pixels.dtype),
        settings,
    )
    estimator._rates = architecture.rates()
    for_sweep = settings.given(params, taken)
    for_factory = settings.given(params, set(params) - taken)
    meaning_or_rule = meaning or partial(meaning_of, rows=rows)
    estimator._blueprint, model = make_blueprint(
        architecture,
        settings,
        estimator._seed,
        meaning_or_rule,
        jit_compile=estimator.jit_compile,
    )
    check_optimizer_parameters(estimator._blueprint, for_sweep, for_factory)
    return model


def start_fit(estimator: Any, model: Any) -> None:
    """Choose the backend of a fit and set its first state.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        With its blueprint, and the name of the backend to try first.
    model : keras.Model or None
        What :func:`prepare_blueprint` has returned.
    """
    if why := estimator.unrepeatable_:
        message = f"the model is not repeatable: {why}"
        warnings.warn(message, NotRepeatableWarning, stacklevel=4)
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
    estimator._start, blueprint = "", estimator._blueprint
    if not blueprint.architecture.is_built_in:
        weights = estimator._state.weights
        estimator._start = start_digest(blueprint.identity, blueprint.rate, weights)


def check_continuation(estimator: Any) -> None:
    """Refuse to continue a fit if a parameter has changed that its model depends on.

    Raises
    ------
    ModelError
        Naming each parameter that has changed, with both values.
    """
    before, now = estimator._fit_params, estimator.get_params(deep=False)
    taken = estimator._taken_by_factory()
    names = [n for n in {**before, **now} if n not in CHANGEABLE or n in taken]
    if estimator._blueprint.optimizer is None and "learning_rate" not in names:
        names.append("learning_rate")
    changed = [n for n in names if not checks.same(before.get(n), now.get(n))]
    if changed:
        listed = ", ".join(f"{n} from {before.get(n)!r} to {now.get(n)!r}" for n in changed)
        raise ModelError(
            f"warm_start: the fit cannot go on with another {listed}; set it back, or begin anew "
            "on a clone (sklearn.base.clone)"
        )


def _fall_back(estimator: Any, reason: str) -> None:
    """Have the next backend train the fit, and warn that it is slower."""
    estimator._backend_name = next_choice(estimator._backend_name)
    label = backend_type(estimator._backend_name).label
    warnings.warn(f"fast fit not possible: {reason}; {label} runs", stacklevel=5)
