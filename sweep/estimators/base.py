"""What every Keras classifier of sweep shares: scikit-learn's contract around the fast fit."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from sweep.estimators import checks
from sweep.estimators.fit import Fit, Prepared
from sweep.estimators.fit_setup import begin_fit, check_continuation
from sweep.estimators.keras_callbacks import KerasCallbacks
from sweep.support.tensorflow_loading import load_tensorflow
from sweep.training.backend import FitState, Settings
from sweep.training.backend_choice import backend_for
from sweep.training.graph_eligibility import has_user_step
from sweep.training.model_identity import comparable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np

    from sweep.estimators.partial_fits import PartialFit
    from sweep.support.layer import Layer
    from sweep.training.backend import Backend
    from sweep.training.blueprint import Blueprint

TRAINING = (
    "batch_size", "callbacks", "checkpoint_epochs", "class_weight", "early_stopping", "epochs",
    "fast", "image_shape", "jit_compile", "label_smoothing", "learning_rate",
    "learning_rate_decay", "momentum", "n_iter_no_change", "nesterov", "optimizer", "precision",
    "random_state", "scaling", "validation_fraction", "warm_start", "weight_decay",
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
        One value an epoch: ``loss``, ``accuracy`` (over the training rows, while training),
        ``seconds`` (since the fit began), and ``val_loss``, ``val_accuracy`` where rows of the
        fit were held out for stopping.
    n_epochs_ : int
        Epochs really run.
    best_epoch_ : int
        The epoch whose weights are kept: the best with early stopping, else the last.
    n_features_in_ : int
        Size of the second axis of ``X``.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Column names, where ``X`` was a data frame.
    part_seconds_ : dict of float to float
        Seconds from the fit's begin to each pause of :meth:`fit_within_epoch`.
    callbacks_ : list of keras.callbacks.Callback
        If Keras callbacks are given: the copies that were called, with what they have gathered.
        The parameter itself is not changed, and a pickle does not contain them.
    """

    _state: FitState
    _blueprint: Blueprint
    _backend_name: str
    _own_engine: Backend | None
    _seed: int
    _start: str
    history_: dict[str, list[float]]
    part_seconds_: dict[float, float]
    n_epochs_: int

    def __init__(self, **params: Any) -> None:
        for name, value in params.items():
            setattr(self, name, value)

    # -- what a subclass defines ---------------------------------------------------------------

    def _factory(self) -> Callable[..., Any]:
        """Return the model factory; :mod:`sweep.models.signature` says how it is called."""
        raise NotImplementedError

    def _model_params(self) -> dict[str, Any]:
        """Return the parameters that go to the factory."""
        params = self.get_params(deep=False)
        return {name: value for name, value in params.items() if name not in TRAINING}

    def _taken_by_factory(self) -> frozenset[str]:
        """Return the parameters of the fit that the factory names in its signature."""
        return frozenset()

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
            Weight of each row in the loss: finite, from 0, and not 0 for all rows of a class.

        Returns
        -------
        self
        """
        context = self._init_callback_context(max_subtasks=self.epochs)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        callback_args = {"X": X, "y": y, "metadata": metadata}
        context.call_on_fit_task_begin(estimator=self, **callback_args)
        load_tensorflow()
        resumed: PartialFit | None = self.__dict__.pop("_resumed", None)
        first = not ((self.warm_start or resumed) and hasattr(self, "_state"))
        rows = self._prepared(X, y, sample_weight, first=first)
        checks.check_each_class(rows.weight, rows.labels, self.classes_)
        callbacks = KerasCallbacks(self.callbacks)
        if first:
            begin_fit(self, rows.pixels, callbacks)
        elif not resumed:
            check_continuation(self)
            self._state = self._state.ended()
        self._best: tuple[float, int, FitState] | None = resumed.best if resumed else None
        fit = Fit(self, self._shaped(rows), callbacks, stopping=self.early_stopping)
        fit.run(context, callback_args, resumed.epochs if resumed else 0)
        if callbacks:
            self.callbacks_ = callbacks.without_model()
        context.call_on_fit_task_end(
            estimator=self, reconstruction_attributes=self._attributes_now, **callback_args
        )
        self._best = None
        return self

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Run one more epoch over ``X``; the first call begins a new fit.

        Early stopping and callbacks belong to :meth:`fit`; here the caller decides.

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
        self._next_epoch(X, y, classes, sample_weight).epoch()
        self.best_epoch_ = self.n_epochs_
        return self

    def fit_within_epoch(self, X: Any, y: Any, n_rows: int, share: float) -> Self:
        """Run the next epoch as far as its first rows; :meth:`partial_fit` runs the rest of it.

        A fit that pauses within an epoch equals one that does not, to the last bit.

        Parameters
        ----------
        X, y
            As in :meth:`fit`.
        n_rows : int
            Rows of the epoch, in its order, rounded up to whole batches; if it has run further,
            nothing is done.
        share : float
            The name under which ``part_seconds_`` has the seconds of fitting until here.

        Returns
        -------
        self
        """
        seconds = self._next_epoch(X, y).part(n_rows)
        self.part_seconds_[share] = seconds
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return class probabilities, shape ``(n, n_classes)``, columns as in ``classes_``."""
        check_is_fitted(self, "_state")
        pixels = checks.checked_rows(self, X, reset=False)
        return self._proba(checks.reshaped(pixels, self._image_shape))

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
        checkpoints = {**self._checkpoints, self.n_epochs_: self._state}
        if epoch not in checkpoints:
            raise ValueError(
                f"epoch: no weights were kept after epoch {epoch}; kept are {sorted(checkpoints)}; "
                "name it in checkpoint_epochs"
            )
        earlier = copy.copy(self)
        earlier._state = checkpoints[epoch]
        earlier.history_ = {name: values[:epoch] for name, values in self.history_.items()}
        earlier.n_epochs_ = min(epoch, self.n_epochs_)
        earlier.best_epoch_ = earlier._state.epoch
        return earlier

    def layer_table(self) -> tuple[Layer, ...]:
        """Return name, kind, output shape and number of parameters of each layer."""
        from sweep.models import model_layers

        check_is_fitted(self, "_state")
        return model_layers(self._engine().model)

    def named_weights(self) -> list[tuple[str, np.ndarray]]:
        """Return name (``"conv_1/kernel"``) and values of each array of weights, in order."""
        check_is_fitted(self, "_state")
        names = ["/".join(v.path.split("/")[-2:]) for v in self._engine().model.weights]
        return list(zip(names, self._state.fitted, strict=True))

    @property
    def model_(self) -> Any:
        """The fitted model as a ``keras.Model`` of its own (scaling is not part of it)."""
        check_is_fitted(self, "_state")
        model = self._blueprint.build(self._seed)
        model.set_weights(self._state.fitted)
        return model

    @property
    def optimizer_config_(self) -> dict[str, Any]:
        """The settings of the optimizer that the fit really has, by Keras's names."""
        check_is_fitted(self, "_state")
        return self._engine().optimizer_config(self._epoch_settings(), self._state)

    @property
    def output_meaning_(self) -> str:
        """What the output of ``model_`` is: probabilities, logits, or shares of a sum."""
        check_is_fitted(self, "_state")
        return self._blueprint.meaning

    @property
    def can_continue_elsewhere_(self) -> bool:
        """Whether another process can continue the fit from weights and optimizer alone.

        Not with a training step, an optimizer or a metric of the user's, nor with variables that
        Keras does not know.
        """
        check_is_fitted(self, "_state")
        return comparable(self._blueprint.identity) and not has_user_step(self._engine().model)

    @property
    def unrepeatable_(self) -> str:
        """Why two fits under one seed may differ; empty if no reason is known."""
        return self._blueprint.unrepeatable

    @property
    def start_(self) -> tuple[str, tuple[str, ...]]:
        """A digest of initial weights and compiled model, and what the factory takes itself.

        Both are empty for a built-in model.
        """
        taken = tuple(sorted(self._taken_by_factory())) if self._start else ()
        return self._start, taken

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_state")

    # -- the parts of a fit --------------------------------------------------------------------

    def _next_epoch(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Fit:
        """Return what runs the next epoch of a fit, or the first one of a new fit."""
        first = not hasattr(self, "_state")
        rows = self._prepared(X, y, sample_weight, first=first, classes=classes)
        no_callbacks = KerasCallbacks(None)
        if first:
            begin_fit(self, rows.pixels, no_callbacks)
        else:
            check_continuation(self)
        return Fit(self, self._shaped(rows), no_callbacks, stopping=False)

    def _prepared(
        self, X: Any, y: Any, sample_weight: Any, *, first: bool, classes: Any = None
    ) -> Prepared:
        checks.check_settings(self.get_params(deep=False), self._taken_by_factory())
        pixels, y = checks.checked_rows(self, X, y, reset=first)
        check_classification_targets(y)
        if first:
            self.classes_ = checks.checked_classes(y if classes is None else classes)
        places, given = checks.encoded(y, self.classes_), self.class_weight
        weight = checks.row_weights(pixels, y, sample_weight, given, self.classes_)
        return Prepared(pixels, places, weight)

    def _shaped(self, rows: Prepared) -> Prepared:
        pixels = checks.reshaped(rows.pixels, self._image_shape)
        return Prepared(pixels, rows.labels, rows.weight)

    def _proba(self, pixels: np.ndarray) -> np.ndarray:
        scaling = (self._scaling.shift, 1.0 / self._scaling.scale)
        proba = self._engine().predict(self._state, pixels, *scaling)
        checks.check_finite([proba], "the predicted probabilities", self._state.epoch)
        return proba

    def _epoch_settings(self) -> Settings:
        rate, decay = self.learning_rate, self.learning_rate_decay
        if self._blueprint.optimizer is None:  # the factory compiles its own
            rate, decay = self._blueprint.rate, 0.0
        elif self._blueprint.optimizer.recipe is not None:
            rate = self._blueprint.optimizer.rate
        return Settings(rate, decay, self.batch_size, self._seed, self._rates)

    def _engine(self, model: Any = None) -> Backend:
        """Return the backend of this fit: shared with other fits, or its own."""
        name, own = self._backend_name, self._own_engine
        engine = backend_for(name, self._blueprint, self._seed, model, own)
        if not engine.shared:
            self._own_engine = engine
        return engine

    def _saves_while_running(self) -> bool:
        """Return whether another worker may go on with a copy of this fit, saved half-way."""
        if self.callbacks or not self._engine().checkpoints_running_fits:
            return False
        return self.can_continue_elsewhere_

    def _attributes_now(self) -> dict[str, Any]:
        """Return the attributes with which a copy predicts as if fit had stopped here."""
        return {"_state": copy.copy(self._state), "n_epochs_": self.n_epochs_}

    def __copy__(self) -> Self:
        """Return a copy that predicts by the same backend: to build another model takes long."""
        copied = type(self).__new__(type(self))
        copied.__dict__.update({n: v for n, v in vars(self).items() if n != "callbacks_"})
        return copied

    def __getstate__(self) -> Mapping[str, Any]:
        state = {**super().__getstate__(), "_own_engine": None}
        state.pop("callbacks_", None)
        return state
