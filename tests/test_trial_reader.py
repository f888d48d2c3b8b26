"""Trials read straight from the tables: exactly what Optuna reads, and all of one moment."""

import math
from contextlib import closing

import optuna
from ledgers import split
from optuna.trial import TrialState
from pretend import begin, study
from sqlalchemy import event

from sweep.ledger.ledger import Ledger
from sweep.search.plan import make_plan
from sweep.storage.attributes import RESULT
from sweep.storage.trial_reader import read_trials
from sweep.workers.recovery import enqueue_missing

SPACE = {"epochs": [1], "hidden_size": [8, 16, 32], "activation": ["relu", "tanh"]}


def filled(url):
    """A ledger with a study of trials in every state."""
    ledger = Ledger(url)
    begin(ledger, study("grid", space=SPACE))
    ends = [
        lambda claim: ledger.complete(claim, 0.5, [split(0.5, [1])], (), steps={1: 0.5}),
        lambda claim: ledger.pruned(claim, 0.4, [split(0.4, [1])], (), steps={1: math.nan}),
        lambda claim: ledger.fail(claim, "no"),
        lambda claim: ledger.cut(claim.trial_id, "killed"),
        lambda _claim: None,
    ]
    for end in ends:
        end(ledger.claim("pretend", "w"))
    return ledger


def test_our_own_trials_are_read_as_optuna_reads_them(ledger_url):
    with closing(filled(ledger_url)) as ledger:
        place, study_id = ledger.storage, ledger.study_id("pretend")
        held = place.get_all_trials(study_id)
        assert {t.state.name for t in held} == {
            "COMPLETE", "PRUNED", "FAIL", "RUNNING", "WAITING"
        }  # fmt: skip
        found = read_trials(place, study_id)
        assert repr(found) == repr(held)  # a report of NaN equals nothing, itself included
        assert [vars(t) for t in found if t.number != 1] == [vars(t) for t in held if t.number != 1]
        some = (TrialState.COMPLETE, TrialState.FAIL)
        assert read_trials(place, study_id, some) == place.get_all_trials(study_id, states=some)
        ids = {held[0]._trial_id, held[4]._trial_id}
        assert [t.number for t in read_trials(place, study_id, only=ids)] == [0, 4]
        assert read_trials(place, study_id, only=()) == []


def test_trials_of_optuna_s_own_are_read_too(ledger_url, monkeypatch):
    """Every kind of distribution, infinite values, many of them at once."""
    with closing(Ledger(ledger_url)) as ledger:
        made = optuna.create_study(storage=ledger.storage, directions=["maximize", "minimize"])

        def objective(trial):
            x = trial.suggest_float("x", 1e-3, 1, log=True)
            trial.suggest_float("s", 0, 1, step=0.25)
            trial.suggest_int("n", 1, 64, log=True)
            trial.suggest_categorical("c", ["a", None, 2.5, True])
            trial.set_user_attr("deep", {"list": [1, {"x": x}]})
            trial.set_constraint("c", -1.0)
            return x, math.inf if trial.number % 2 else -math.inf

        made.optimize(objective, n_trials=6)
        assert read_trials(ledger.storage, made._study_id) == made.get_trials(deepcopy=False)
        monkeypatch.setattr("sweep.storage.trial_reader.IN_A_QUERY", 2)
        ids = [t._trial_id for t in made.trials[1:5]]
        assert read_trials(ledger.storage, made._study_id, only=ids) == made.trials[1:5]


def test_without_results_only_these_are_left_out(ledger_url):
    with closing(filled(ledger_url)) as ledger:
        whole, light = ledger.trials("pretend"), ledger.trials("pretend", results=False)
        assert any(RESULT in t.user_attrs for t in whole)
        for one, other in zip(whole, light, strict=True):
            one.user_attrs.pop(RESULT, None)
            assert one.user_attrs == other.user_attrs
            assert (one.state, one.values, one.params) == (other.state, other.values, other.params)


def test_a_trial_that_ends_while_it_is_read_is_of_one_moment(database):
    """Between two tables' queries another process records a result: all of it is seen, or none."""
    with closing(Ledger(database)) as ledger, closing(Ledger(database)) as other:
        begin(ledger, study("grid", space=SPACE))
        claim = other.claim("pretend", "w")
        left = [lambda: other.complete(claim, 0.5, [split(0.5, [1])], ())]

        @event.listens_for(ledger.storage.engine, "after_cursor_execute")
        def after(_connection, _cursor, statement, *_rest):
            if left and "FROM trials" in statement and "trial_user" not in statement:
                left.pop()()

        seen = next(t for t in ledger.trials("pretend") if t.number == claim.number)
        assert not left
        assert (seen.state.name, seen.values, RESULT in seen.user_attrs) == ("RUNNING", None, False)
        seen = next(t for t in ledger.trials("pretend") if t.number == claim.number)
        assert (seen.state.name, seen.values, RESULT in seen.user_attrs) == (
            "COMPLETE",
            [0.5],
            True,
        )


def test_cells_are_restored_without_reading_results(ledger_url, monkeypatch):
    """A worker that dies in a large study must not make the run read all of it."""
    spec = study("grid", space=SPACE)
    with closing(Ledger(ledger_url)) as ledger:
        begin(ledger, spec)
        claim = ledger.claim("pretend", "w")
        ledger.complete(claim, 0.5, [split(0.5, [1])], ())
        ledger.cut(ledger.claim("pretend", "w").trial_id)
        asked, read = [], Ledger.trials

        def trials(self, *arguments, **options):
            asked.append(options)
            return read(self, *arguments, **options)

        monkeypatch.setattr(Ledger, "trials", trials)
        assert enqueue_missing(ledger, "pretend", make_plan(spec)) == 1
        assert asked == []
