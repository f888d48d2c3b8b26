"""Any model factory as a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from sweep.errors import ModelError
from sweep.estimators.base import TRAINING, BaseKerasClassifier
from sweep.models import FACTORIES, check_parameters, factory_parameters
from sweep.models.signature import read_signature
from sweep.spec.keras_words import keras_word
from sweep.support.code_references import is_reference, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


class KerasClassifier(BaseKerasClassifier):
    """A classifier around your own model factory, or one of sweep's by name.

    Parameters
    ----------
    model : callable or str, default="mlp"
        A function that returns a Keras model (compiled or not) or a list of :mod:`sweep.models`
        layers; or the name of a built-in factory; or ``"module:function"``. ``input_shape``,
        ``n_classes``, ``meta`` and ``compile_kwargs`` are passed to it where it names them.
    epochs, batch_size, learning_rate, learning_rate_decay, momentum, nesterov, \
weight_decay, label_smoothing, class_weight, early_stopping, validation_fraction, \
n_iter_no_change, callbacks, scaling, image_shape, precision, random_state, warm_start, \
checkpoint_epochs, jit_compile, fast
        As in :class:`sweep.KerasMLPClassifier`.
    optimizer : str, keras.optimizers.Optimizer or its class, optional
        Name of the optimizer, ``"adam"`` unless given. An object is made anew from its settings for
        each fit, and is never changed; ``learning_rate`` and the like are then its own.
    **model_params
        Parameters of the factory, searchable by their own names.

    Notes
    -----
    A parameter that the factory names in its signature goes to the factory, ``optimizer`` and
    ``learning_rate`` too where they are given. A factory that compiles its model decides on the
    optimizer alone: a parameter of the optimizer that it does not name is refused.

    Examples
    --------
    >>> KerasClassifier("two_stage", dense_width=256).get_params()["dense_width"]
    256
    """

    def __init__(
        self,
        model: str | Callable[..., Any] = "mlp",
        *,
        epochs: int = 10,
        batch_size: int = 32,
        optimizer: Any = None,
        learning_rate: float | None = None,
        learning_rate_decay: float = 0.0,
        momentum: float | None = None,
        nesterov: bool | None = None,
        weight_decay: float | None = None,
        label_smoothing: float | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 5,
        callbacks: Sequence[Any] | None = None,
        scaling: str | None = None,
        image_shape: Sequence[int] | None = None,
        precision: str = "float32",
        random_state: Any = None,
        warm_start: bool = False,
        checkpoint_epochs: Sequence[int] | None = None,
        jit_compile: bool | str = "auto",
        fast: bool = True,
        **model_params: Any,
    ) -> None:
        self._extra = tuple(model_params)
        own = set(self._own_names())
        given = {name: value for name, value in locals().items() if name in own}
        super().__init__(**given, **model_params)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters: those of the signature, the factory's given ones, and its others.

        Parameters
        ----------
        deep : bool, default=True
            Without effect; no parameter is an estimator.
        """
        params = super().get_params(deep=deep)
        return {**params, **{name: getattr(self, name) for name in self._extra}}

    def set_params(self, **params: Any) -> Self:
        """Set parameters; any parameter of the factory may be set, given before or not."""
        own = {name: value for name, value in params.items() if name in self._own_names()}
        for name, value in own.items():
            setattr(self, name, value)
        extra = {name: value for name, value in params.items() if name not in own}
        if extra:
            self._check_known(extra)
        for name, value in extra.items():
            setattr(self, name, value)
        self._extra = tuple(dict.fromkeys((*self._extra, *extra)))
        return self

    def _factory(self) -> Callable[..., Any]:
        if hasattr(self.model, "get_weights") and not isinstance(self.model, type):
            raise ModelError(
                "model: must be the function that builds the model, got a model that is built; "
                "each fit builds its own: KerasClassifier(build)"
            )
        if callable(self.model):
            return self.model
        if not isinstance(self.model, str):
            raise ModelError(f"model: must be a factory, a name or a reference, got {self.model!r}")
        if is_reference(self.model):
            # A program that names a reference allows its module to be loaded by that.
            return resolve(self.model, allow={self.model.split(":")[0]})  # type: ignore[return-value]
        if self.model not in FACTORIES:
            known = ", ".join(sorted(FACTORIES))
            raise ModelError(f"model: no model named {self.model!r}; there are: {known}")
        return FACTORIES[self.model]

    def _model_params(self) -> dict[str, Any]:
        taken = {name: getattr(self, name) for name in sorted(self._taken_by_factory())}
        # For a parameter that is not set, the factory's own default holds.
        given = {name: value for name, value in taken.items() if value is not None}
        extra = {name: getattr(self, name) for name in self._extra}
        if extra:
            check_parameters(self._factory(), {**extra, **given})
        return {**extra, **given}

    def _taken_by_factory(self) -> frozenset[str]:
        return frozenset(factory_parameters(self._factory())) & frozenset(TRAINING)

    def _own_names(self) -> list[str]:
        return list(self._get_param_names())

    def _check_known(self, extra: dict[str, Any]) -> None:
        if not (callable(self.model) or (isinstance(self.model, str) and self.model in FACTORIES)):
            return  # scikit-learn's rule: fit refuses a wrong value, set_params does not
        factory = self._factory()
        signature = read_signature(factory)
        known = signature.own
        words = {name: keras_word(name, {*known, *self._own_names()}) for name in sorted(extra)}
        unknown = [
            name
            for name, word in words.items()
            if name not in known and (word or not signature.takes_any)
        ]
        if unknown:
            name = unknown[0]
            word = words[name]
            raise ValueError(
                f"Invalid parameter {name!r} for estimator {type(self).__name__}: "
                + (f"it {word}" if word else f"its model takes {sorted(known)}")
            )
