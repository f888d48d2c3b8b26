"""Pruners by epoch: a study file's words become Optuna's pruners with Optuna's meaning."""

import optuna
import pytest

from sweep.ledger.keys import CELL
from sweep.search.pruners import largest_epochs, make_pruner
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
        (
            "hyperband",
            optuna.pruners.HyperbandPruner,
            {"_min_resource": 1, "_max_resource": 9, "_reduction_factor": 3},
        ),
        (
            {"name": "successive_halving", "reduction_factor": 2, "min_epochs": 3},
            optuna.pruners.SuccessiveHalvingPruner,
            {"_min_resource": 3, "_reduction_factor": 2},
        ),
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
    wrapped = {"name": "hyperband", "min_epochs": 2}
    made = make_pruner(study({"name": "patient", "wrapped": wrapped}, epochs=[3, 9]))
    assert isinstance(made._wrapped_pruner, optuna.pruners.HyperbandPruner)
    assert (made._wrapped_pruner._min_resource, made._wrapped_pruner._max_resource) == (2, 9)


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
    assert largest_epochs(spec) == expected


def test_fixed_epochs_are_the_budget():
    """Where epochs stand in [model], they are the whole of a trial."""
    spec = study("hyperband")
    assert make_pruner(spec)._max_resource == spec.fixed_epochs


def trial(number, slot):
    """Return a trial that answers a slot."""
    made = optuna.trial.create_trial(value=0.5, user_attrs={CELL: {"key": f"slot:{slot}"}})
    made.number = number
    return made


def test_a_slot_keeps_its_bracket_whatever_its_trials_number():
    """So that an interrupted study goes on as it would have; another seed draws others."""
    pruner, any_study = make_pruner(study("hyperband", epochs=[9])), optuna.create_study()
    pruner._try_initialization(any_study)
    brackets = [pruner._get_bracket_id(any_study, trial(slot, slot)) for slot in range(60)]
    moved = [pruner._get_bracket_id(any_study, trial(slot + 7, slot)) for slot in range(60)]
    assert brackets == moved
    assert set(brackets) == {0, 1, 2}
