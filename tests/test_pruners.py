"""Pruners by epoch: a study file's words become Optuna's pruners with Optuna's meaning."""

import optuna
import pytest

from sweep.search.pruners import make_pruner
from sweep.spec import load_study

optuna.logging.set_verbosity(optuna.logging.ERROR)


def study(pruner=None, epochs=None):
    """A TPE study, its epochs fixed in [model] or searched."""
    space = {"hidden_size": {"int": [8, 64]}, **({"epochs": epochs} if epochs else {})}
    search = {"method": "tpe", "trials": 30, **({"pruner": pruner} if pruner else {})}
    sections = {"study": {"name": "s"}, "data": {"dataset": "digits"}, "model": {}}
    return load_study({**sections, "search": search, "space": space})


@pytest.mark.parametrize(
    ("pruner", "kind", "settings"),
    [
        (None, optuna.pruners.NopPruner, {}),
        ("median", optuna.pruners.MedianPruner, {"_n_warmup_steps": 1, "_n_startup_trials": 5}),
        (
            {"name": "percentile", "percentile": 40, "min_epochs": 2},
            optuna.pruners.PercentilePruner,
            {"_percentile": 40, "_n_warmup_steps": 2, "_n_startup_trials": 5},
        ),
        ("hyperband", optuna.pruners.NopPruner, {}),
        ("successive_halving", optuna.pruners.NopPruner, {}),
        (
            {"name": "threshold", "lower": 0.5},
            optuna.pruners.ThresholdPruner,
            {"_lower": 0.5, "_upper": float("inf"), "_n_warmup_steps": 1},
        ),
        ("patient", optuna.pruners.PatientPruner, {"_patience": 1, "_wrapped_pruner": None}),
    ],
)
def test_each_name_is_optunas_pruner(pruner, kind, settings):
    """With the settings of the study file and our defaults."""
    made = make_pruner(study(pruner, epochs=[9]))
    assert isinstance(made, kind)
    assert {name: getattr(made, name) for name in settings} == settings


def test_a_patient_pruner_wraps_another():
    """The wrapped one has its own settings."""
    wrapped = {"name": "percentile", "percentile": 40}
    made = make_pruner(study({"name": "patient", "wrapped": wrapped}, epochs=[3, 9]))
    assert isinstance(made._wrapped_pruner, optuna.pruners.PercentilePruner)
    assert made._wrapped_pruner._percentile == 40


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (study(epochs={"int": [1, 9]}), 9),
        (study(epochs={"int": [1, 10], "step": 2}), 9),
        (study(epochs=[4, 2]), 4),
    ],
)
def test_the_budget_follows_epochs(spec, expected):
    """Searched epochs count with their top, a step included."""
    assert spec.largest_epochs == expected


def test_fixed_epochs_are_the_budget():
    """Where epochs stand in [model], they are the whole of a trial."""
    spec = study("hyperband")
    assert spec.largest_epochs == spec.fixed_epochs
