"""How sweep compiles a model: optimizers by name, each setting a parameter, and the loss's."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ModelError
from sweep.spec.canonical_values import spelled
from sweep.spec.fit_parameters import ignored
from sweep.spec.parameters import OPTIMIZERS, value_problem
from sweep.training.overrides import is_keras_class

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RATES = ("learning_rate", "learning_rate_decay", "momentum", "weight_decay", "label_smoothing")

IDLE = (("learning_rate_decay", 0.0), ("label_smoothing", 0.0))
"""Settings that change nothing."""


@dataclass(frozen=True)
class Recipe:
    """How an optimizer that a person has made is made again, without what it has learnt.

    Attributes
    ----------
    kind : type
        Its class.
    config : str
        Its configuration as JSON, without a plain learning rate.
    rate : float or None
        The learning rate; None for a schedule, which is in the configuration.
    """

    kind: type
    config: str
    rate: float | None

    def make(self, *, default_rate: bool = False) -> Any:
        """Make the optimizer, with the default rate of its class if that is asked."""
        config = json.loads(self.config)
        if self.rate is not None and not default_rate:
            config["learning_rate"] = self.rate
        return self.kind.from_config(config)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class OptimizerSettings:
    """What sweep compiles a model with: an optimizer, its settings, and the loss's.

    Attributes
    ----------
    name : str
        One of :data:`sweep.spec.OPTIMIZERS`.
    learning_rate : float or None
        Initial step size; None takes Keras's default for the optimizer.
    learning_rate_decay : float
        Inverse-time decay a step: ``learning_rate / (1 + learning_rate_decay * step)``, what
        ``decay`` meant before Keras 2.11.
    momentum, nesterov, weight_decay : float, bool, float or None
        None takes Keras's default.
    label_smoothing : float or None
        Share of each label that the loss spreads over all classes; None is 0.
    recipe : Recipe or None
        Of an optimizer that was given as an object; the other settings are then its own.
    """

    name: str = "adam"
    learning_rate: float | None = None
    learning_rate_decay: float = 0.0
    momentum: float | None = None
    nesterov: bool | None = None
    weight_decay: float | None = None
    label_smoothing: float | None = None
    recipe: Recipe | None = None

    @property
    def traced(self) -> tuple[Any, ...]:
        """The settings that are part of a trace; the others are variables."""
        given = None if self.recipe is None else (self.recipe.kind, self.recipe.config)
        named = (self.name, self.momentum, self.nesterov, self.weight_decay, self.decays)
        return (*named, self.label_smoothing or 0.0, given)

    @property
    def rate(self) -> float | None:
        """The initial learning rate; None for Keras's default, or a schedule."""
        return self.learning_rate if self.recipe is None else self.recipe.rate

    @property
    def decays(self) -> bool:
        """Whether the learning rate falls from step to step."""
        return self.learning_rate_decay > 0

    def given(self, params: Mapping[str, Any], taken: Collection[str]) -> dict[str, Any]:
        """Return the parameters of these settings that the user has set.

        Parameters
        ----------
        params : mapping of str to value
            An estimator's parameters.
        taken : collection of str
            Names of those that go to the model's factory; they are left out.
        """
        named = {"optimizer": params["optimizer"]}
        named |= {name: params[name] for name in _setting_names()}
        set_ = {name: value for name, value in named.items() if name not in taken}
        return {n: v for n, v in set_.items() if v is not None and (n, v) not in IDLE}

    @classmethod
    def from_params(
        cls, params: Mapping[str, Any], taken: Collection[str] = ()
    ) -> OptimizerSettings:
        """Read the settings out of an estimator's parameters.

        Parameters
        ----------
        params : mapping of str to value
            An estimator's parameters.
        taken : collection of str
            Names of those that go to the model's factory; they are left out.
        """
        named = {name: params[name] for name in _setting_names() if name not in taken}
        optimizer = None if "optimizer" in taken else params["optimizer"]
        if optimizer is not None and not isinstance(optimizer, str):
            return _from_object(optimizer, named)
        return cls(name=spelled("optimizer", optimizer or cls.name), **named)


def _setting_names() -> list[str]:
    return [f.name for f in fields(OptimizerSettings) if f.name not in ("name", "recipe")]


def _from_object(optimizer: Any, named: Mapping[str, Any]) -> OptimizerSettings:
    """Read an optimizer's class, or an optimizer beside which nothing else may be set."""
    import keras

    if isinstance(optimizer, type) and issubclass(optimizer, keras.optimizers.Optimizer):
        name = optimizer.__name__.lower()
        if name in OPTIMIZERS and is_keras_class(optimizer):
            return OptimizerSettings(name=name, **named)
        optimizer = optimizer()
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise ModelError(
            'optimizer: must be a name, such as "adam", or an optimizer of Keras\'s, got '
            f"{optimizer!r}"
        )
    kind = type(optimizer).__name__
    smoothing = named.get("label_smoothing")
    for name, value in named.items():
        if name != "label_smoothing" and value is not None and (name, value) not in IDLE:
            raise ModelError(
                f"{name}: the optimizer is given as an object, which has its own settings, got "
                f"{name} = {value!r} beside {kind}; say it in one place: optimizer={kind}(...), or "
                f'optimizer="{kind.lower()}" with {name}'
            )
    return OptimizerSettings(
        name=kind.lower(), label_smoothing=smoothing, recipe=recipe_of(optimizer)
    )


def recipe_of(optimizer: Any) -> Recipe:
    """Return how an optimizer is made again.

    Raises
    ------
    ModelError
        If its configuration does not do for that.
    """
    config = dict(optimizer.get_config())
    rate = config.get("learning_rate")
    if isinstance(rate, int | float):
        del config["learning_rate"]
        rate = as_written(rate)
    else:
        rate = None
    try:
        recipe = Recipe(type(optimizer), json.dumps(config, sort_keys=True), rate)
        recipe.make()
    except Exception as error:
        raise ModelError(
            f"optimizer: each fit makes {type(optimizer).__name__} anew from its get_config(), "
            f"which fails: {type(error).__name__}: {error}; have get_config() return all arguments "
            "of its class as plain values"
        ) from error
    return recipe


def as_written(rate: float) -> float:
    """Return a rate without the digits that a float32 adds to what somebody has written."""
    return float(np.format_float_scientific(np.float32(rate), unique=True))


def made_anew(value: Any) -> Any:
    """Return an optimizer as it was before it has learnt anything; other values as they are."""
    import keras

    if isinstance(value, keras.optimizers.Optimizer):
        return recipe_of(value).make()
    return value


def check_values(settings: OptimizerSettings) -> None:
    """Refuse an unknown optimizer, or a rate that no optimizer takes.

    Raises
    ------
    ModelError
        Naming the parameter, its value and what is allowed.
    """
    if settings.recipe is None and settings.name not in OPTIMIZERS:
        allowed = ", ".join(sorted(OPTIMIZERS))
        raise ModelError(f"optimizer: no optimizer named {settings.name!r}; there are: {allowed}")
    for name in RATES:
        value = getattr(settings, name)
        if value is not None and (rule := value_problem(name, value)):
            raise ModelError(f"{name}: {rule}, got {value!r}")


def check_optimizer(settings: OptimizerSettings) -> None:
    """Refuse an unknown optimizer, or a setting that it would ignore.

    Raises
    ------
    ModelError
        Naming the parameter, its value and what is allowed.
    """
    check_values(settings)
    if settings.recipe is not None:
        return
    if broken := ignored({**vars(settings), "optimizer": settings.name}):
        raise ModelError(": ".join(broken))


def make_optimizer(settings: OptimizerSettings, *, default_rate: bool = False) -> Any:
    """Make the Keras optimizer. The backends set its learning rate, at each step if it decays.

    Parameters
    ----------
    settings : OptimizerSettings
        Name and settings.
    default_rate : bool, default=False
        Leave the learning rate at Keras's default: fits share the optimizer, and each sets its own.

    Returns
    -------
    keras.optimizers.Optimizer
    """
    import keras

    check_optimizer(settings)
    if settings.recipe is not None:
        return settings.recipe.make(default_rate=default_rate)
    given = {name: getattr(settings, name) for name in ("momentum", "nesterov", "weight_decay")}
    options = {
        name: value
        for name, value in given.items()
        if value is not None and (value != 0 or name == "weight_decay")
    }
    optimizer = keras.optimizers.get({"class_name": settings.name, "config": options})
    if settings.learning_rate is not None and not default_rate:
        optimizer.learning_rate = settings.learning_rate
    return optimizer
