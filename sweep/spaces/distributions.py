"""Convert a search space to Optuna's distributions; Optuna is imported only when needed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sweep.spaces.dimensions import (
    Choices,
    Dimension,
    FloatRange,
    IntRange,
    Params,
    Space,
    applies,
    ordered,
    same,
    top,
)


def encode(value: Any) -> Any:
    """Return a choice as Optuna can store it: unchanged, or as JSON text if it is a list."""
    scalar = value is None or isinstance(value, bool | int | float | str)
    return value if scalar else json.dumps(value, separators=(",", ":"))


def decode(dimension: Dimension, stored: Any) -> Any:
    """Return the choice that :func:`encode` stored; round a number to its step."""
    if isinstance(dimension, Choices):
        return next((v for v in dimension.values if same(encode(v), stored)), stored)
    if isinstance(dimension, FloatRange) and dimension.step is not None:
        return _on_step(dimension.low, dimension.step, stored)
    return stored


def _on_step(low: float, step: float, value: float) -> float:
    """Return a value without Optuna's rounding error: 0.3 for 0.30000000000000004."""
    steps = round((value - low) / step)
    return float(Decimal(str(low)) + steps * Decimal(str(step)))


def distributions(space: Space) -> dict[str, Any]:
    """Return Optuna's distributions of a space: ``{name: distribution}``."""
    from optuna import distributions as optuna

    def one(dimension: Dimension) -> Any:
        if isinstance(dimension, Choices):
            return optuna.CategoricalDistribution(tuple(map(encode, dimension.values)))
        low, high, log = dimension.low, top(dimension), dimension.log
        if isinstance(dimension, IntRange):
            return optuna.IntDistribution(int(low), high, log=log, step=dimension.step)
        return optuna.FloatDistribution(low, high, log=log, step=dimension.step)

    return {name: one(dimension) for name, dimension in space.items()}


def suggest(trial: Any, space: Space) -> Params:
    """Return parameters suggested by an Optuna trial, without those whose condition is not met.

    Parameters
    ----------
    trial : optuna.trial.BaseTrial
        It suggests each parameter that applies, parents first.
    space : mapping of str to dimension
        The search space.
    """
    params: Params = {}
    for name in ordered(space):
        if applies(space[name], params):
            params[name] = _suggest_one(trial, name, space[name])
    return params


def _suggest_one(trial: Any, name: str, dimension: Dimension) -> Any:
    if isinstance(dimension, Choices):
        stored = trial.suggest_categorical(name, [encode(v) for v in dimension.values])
        return decode(dimension, stored)
    suggest_number = trial.suggest_int if isinstance(dimension, IntRange) else trial.suggest_float
    stored = suggest_number(
        name, dimension.low, top(dimension), step=dimension.step, log=dimension.log
    )
    return decode(dimension, stored)
