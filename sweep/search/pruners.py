"""Optuna's pruners by epoch, as a study file names them.

A step is the number of epochs done, so that the first epoch is step 1 and hyperband's resource is
epochs.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sweep.ledger.keys import CELL
from sweep.spaces import Choices
from sweep.spaces.dimensions import top

if TYPE_CHECKING:
    from sweep.spec import PrunerSection, StudySpec


def make_pruner(spec: StudySpec) -> Any:
    """Return the pruner of a study; one that never prunes where none is asked for.

    Hyperband is that of L. Li et al., "Hyperband: a novel bandit-based approach to hyperparameter
    optimization" (JMLR 18, 2018), successive halving that of L. Li et al., "A system for massively
    parallel hyperparameter tuning" (MLSys 2020); both as Optuna decides them, trial by trial.
    """
    import optuna

    asked = spec.search.pruner
    return optuna.pruners.NopPruner() if asked is None else _make(asked, spec)


def largest_epochs(spec: StudySpec) -> int:
    """Return the most epochs that a trial of a study may run."""
    searched = spec.space.dimensions.get("epochs")
    if searched is None:
        return spec.fixed_epochs
    return int(max(searched.values) if isinstance(searched, Choices) else top(searched))


def _make(asked: PrunerSection, spec: StudySpec) -> Any:
    from optuna import pruners

    most = asked.max_epochs or max(largest_epochs(spec), asked.min_epochs or 1)
    wrapped = None if asked.wrapped is None else _make(asked.wrapped, spec)
    warm_up = {"n_warmup_steps": asked.min_epochs}
    startup = {"n_startup_trials": asked.startup_trials}
    resource = {"min_resource": asked.min_epochs, "reduction_factor": asked.reduction_factor}
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
        "successive_halving": (pruners.SuccessiveHalvingPruner, resource),
        "hyperband": (_hyperband(spec.study.seed), {"max_resource": most, **resource}),
    }
    kind, settings = kinds[asked.name]
    return kind(**settings)


def _hyperband(seed: int) -> Any:
    """Return Optuna's hyperband, a trial's bracket drawn by the study's seed and the trial's slot.

    Optuna draws it by the study's name and the trial's number, which is another one when an
    interrupted cell is taken again.
    """
    from optuna.pruners import HyperbandPruner

    class SlotHyperbandPruner(HyperbandPruner):
        def _get_bracket_id(self, study: Any, trial: Any) -> int:  # noqa: ARG002
            key = trial.user_attrs.get(CELL, {}).get("key", "")
            slot = key.rpartition(":")[2] or str(trial.number)
            fixed: Any = SimpleNamespace(study_name=str(seed), number=slot)
            return super()._get_bracket_id(fixed, fixed)

    return SlotHyperbandPruner
