"""Optuna's pruners by epoch, as a study file names them.

A step is the number of epochs done, so that the first epoch is step 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.pruning import BY_RUNGS

if TYPE_CHECKING:
    from sweep.spec import PrunerSection, StudySpec


def make_pruner(spec: StudySpec) -> Any:
    """Return the pruner of a study; one that never prunes where none is asked for.

    Hyperband and successive halving are none of Optuna's: see :mod:`sweep.search.promotion`.
    """
    import optuna

    asked = spec.search.pruner
    if asked is None or asked.name in BY_RUNGS:
        return optuna.pruners.NopPruner()
    return _make(asked)


def _make(asked: PrunerSection) -> Any:
    from optuna import pruners

    wrapped = None if asked.wrapped is None else _make(asked.wrapped)
    warm_up = {"n_warmup_steps": asked.min_epochs}
    startup = {"n_startup_trials": asked.startup_trials}
    patience = {"patience": asked.patience, "min_delta": asked.min_delta}
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "median": (pruners.MedianPruner, {**startup, **warm_up}),
        "percentile": (
            pruners.PercentilePruner,
            {"percentile": asked.percentile, **startup, **warm_up},
        ),
        "threshold": (
            pruners.ThresholdPruner,
            {"lower": asked.lower, "upper": asked.upper, **warm_up},
        ),
        "patient": (pruners.PatientPruner, {"wrapped_pruner": wrapped, **patience}),
    }
    kind, settings = kinds[asked.name]
    return kind(**settings)
