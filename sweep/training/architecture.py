"""The architecture of a model: what builds it, without settings that can change after tracing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ModelError
from sweep.models import FACTORIES, build_from, build_model
from sweep.models.rates import at_any_rate, rates
from sweep.models.signature import COMPILE, Facts, compile_defaults, read_signature
from sweep.spec.parameters import PRECISIONS
from sweep.support.tensorflow_loading import load_tensorflow
from sweep.training.graph_eligibility import check_fit
from sweep.training.optimizers import OptimizerSettings, made_anew, make_optimizer, recipe_of
from sweep.training.output_meaning import check_outputs, unwrap_loss
from sweep.training.random_state import SEEDING_LOCK, use_generator

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from sweep.models.layers import LayerSpec

DEFAULT_OPTIMIZER = OptimizerSettings()


@dataclass(frozen=True)
class Architecture:
    """A factory and its arguments.

    Attributes
    ----------
    factory : callable
        Called as :mod:`sweep.models.signature` says.
    input_shape : tuple of int
        Shape of one row.
    n_classes : int
        Classes.
    params : mapping of str to value
        The factory's parameters.
    precision : {"float32", "mixed_bfloat16", "mixed_float16"}
        What the layers compute in; weights are always float32.
    meta : mapping, optional
        What a factory with SciKeras's ``meta`` is told of the data.
    optimizer : OptimizerSettings
        What a factory with SciKeras's ``compile_kwargs`` compiles with.
    """

    factory: Callable[..., Any]
    input_shape: tuple[int, ...]
    n_classes: int
    params: Mapping[str, Any]
    precision: str = "float32"
    meta: Mapping[str, Any] | None = field(default=None, compare=False)
    optimizer: OptimizerSettings = DEFAULT_OPTIMIZER

    def build(self) -> Any:
        """Build the Keras model, its output in float32 for a built-in factory."""
        load_tensorflow()
        import keras

        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.precision)
        try:
            if self.is_built_in:
                return build_model(self._layers(), self.input_shape)
            facts = Facts(self.input_shape, self.n_classes, self.meta, self._compile_kwargs)
            params = {name: made_anew(value) for name, value in self.params.items()}
            model = build_from(self.factory, self.input_shape, self.n_classes, params, facts)
            unwrap_loss(model)
            check_fit(model)
            check_outputs(model, self.input_shape, self.n_classes, self.factory)
            return model
        finally:
            keras.config.set_dtype_policy(before)

    @property
    def is_built_in(self) -> bool:
        """Whether the factory is one of sweep's, whose layers are known without building them."""
        return self.factory in FACTORIES.values()

    def identity(self) -> Hashable:
        """Return a value that is equal for built-in architectures that can share one trace.

        Rates are variables of the trace, so they do not count.
        """
        return (at_any_rate(self._layers()), self.input_shape, self.precision)

    @property
    def called(self) -> Hashable:
        """Return a user's factory and its arguments as a key; None for a built-in factory."""
        if self.is_built_in:
            return None
        return (self.factory, self.n_classes, freeze(dict(self.params)), self.precision)

    def rates(self) -> tuple[float, ...] | None:
        """Return dropout rates, penalties and largest norms; None for a user's factory."""
        return rates(self._layers()) if self.is_built_in else None

    def compiles_as_told(self, model: Any) -> bool:
        """Return whether a model's optimizer is the one that its factory was handed."""
        if self.is_built_in or COMPILE not in read_signature(self.factory).passed:
            return False
        made, told = model.optimizer, make_optimizer(self.optimizer)
        made = getattr(made, "inner_optimizer", made)
        return type(made) is type(told) and _settings_of(made) == _settings_of(told)

    def _compile_kwargs(self) -> dict[str, Any]:
        return compile_defaults(make_optimizer(self.optimizer), self.n_classes)

    def _layers(self) -> list[LayerSpec]:
        layers: list[LayerSpec] = self.factory(self.input_shape, self.n_classes, **self.params)
        return layers


def _settings_of(optimizer: Any) -> dict[str, Any]:
    return {name: value for name, value in optimizer.get_config().items() if name != "name"}


def seeded_build(architecture: Architecture, seed: int) -> Any:
    """Build a model whose initial weights come from ``seed``; restore the caller's generators.

    Keras seeds its initializers from Python's global generator, so one build runs at a time.
    """
    load_tensorflow()
    import keras
    from keras.src.backend.common import global_state
    from keras.src.utils.rng_utils import GLOBAL_RANDOM_SEED

    with SEEDING_LOCK, use_generator(None):
        before = random.getstate(), np.random.get_state()  # noqa: NPY002 - the caller's, restored below
        seeded = global_state.get_global_attribute(GLOBAL_RANDOM_SEED)
        keras.utils.set_random_seed(seed)
        try:
            return architecture.build()
        finally:
            random.setstate(before[0])
            np.random.set_state(before[1])  # noqa: NPY002
            global_state.set_global_attribute(GLOBAL_RANDOM_SEED, seeded)


def check_precision(precision: str) -> None:
    """Refuse an unknown precision.

    Raises
    ------
    ModelError
        Naming the known ones.
    """
    if precision not in PRECISIONS:
        allowed = ", ".join(PRECISIONS)
        raise ModelError(f"precision: must be one of: {allowed}, got {precision!r}")


def freeze(value: Any) -> Hashable:
    """Turn a parameter's value into something that can be part of a key."""
    if isinstance(value, dict):
        return tuple(sorted((key, freeze(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if hasattr(value, "apply_gradients") and not isinstance(value, type):
        return recipe_of(value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return (type(value).__name__, value)
