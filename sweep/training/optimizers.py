"""Optimizers by name, with their settings as parameters of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from numbers import Real
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCEPTS: dict[str, tuple[str, ...]] = {
    "adadelta": (),
    "adagrad": (),
    "adam": (),
    "adamax": (),
    "adamw": (),
    "ftrl": (),
    "lion": (),
    "nadam": (),
    "rmsprop": ("momentum",),
    "sgd": ("momentum", "nesterov"),
}
"""Settings beyond learning rate and weight decay that each optimizer takes."""


RULES: dict[str, tuple[str, Callable[[float], bool]]] = {
    "learning_rate": ("a number above 0", lambda v: v > 0),
    "learning_rate_decay": ("a number from 0", lambda v: v >= 0),
    "momentum": ("a number from 0 to below 1", lambda v: 0 <= v < 1),
    "weight_decay": ("a number from 0", lambda v: v >= 0),
}
"""What each rate must be."""


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class OptimizerSettings:
    """How a model is optimized.

    Attributes
    ----------
    name : str
        One of :data:`ACCEPTS`.
    learning_rate : float or None
        Initial step size; None takes Keras's default for the optimizer.
    learning_rate_decay : float
        Inverse-time decay a step: ``learning_rate / (1 + learning_rate_decay * step)``, what
        ``decay`` meant before Keras 2.11.
    momentum, nesterov, weight_decay : float, bool, float or None
        None takes Keras's default.
    """

    name: str = "adam"
    learning_rate: float | None = None
    learning_rate_decay: float = 0.0
    momentum: float | None = None
    nesterov: bool | None = None
    weight_decay: float | None = None

    @property
    def traced(self) -> tuple[Any, ...]:
        """The settings that are part of a trace; the others are variables."""
        decays = self.learning_rate_decay > 0
        return (self.name, self.momentum, self.nesterov, self.weight_decay, decays)

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> OptimizerSettings:
        """Read the settings out of an estimator's parameters."""
        named = {f.name: params[f.name] for f in fields(cls) if f.name != "name"}
        return cls(name=params["optimizer"], **named)


def check_optimizer(settings: OptimizerSettings) -> None:
    """Refuse an unknown optimizer, or a setting that it would ignore.

    Raises
    ------
    ModelError
        Naming the parameter, its value and what is allowed.
    """
    if settings.name not in ACCEPTS:
        allowed = ", ".join(ACCEPTS)
        raise ModelError(f"optimizer: no optimizer named {settings.name!r}; there are: {allowed}")
    for name, (rule, holds) in RULES.items():
        value = getattr(settings, name)
        if value is not None and not (_is_number(value) and holds(value)):
            raise ModelError(f"{name}: must be {rule}, got {value!r}")
    for name in ("momentum", "nesterov"):
        value = getattr(settings, name)
        if value and name not in ACCEPTS[settings.name]:
            takers = ", ".join(o for o, names in ACCEPTS.items() if name in names)
            raise ModelError(
                f"{name}: {settings.name} takes no {name}, got {value!r}; it applies to {takers} "
                f'(in a space: when = {{ optimizer = "{takers.split(", ")[-1]}" }})'
            )


def make_optimizer(settings: OptimizerSettings, *, schedule: bool = False) -> Any:
    """Make the Keras optimizer.

    Parameters
    ----------
    settings : OptimizerSettings
        What to make.
    schedule : bool
        Put the decay into a Keras schedule (for plain ``Model.fit``); otherwise the caller
        moves the learning-rate variable itself.

    Returns
    -------
    keras.optimizers.Optimizer
    """
    import keras

    check_optimizer(settings)
    given = {name: getattr(settings, name) for name in ("momentum", "nesterov", "weight_decay")}
    options = {name: value for name, value in given.items() if value is not None and value != 0}
    optimizer = keras.optimizers.get({"class_name": settings.name, "config": options})
    if settings.learning_rate is not None:
        optimizer.learning_rate = settings.learning_rate
    if schedule and settings.learning_rate_decay:
        optimizer.learning_rate = keras.optimizers.schedules.InverseTimeDecay(
            float(optimizer.learning_rate.numpy()), 1, settings.learning_rate_decay
        )
    return optimizer
