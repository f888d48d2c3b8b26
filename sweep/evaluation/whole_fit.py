"""Fit an estimator to all training rows: its steps, then its last one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweep.evaluation.estimator_fits import global_generators
from sweep.evaluation.shared_steps import as_array, fit_step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.evaluation.pipeline_parts import Parts


@dataclass(frozen=True)
class FittedWhole:
    """A fitted estimator.

    Attributes
    ----------
    whole : estimator
        It predicts rows as the study's data have them.
    steps : tuple of (str, transformer)
        Its fitted steps before the last one.
    last : estimator
        Its last step, fitted; the same as ``whole`` for what is no pipeline.
    ours : bool
        Whether the last step is a classifier of sweep's.
    seconds : float
        Of the fit.
    history : mapping of str to tuple of float
        The training history of the last step, if it is sweep's.
    """

    whole: Any
    steps: tuple[tuple[str, Any], ...]
    last: Any
    ours: bool
    seconds: float = 0.0
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def fit_whole(parts: Parts, x: Any, y: Any, seed: int) -> FittedWhole:
    """Fit an estimator's steps and its last one.

    Parameters
    ----------
    parts : Parts
        The estimator, its parameters set; its steps are fitted themselves.
    x, y : ndarray
        Rows and labels.
    seed : int
        The study's seed, for what has no ``random_state``.
    """
    if parts.ours and not parts.steps:
        last = parts.last.fit(x, y)
        return FittedWhole(
            parts.fitted((), last), (), last, True, last.history_["seconds"][-1], _history(last)
        )
    began, fitted, x = time.perf_counter(), [], as_array(x)
    with global_generators(seed):
        for name, step in parts.steps:
            made, x = fit_step(step, x, y)
            fitted.append((name, made))
        parts.last.fit(x, y)
    seconds = time.perf_counter() - began
    whole = parts.fitted(fitted, parts.last)
    history = _history(parts.last) if parts.ours else {}
    return FittedWhole(whole, tuple(fitted), parts.last, parts.ours, seconds, history)


def _history(last: Any) -> dict[str, tuple[float, ...]]:
    return {name: tuple(each) for name, each in last.history_.items() if name != "seconds"}
