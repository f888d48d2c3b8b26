"""A search space as Optuna sees it; Optuna is imported only when asked for."""

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
    """Turn a choice into what Optuna can hold: itself, or its JSON text when it is a list."""
    scalar = value is None or isinstance(value, bool | int | float | str)
    return value if scalar else json.dumps(value, separators=(",", ":"))


def decode(dimension: Dimension, stored: Any) -> Any:
    """Find the choice that :func:`encode` made ``stored`` from; put a number on its step."""
    if isinstance(dimension, Choices):
        return next((v for v in dimension.values if same(encode(v), stored)), stored)
    if isinstance(dimension, FloatRange) and dimension.step is not None:
        return _on_step(dimension.low, dimension.step, stored)
    return stored


def _on_step(low: float, step: float, value: float) -> float:
    """Undo the rounding noise of Optuna, which says 0.30000000000000004 where a grid says 0.3."""
    steps = round((value - low) / step)
    return float(Decimal(str(low)) + steps * Decimal(str(step)))


def distributions(space: Space) -> dict[str, Any]:
    """Build Optuna's distributions of the space: ``{name: distribution}``."""
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
    """Parameters that an Optuna trial suggests; those whose condition is not met are absent.

    Parameters
    ----------
    trial : optuna.trial.BaseTrial
        Asked once for each parameter that applies, parents first.
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
    ask = trial.suggest_int if isinstance(dimension, IntRange) else trial.suggest_float
    stored = ask(name, dimension.low, top(dimension), step=dimension.step, log=dimension.log)
    return decode(dimension, stored)
