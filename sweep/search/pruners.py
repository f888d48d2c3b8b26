"""Optuna's pruners by epoch, with the names of the study file.

A step is the number of finished epochs, so the first epoch is step 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.pruning import BY_RUNGS

if TYPE_CHECKING:
    from sweep.spec import PrunerSection, StudySpec


def make_pruner(spec: StudySpec) -> Any:
    """Return the pruner of a study; one that never prunes if the study file names none.

    Hyperband and successive halving do not use Optuna's: see :mod:`sweep.search.promotion`.
    """
    import optuna

    section = spec.search.pruner
    if section is None or section.name in BY_RUNGS:
        return optuna.pruners.NopPruner()
    return _make(section)


def _make(section: PrunerSection) -> Any:
    from optuna import pruners

    wrapped = None if section.wrapped is None else _make(section.wrapped)
    warm_up = {"n_warmup_steps": section.min_epochs}
    startup = {"n_startup_trials": section.startup_trials}
    patience = {"patience": section.patience, "min_delta": section.min_delta}
    kinds: dict[str, tuple[Any, dict[str, Any]]] = {
        "median": (pruners.MedianPruner, {**startup, **warm_up}),
        "percentile": (
            pruners.PercentilePruner,
            {"percentile": section.percentile, **startup, **warm_up},
        ),
        "threshold": (
            pruners.ThresholdPruner,
            {"lower": section.lower, "upper": section.upper, **warm_up},
        ),
        "patient": (pruners.PatientPruner, {"wrapped_pruner": wrapped, **patience}),
    }
    kind, settings = kinds[section.name]
    return kind(**settings)
