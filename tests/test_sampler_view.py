"""What samplers and pruners see: the same as through Optuna's own cache, with fewer queries."""

from dataclasses import asdict

import optuna
import pytest
from ledgers import DATA

from sweep.ledger.ledger import Ledger
from sweep.search.plan import make_plan
from sweep.search.pruners import make_pruner
from sweep.search.samplers import make_sampler
from sweep.spaces import suggest
from sweep.spec import load_study


def study(pruner, trials=14):
    """A TPE study with a pruner."""
    return load_study(
        {
            "study": {"name": "s"},
            "data": {"dataset": "digits"},
            "model": {"epochs": 9},
            "search": {"method": "tpe", "trials": trials, "pruner": pruner},
            "space": {
                "learning_rate": {"float": [1e-4, 1e-1], "log": True},
                "optimizer": ["adam", "sgd"],
                "momentum": {"float": [0.0, 0.9], "when": {"optimizer": "sgd"}},
            },
        }
    )


def ledger_of(path, spec):
    """Return a ledger with the study's cells waiting."""
    ledger, plan = Ledger(f"sqlite:///{path}"), make_plan(spec)
    facts = {"source": "", "environment": {}, "created": "", "planned": len(plan.cells)}
    ledger.create("s", {"spec": spec.plain(), "data": asdict(DATA), **facts})
    ledger.enqueue("s", plan.cells, plan.distributions)
    return ledger


def begin(ledger, spec, *, seen=True):
    """Take a cell and draw its parameters; through the view, or as Optuna would."""
    claim = ledger.claim("s", "w")
    slot = int(claim.key.rpartition(":")[2])
    load = ledger.optuna_study if seen else ledger.load
    found = load("s", make_sampler(spec, slot), make_pruner(spec))
    if seen:
        ledger.view.take(found._study_id, claim.trial_id)
    else:
        found.get_trials(deepcopy=False)
    trial = optuna.trial.Trial(found, claim.trial_id)
    params = suggest(trial, spec.space.dimensions)
    if seen:
        ledger.view.flush_params()
    return claim, trial, params


def train(ledger, claim, trial, params):
    """Report a made-up curve; end where the pruner says."""
    for epoch in range(1, 10):
        value = epoch / 10 - abs(params["learning_rate"] - 0.01)
        trial.report(value, epoch)
        if trial.should_prune():
            return ledger.pruned(claim, value, [], [])
    return ledger.complete(claim, value, [], [])


def story(ledger):
    """Return what became of each trial."""
    return [
        (t.state.name, t.value, t.params, t.intermediate_values, t.system_attrs)
        for t in ledger.trials("s")
    ]


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize(
    "pruner",
    ["median", "percentile", {"name": "patient", "wrapped": "percentile"}],
)
def test_searches_are_those_of_optunas_own_storage(tmp_path, pruner):
    """The same suggestions, decisions, values and notes, trial by trial."""
    spec, stories = study(pruner), []
    for seen in (True, False):
        ledger = ledger_of(tmp_path / f"{seen}.db", spec)
        for _ in range(14):
            train(ledger, *begin(ledger, spec, seen=seen))
        stories.append(story(ledger))
    assert stories[0] == stories[1]
    assert {state for state, *_ in stories[0]} >= {"COMPLETE"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_another_workers_decisions_are_seen_at_once(tmp_path):
    """What a pruner notes counts while its trial still runs; a trial that was cut does not."""
    spec = study("median")
    mine = ledger_of(tmp_path / "l.db", spec)
    other = Ledger(mine.url)
    claim, trial, _ = begin(other, spec)
    other.view.set_trial_system_attr(trial._trial_id, "noted", 0.9)
    begin(mine, spec)
    study_id = mine.study_id("s")
    seen = mine.view.get_all_trials(study_id)
    assert [(t.number, t.system_attrs.get("noted")) for t in seen] == [(0, 0.9), (1, None)]
    other.cut(claim.trial_id)
    assert [t.number for t in mine.view.get_all_trials(study_id)] == [1]
