"""How sweep compiles a model: optimizers by name, each setting a parameter, and the loss's."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.spec.canonical_values import spelled
from sweep.spec.fit_parameters import ignored
from sweep.spec.parameters import OPTIMIZERS, value_problem

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

RATES = ("learning_rate", "learning_rate_decay", "momentum", "weight_decay", "label_smoothing")

IDLE = (("learning_rate_decay", 0.0), ("label_smoothing", 0.0))
"""Settings that change nothing."""


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
    """

    name: str = "adam"
    learning_rate: float | None = None
    learning_rate_decay: float = 0.0
    momentum: float | None = None
    nesterov: bool | None = None
    weight_decay: float | None = None
    label_smoothing: float | None = None

    @property
    def traced(self) -> tuple[Any, ...]:
        """The settings that are part of a trace; the others are variables."""
        smoothing = self.label_smoothing or 0.0
        return (self.name, self.momentum, self.nesterov, self.weight_decay, self.decays, smoothing)

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
        named |= {f.name: params[f.name] for f in fields(self) if f.name != "name"}
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
        names = [f.name for f in fields(cls) if f.name != "name"]
        named = {name: params[name] for name in names if name not in taken}
        optimizer = None if "optimizer" in taken else params["optimizer"]
        return cls(name=spelled("optimizer", optimizer or cls.name), **named)


def check_values(settings: OptimizerSettings) -> None:
    """Refuse an unknown optimizer, or a rate that no optimizer takes.

    Raises
    ------
    ModelError
        Naming the parameter, its value and what is allowed.
    """
    if settings.name not in OPTIMIZERS:
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
    if broken := ignored({**vars(settings), "optimizer": settings.name}):
        raise ModelError(": ".join(broken))


def make_optimizer(settings: OptimizerSettings) -> Any:
    """Make the Keras optimizer. The backends set its learning rate, at each step if it decays.

    Parameters
    ----------
    settings : OptimizerSettings
        Name and settings.

    Returns
    -------
    keras.optimizers.Optimizer
    """
    import keras

    check_optimizer(settings)
    given = {name: getattr(settings, name) for name in ("momentum", "nesterov", "weight_decay")}
    options = {
        name: value
        for name, value in given.items()
        if value is not None and (value != 0 or name == "weight_decay")
    }
    optimizer = keras.optimizers.get({"class_name": settings.name, "config": options})
    if settings.learning_rate is not None:
        optimizer.learning_rate = settings.learning_rate
    return optimizer
