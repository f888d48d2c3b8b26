"""What a fit trains: fixed before its first epoch, and kept with the fitted estimator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.training import xla
from sweep.training.architecture import Architecture, seeded_build
from sweep.training.model_identity import inspect_model, matches
from sweep.training.optimizers import OptimizerSettings, make_optimizer
from sweep.training.output_meaning import PROBABILITIES, loss_for
from sweep.training.repeatability import why_unrepeatable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence


@dataclass(frozen=True)
class Blueprint:
    """A model and those settings of its training that are part of the traced graph.

    Attributes
    ----------
    architecture : Architecture
        Builds the model.
    identity : hashable
        Equal for models of which one may train in the other's place.
    meaning : {"probabilities", "logits", "shares"}
        What the output is.
    optimizer : OptimizerSettings or None
        None if the factory compiles the model itself.
    rate : float or None
        Learning rate of the factory's own optimizer; None without one.
    as_told : bool
        Whether the factory compiles with the optimizer that it is handed (``compile_kwargs``).
    unseeded, foreign_generators
        As in :class:`sweep.training.model_identity.ModelInspection`.
    unrepeatable : str
        Why two fits under one seed may differ; empty if they do not.
    jit_compile : {"auto", True, False}
        Whether XLA compiles its batches; see :func:`sweep.training.xla.compiles`.
    """

    architecture: Architecture
    identity: Hashable
    meaning: str
    optimizer: OptimizerSettings | None
    rate: float | None = None
    as_told: bool = False
    unseeded: str = ""
    foreign_generators: bool = False
    unrepeatable: str = ""
    jit_compile: bool | str = "auto"

    @property
    def key(self) -> Hashable:
        """Equal for blueprints that can share one trace."""
        traced = self.optimizer.traced if self.optimizer else None
        return (self.architecture.called, self.identity, self.meaning, traced, self.jit_compile)

    def build(self, seed: int) -> Any:
        """Build the model again.

        Raises
        ------
        ModelError
            If the user's factory builds another model now than for this blueprint.
        """
        model = seeded_build(self.architecture, seed)
        if not self.architecture.is_built_in and not self._is_same(model):
            raise ModelError(
                "model.factory: it builds another model now than when this estimator was fitted; "
                "undo what has changed since, or fit it again"
            )
        return model

    def compiled(self, model: Any) -> Any:
        """Compile a model, unless its factory has done so, and return it."""
        if self.optimizer is not None:
            smoothing = self.optimizer.label_smoothing
            loss = loss_for(model, self.architecture.input_shape, self.meaning, smoothing)
            optimizer = make_optimizer(self.optimizer, default_rate=True)
            jit = xla.compiles(self.jit_compile, model)
            words = {"weighted_metrics": ["accuracy"], "jit_compile": jit}
            model.compile(optimizer=optimizer, loss=loss, **words)
        elif self.jit_compile is True and not model.run_eagerly:
            model.jit_compile = xla.compiles(True, model)
        return model

    def _is_same(self, model: Any) -> bool:
        return matches(inspect_model(model, self.architecture.input_shape).identity, self.identity)


def make_blueprint(
    architecture: Architecture,
    optimizer: OptimizerSettings,
    seed: int,
    meaning: str | Callable[[Any], str],
    *,
    jit_compile: bool | str = "auto",
) -> tuple[Blueprint, Any]:
    """Make the blueprint of a fit.

    Parameters
    ----------
    architecture : Architecture
        Builds the model.
    optimizer : OptimizerSettings
        How to optimize it, unless the factory compiles it.
    seed : int
        Seed of the initial weights.
    meaning : str or callable
        What the output is, or ``f(model)`` that finds it out.
    jit_compile : {"auto", True, False}, default="auto"
        Whether XLA compiles its batches.

    Returns
    -------
    (Blueprint, keras.Model or None)
        The model, if one had to be built, with the initial weights of the seed.
    """
    if architecture.is_built_in:
        identity = architecture.identity()
        kept = Blueprint(architecture, identity, PROBABILITIES, optimizer, jit_compile=jit_compile)
        return kept, None
    model = seeded_build(architecture, seed)
    is_compiled = bool(getattr(model, "compiled", False))
    inspection = inspect_model(model, architecture.input_shape)
    meaning = meaning(model) if callable(meaning) else meaning
    why = why_unrepeatable(architecture, seed, model, inspection)
    settings, rate = (None, _compiled_rate(model.optimizer)) if is_compiled else (optimizer, None)
    blueprint = Blueprint(
        architecture=architecture,
        identity=inspection.identity,
        meaning=meaning,
        optimizer=settings,
        rate=rate,
        as_told=is_compiled and architecture.compiles_as_told(model),
        unseeded=inspection.unseeded,
        foreign_generators=inspection.foreign_generators,
        unrepeatable=why,
        jit_compile=jit_compile,
    )
    return blueprint, model


def check_optimizer_parameters(
    blueprint: Blueprint, for_sweep: Mapping[str, Any], for_factory: Mapping[str, Any]
) -> None:
    """Refuse parameters of the optimizer that would have no effect.

    Parameters
    ----------
    blueprint : Blueprint
        Of the fit.
    for_sweep : mapping of str to value
        Those that are set and not in the factory's signature: sweep's optimizer gets them.
    for_factory : mapping of str to value
        Those that are set and in the factory's signature.

    Raises
    ------
    ModelError
        Naming them, with what to write instead.
    """
    if blueprint.architecture.is_built_in:
        return
    compiled = blueprint.optimizer is None
    given = for_sweep if compiled else for_factory
    if names := idle_names(given, compiled=compiled, as_told=blueprint.as_told):
        values = ", ".join(f"{name} = {given[name]!r}" for name in names)
        raise ModelError(f"{', '.join(names)}: {why_idle(names, values, compiled=compiled)}")


NOT_TOLD = ("learning_rate_decay", "label_smoothing")
"""Parameters that are in no part of what a factory is handed to compile with."""


def idle_names(given: Iterable[str], *, compiled: bool, as_told: bool) -> list[str]:
    """Return the parameters of optimizer and loss that reach none.

    Parameters
    ----------
    given : iterable of str
        Those that are set: not in the signature of a factory that compiles, or in that of one that
        does not.
    compiled : bool
        Whether the factory compiles its model.
    as_told : bool
        Whether it does so with the optimizer that it is handed.
    """
    return [n for n in given if not (compiled and as_told) or n in NOT_TOLD]


def why_idle(names: Sequence[str], values: str, *, compiled: bool) -> str:
    """Return why parameters of optimizer and loss would reach none, and what to write instead."""
    listed = ", ".join(names)
    part = "loss" if list(names) == ["label_smoothing"] else "optimizer"
    if compiled:
        return (
            f"the factory compiles its own {part}, which {values} would not reach; "
            f"name {listed} in the factory's signature and use it there, or return the model "
            "uncompiled"
        )
    return (
        f"the factory takes {values} and returns a model that is not compiled, so "
        f"that sweep's {part} would not have it; compile the model in the factory, or take "
        f"{listed} out of its signature"
    )


def _compiled_rate(optimizer: Any) -> float | None:
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if not hasattr(inner._learning_rate, "assign"):  # a schedule of Keras's
        return None
    return float(inner._learning_rate.numpy())
