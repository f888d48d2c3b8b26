"""What a fit trains, settled before its first epoch and kept with what was fitted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.training.architecture import Architecture, seeded_build
from sweep.training.model_identity import look, matches
from sweep.training.optimizers import OptimizerSettings, make_optimizer
from sweep.training.output_meaning import PROBABILITIES, loss_for
from sweep.training.repeatability import why_unrepeatable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping


@dataclass(frozen=True)
class Blueprint:
    """A model and how it is trained, as far as that is traced.

    Attributes
    ----------
    architecture : Architecture
        Builds the model.
    identity : hashable
        Equal for models of which one may train in the other's place.
    meaning : {"probabilities", "logits", "shares"}
        What the output is.
    optimizer : OptimizerSettings or None
        None where the factory compiles the model itself.
    rate : float or None
        Learning rate of the optimizer that the factory compiled; None for others.
    drawn, foreign
        As in :class:`sweep.training.model_identity.Look`.
    unrepeatable : str
        Why two fits under one seed may differ; empty where they may not.
    """

    architecture: Architecture
    identity: Hashable
    meaning: str
    optimizer: OptimizerSettings | None
    rate: float | None = None
    drawn: str = ""
    foreign: bool = False
    unrepeatable: str = ""

    @property
    def key(self) -> Hashable:
        """What tells this blueprint's trace from others'."""
        traced = self.optimizer.traced if self.optimizer else None
        return (self.architecture.called, self.identity, self.meaning, traced)

    def build(self, seed: int) -> Any:
        """Build the model again.

        Raises
        ------
        ModelError
            If the factory of one's own builds another model now than when this was drawn up.
        """
        model = seeded_build(self.architecture, seed)
        if not self.architecture.is_built_in and not self._is_same(model):
            raise ModelError(
                "model.factory: it builds another model now than when this estimator was fitted; "
                "undo what has changed since, or fit it again"
            )
        return model

    def compiled(self, model: Any) -> Any:
        """Return a model compiled, unless its factory did so."""
        if self.optimizer is not None:
            loss = loss_for(model, self.architecture.input_shape, self.meaning)
            # Without a rate: each fit sets its own, so that none meets that of another.
            optimizer = make_optimizer(replace(self.optimizer, learning_rate=None))
            model.compile(optimizer=optimizer, loss=loss, weighted_metrics=["accuracy"])
        return model

    def _is_same(self, model: Any) -> bool:
        return matches(look(model, self.architecture.input_shape).identity, self.identity)


def draw_up(
    architecture: Architecture,
    optimizer: OptimizerSettings,
    seed: int,
    meaning: str | Callable[[Any], str],
) -> tuple[Blueprint, Any]:
    """Settle what a fit trains.

    Parameters
    ----------
    architecture : Architecture
        Builds the model.
    optimizer : OptimizerSettings
        How it is to be optimized.
    seed : int
        Of the initial weights.
    meaning : str or callable
        What the output is, or ``f(model)`` that finds out.

    Returns
    -------
    (Blueprint, keras.Model or None)
        The model where one had to be built, with the initial weights of the seed.
    """
    if architecture.is_built_in:
        return Blueprint(architecture, architecture.identity(), PROBABILITIES, optimizer), None
    model = seeded_build(architecture, seed)
    own = bool(getattr(model, "compiled", False))
    seen = look(model, architecture.input_shape)
    meaning = meaning(model) if callable(meaning) else meaning
    why = why_unrepeatable(architecture, seed, model, seen)
    settings, rate = (None, _rate(model.optimizer)) if own else (optimizer, None)
    found = Blueprint(
        architecture, seen.identity, meaning, settings, rate, seen.drawn, seen.foreign, why
    )
    return found, model


def check_reach(blueprint: Blueprint, given: Mapping[str, Any], handed: Mapping[str, Any]) -> None:
    """Refuse parameters of the optimizer that would reach nothing.

    Parameters
    ----------
    blueprint : Blueprint
        Of the fit.
    given : mapping of str to value
        Those that are set and not named by the factory.
    handed : mapping of str to value
        Those that are set and named by the factory.

    Raises
    ------
    ModelError
        Naming them, with what to write instead.
    """
    if blueprint.architecture.is_built_in:
        return
    if blueprint.optimizer is None and given:
        names, said = ", ".join(given), _said(given)
        raise ModelError(
            f"{names}: the factory compiles its own optimizer, which {said} would not reach; name "
            f"{names} in the factory's signature and use it there, or return the model uncompiled"
        )
    if blueprint.optimizer is not None and handed:
        names, said = ", ".join(handed), _said(handed)
        raise ModelError(
            f"{names}: the factory takes {said} and returns a model that is not compiled, so that "
            f"sweep's optimizer would not have it; compile the model in the factory, or take "
            f"{names} out of its signature"
        )


def _said(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value!r}" for name, value in params.items())


def _rate(optimizer: Any) -> float | None:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(inner._learning_rate, "assign"):  # a schedule of Keras's
        return None
    return float(inner._learning_rate.numpy())
