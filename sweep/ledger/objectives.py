"""The objectives of a study: their directions, a trial's values, and the undominated trials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from sweep.spec.scorers import column_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.records import SplitResult


COSTS = ("parameters", "fit_seconds", "inference_ms")
"""Objectives that are minimized; scores are maximized."""


def directions(objectives: Sequence[str]) -> list[Literal["maximize", "minimize"]]:
    """Return Optuna's directions: maximize scores, minimize costs."""
    return ["minimize" if name in COSTS else "maximize" for name in objectives]


def objective_values(
    objectives: Sequence[str],
    score: float,
    splits: Sequence[SplitResult],
    epoch: float,
    parameters: int | None,
) -> list[float]:
    """Return one number for each objective.

    Parameters
    ----------
    objectives : sequence of str
        Any of ``score``, ``parameters`` (weights of the model), ``fit_seconds`` (of one split, to
        the end of the epoch; mean over splits) and ``inference_ms`` (milliseconds of predicting
        1,000 rows; mean over splits); of an imported study also its further scores.
    score : float
        Mean held-out score.
    splits : sequence of SplitResult
        The trial's results.
    epoch : float
        The epoch to evaluate.
    parameters : int or None
        Number of weights of the model.

    Returns
    -------
    list of float
        NaN for what was not measured.
    """
    known = {
        "score": score,
        "parameters": np.nan if parameters is None else parameters,
        "fit_seconds": _mean([split.seconds.get(epoch) for split in splits]),
        "inference_ms": _mean([split.inference_ms for split in splits]),
    }
    for name in map(column_of, objectives):
        if name not in known:
            known[name] = _mean([split.others.get(name, {}).get(epoch) for split in splits])
    return [float(known[column_of(name)]) for name in objectives]


def undominated(values: Sequence[Sequence[float]], objectives: Sequence[str]) -> list[bool]:
    """Return for each row whether no other is as good in every objective and better in one."""
    if not len(values):
        return []
    signs = [1 if name in COSTS else -1 for name in objectives]
    costs = np.asarray(values, dtype=float) * signs
    found, front, size = [False] * len(costs), np.empty_like(costs), 0
    for place in np.lexsort(costs.T[::-1]):  # a row that dominates another is sorted before it
        row, best = costs[place], front[:size]
        if not np.any(np.all(best <= row, axis=1) & np.any(best < row, axis=1)):
            found[place], front[size] = True, row
            size += 1
    return found


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")
