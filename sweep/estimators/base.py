"""What every Keras classifier of sweep shares: scikit-learn's contract around the fast fit."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from sweep.datasets import fit_scaling
from sweep.errors import ModelError
from sweep.estimators.slow import SlowEngine
from sweep.training.engine import Engine, FitState, Rows
from sweep.training.engines import engine_for, freeze
from sweep.training.optimizers import OptimizerSettings, check_optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

TRAINING = (
    "batch_size", "checkpoint_epochs", "epochs", "fast", "image_shape", "learning_rate",
    "learning_rate_decay", "momentum", "nesterov", "optimizer", "random_state", "scaling",
    "weight_decay",
)  # fmt: skip
"""Parameters of the fit; every other parameter of an estimator is its model's."""


class BaseKerasClassifier(CallbackSupportMixin, ClassifierMixin, BaseEstimator):
    """Common part of the classifiers; not for direct use.

    A subclass lists its parameters in ``__init__`` and names its model in ``_factory``.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels, sorted.
    history_ : dict of str to list of float
        One value an epoch: ``loss``, ``accuracy`` (over the training rows, while training) and
        ``seconds`` (since the fit began).
    n_epochs_ : int
        Epochs done.
    n_features_in_ : int
        Size of the second axis of ``X``.
    """

    def __init__(self, **params: Any) -> None:
        for name, value in params.items():
            setattr(self, name, value)

    # -- what a subclass says ------------------------------------------------------------------

    def _factory(self) -> Callable[..., Any]:
        """Return the model factory: ``f(input_shape, n_classes, **parameters)``."""
        raise NotImplementedError

    def _model_params(self) -> dict[str, Any]:
        """Return the parameters that go to the factory."""
        params = self.get_params(deep=False)
        return {name: value for name, value in params.items() if name not in TRAINING}

    # -- scikit-learn's contract ---------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit to images ``X`` and labels ``y``.

        Parameters
        ----------
        X : array-like of shape (n, features), (n, height, width) or (n, height, width, channels)
            Pixels, of any number type.
        y : array-like of shape (n,)
            Labels: integers or strings, two classes or more.
        sample_weight : array-like of shape (n,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self
        """
        context = self._init_callback_context(max_subtasks=self.epochs)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        context.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
        pixels, labels, weight = self._validated(X, y, sample_weight)
        self._begin(pixels)
        rows = self._rows(pixels, labels, weight)
        for epoch in range(1, self.epochs + 1):
            step = context.subcontext(task_name="epoch")
            step.call_on_fit_task_begin(estimator=self, X=X, y=y, metadata=metadata)
            self._train_epoch(rows)
            if epoch in (self.checkpoint_epochs or ()):
                self._checkpoints[epoch] = copy.copy(self._state)
            if step.call_on_fit_task_end(
                estimator=self, X=X, y=y, metadata=metadata, reconstruction_attributes=dict
            ):
                break
        context.call_on_fit_task_end(estimator=self, X=X, y=y, metadata=metadata)
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Run one more epoch over ``X``; the first call begins a new fit.

        Parameters
        ----------
        X, y, sample_weight
            As in :meth:`fit`.
        classes : array-like of shape (n_classes,), default=None
            All labels, where the first call's ``y`` may lack some.

        Returns
        -------
        self
        """
        first = not hasattr(self, "_state")
        pixels, labels, weight = self._validated(X, y, sample_weight, first=first, classes=classes)
        if first:
            self._begin(pixels)
        self._train_epoch(self._rows(pixels, labels, weight))
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, shape ``(n, n_classes)``, columns as in ``classes_``."""
        check_is_fitted(self, "_state")
        pixels = self._shaped(self._checked(X, reset=False))
        scaling = (self._scaling.shift, 1.0 / self._scaling.scale)
        output = self._engine().predict(self._state, pixels, *scaling)
        return np.column_stack([1 - output, output]) if output.shape[1] == 1 else output

    def predict(self, X: Any) -> np.ndarray:
        """Return the most probable label of each row, shape ``(n,)``."""
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    def at_epoch(self, epoch: int) -> Self:
        """Return this estimator as it was after ``epoch`` epochs.

        Equal to a separate fit with ``epochs=epoch``, since shuffling, dropout and initial
        weights depend on the seed and the epoch alone.

        Parameters
        ----------
        epoch : int
            One of ``checkpoint_epochs``, or the last.

        Raises
        ------
        ValueError
            If no weights were kept for that epoch.
        """
        check_is_fitted(self, "_state")
        kept = {**self._checkpoints, self._state.epoch: self._state}
        if epoch not in kept:
            raise ValueError(
                f"epoch: no weights were kept after epoch {epoch}; kept are {sorted(kept)}; "
                "name it in checkpoint_epochs"
            )
        earlier = copy.copy(self)
        earlier._state = kept[epoch]
        earlier.history_ = {name: values[:epoch] for name, values in self.history_.items()}
        earlier.n_epochs_ = epoch
        return earlier

    def layer_table(self) -> tuple[tuple[str, str, str, int], ...]:
        """Return name, kind, output shape and number of parameters of each layer."""
        from sweep.models import model_layers

        check_is_fitted(self, "_state")
        return model_layers(self._engine().model)

    @property
    def model_(self) -> Any:
        """The fitted model as a ``keras.Model`` of its own (scaling is not part of it)."""
        check_is_fitted(self, "_state")
        model = self._build()
        model.set_weights(self._state.weights)
        return model

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    # -- the fit, step by step -----------------------------------------------------------------

    def _validated(
        self, X: Any, y: Any, sample_weight: Any, *, first: bool = True, classes: Any = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self._check_settings()
        X, y = self._checked(X, y, reset=first)
        check_classification_targets(y)
        if first:
            self.classes_ = np.unique(y if classes is None else classes)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y: a classifier needs at least 2 classes, got 1 class: {self.classes_[0]!r}"
                )
        if unknown := sorted(set(np.unique(y)) - set(self.classes_)):
            raise ValueError(f"y: labels unknown to this fit: {unknown}; name them in `classes`")
        labels = np.searchsorted(self.classes_, y)
        return X, labels, _check_sample_weight(sample_weight, X, dtype=np.float32)

    def _checked(self, X: Any, y: Any = "no_validation", *, reset: bool) -> Any:
        if reset:
            self.__dict__.pop("_row_shape", None)
        checked = validate_data(
            self, X, y, reset=reset, allow_nd=True, dtype=[np.float32, np.uint8, np.uint16]
        )
        pixels = checked if isinstance(y, str) and y == "no_validation" else checked[0]
        if pixels.ndim > 4:
            raise ValueError(f"X: images have 2 to 4 axes, got shape {pixels.shape}")
        if hasattr(self, "_row_shape") and pixels.shape[1:] != self._row_shape:
            raise ValueError(
                f"X: rows must have shape {self._row_shape} as in fit, got {pixels.shape[1:]}"
            )
        return checked

    def _check_settings(self) -> None:
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
                raise ModelError(f"{name}: must be a whole number of at least 1, got {value!r}")
        check_optimizer(self._settings())

    def _begin(self, pixels: np.ndarray) -> None:
        self._row_shape = pixels.shape[1:]
        self._input_shape = self._shaped(pixels[:1]).shape[1:]
        self._scaling = fit_scaling(pixels, self.scaling or "none")
        self._seed = _seed(self.random_state)
        self._slow: SlowEngine | None = None
        self._checkpoints: dict[int, FitState] = {}
        self.history_: dict[str, list[float]] = {"loss": [], "accuracy": [], "seconds": []}
        self._state = self._engine().start(self._seed)
        self.n_epochs_ = 0

    def _rows(self, pixels: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> Rows:
        import tensorflow as tf

        return Rows(
            tf.constant(self._shaped(pixels)),
            tf.constant(labels, tf.int64),
            tf.constant(weight),
            tf.constant(self._scaling.shift, tf.float32),
            tf.constant(1.0 / self._scaling.scale, tf.float32),
        )

    def _train_epoch(self, rows: Rows) -> None:
        began = time.perf_counter()
        logs = self._engine().train_epoch(
            self._state, rows, self._settings(), self.batch_size, self._seed
        )
        self.n_epochs_ = self._state.epoch
        spent = self.history_["seconds"]
        spent.append((spent[-1] if spent else 0.0) + time.perf_counter() - began)
        for name, value in logs.items():
            self.history_[name].append(value)

    def _settings(self) -> OptimizerSettings:
        return OptimizerSettings.from_params(self.get_params(deep=False))

    def _engine(self) -> Engine | SlowEngine:
        if self.fast:
            return engine_for(self._build, self._identity(), self._settings(), self._seed)
        if self._slow is None:
            self._slow = SlowEngine(self._build, self._settings())
        return self._slow

    def _build(self) -> Any:
        from sweep.models import build_from

        shape, classes = tuple(self._input_shape), len(self.classes_)
        return build_from(self._factory(), shape, classes, self._model_params())

    def _identity(self) -> Hashable:
        params = freeze(self._model_params())
        return (self._factory(), tuple(self._input_shape), len(self.classes_), params)

    def _shaped(self, pixels: np.ndarray) -> np.ndarray:
        shape = self.image_shape
        return pixels if shape is None else _reshaped(pixels, tuple(shape))

    def __getstate__(self) -> Mapping[str, Any]:
        return {**super().__getstate__(), "_slow": None}


def _seed(random_state: Any) -> int:
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _reshaped(pixels: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if int(np.prod(pixels.shape[1:])) != int(np.prod(shape)):
        raise ValueError(
            f"image_shape: {shape} does not hold a row of shape {pixels.shape[1:]}; "
            "the products must agree"
        )
    return pixels.reshape(len(pixels), *shape)
