"""Hyperband by promotion: brackets, rungs, and who goes on."""

from dataclasses import replace

import numpy as np
import optuna
import pytest
from pretend import begin, study, work

from sweep.ledger.ledger import Ledger
from sweep.ledger.records import Rung, SplitResult, TrialRecord
from sweep.search.plan import make_plan
from sweep.search.promotion import (
    Bracket,
    BracketPlan,
    bracket_plan,
    next_rung,
    rank_across_budgets,
    reached_score,
)
from sweep.workers.recovery import enqueue_missing
from sweep.workers.rungs import RungScheduler
from sweep.workers.trial_cache import FinishedTrials

LADDER = BracketPlan((Bracket((1, 3, 9), 9), Bracket((3, 9), 5), Bracket((9,), 3)), 3)
SPACE = {"learning_rate": {"float": [1e-4, 1e-1], "log": True}, "epochs": [9]}


def ladder(pruner, epochs=9):
    """Return the ladder of a study of so many epochs."""
    space = {"hidden_size": {"int": [8, 64]}, "epochs": [epochs]}
    return bracket_plan(study("tpe", space=space, trials=9, pruner=pruner))


def trial(number, epochs, score, continues=None, state="PRUNED", bracket=0):
    """Return a trial that came to a rung with that score."""
    splits = (SplitResult(dict.fromkeys(range(1, epochs + 1), score)),)
    rung = Rung(bracket, epochs, continues)
    return TrialRecord(number, f"slot:{number}", state, {"a": number}, (9,), splits, rung=rung)


def test_the_brackets_are_those_of_the_paper():
    """Li et al. 2018, table 1, for 81 epochs and a factor of 3: rungs and starts of each."""
    found = ladder("hyperband", 81)
    assert [b.rungs for b in found.brackets] == [
        (1, 3, 9, 27, 81), (3, 9, 27, 81), (9, 27, 81), (27, 81), (81,),
    ]  # fmt: skip
    assert [b.starts for b in found.brackets] == [81, 34, 15, 8, 5]
    assert ladder("hyperband") == LADDER


def test_a_ladder_ends_at_the_whole():
    """Whatever the factor; `max_epochs` says it where nothing else does; one epoch, one rung."""
    assert ladder("successive_halving", 10).brackets == (Bracket((1, 4, 10), 1),)
    assert ladder({"name": "hyperband", "max_epochs": 9}) == LADDER
    assert ladder({"name": "hyperband", "min_epochs": 9}).brackets == (Bracket((9,), 1),)
    assert ladder("median") is None


def test_brackets_take_turns():
    """Nine candidates begin with one epoch, five with three, three with all, and so on."""
    begun = [LADDER.first_rung(number) for number in range(18)]
    assert [(r.bracket, r.epochs) for r in begun] == [(0, 1)] * 9 + [(1, 3)] * 5 + [(2, 9)] * 3 + [
        (0, 1)
    ]


def test_one_of_three_goes_on():
    """The best of a rung, once three have come to it, to the next one; never twice."""
    three = [trial(0, 1, 0.3), trial(1, 1, 0.5), trial(2, 1, 0.4)]
    assert next_rung(LADDER, three[:2], 20) == Rung(0, 1)
    assert next_rung(LADDER, three, 20) == Rung(0, 3, continues=1)
    running = replace(trial(3, 3, 0, continues=1, state="RUNNING"), splits=())
    assert next_rung(LADDER, [*three, running], 20) == Rung(0, 1)
    assert next_rung(LADDER, three, 20, lost={1}) == Rung(0, 1)


def test_the_highest_rung_goes_first():
    """A candidate that can be finished is finished before another one is begun or goes on."""
    low = [trial(n, 1, n / 10) for n in range(6)]
    high = [trial(n + 3, 3, n / 10, continues=n) for n in (3, 4, 5)]
    assert next_rung(LADDER, low + high, 20) == Rung(0, 9, continues=8)
    assert next_rung(LADDER, low, 20) == Rung(0, 3, continues=5)


def test_brackets_do_not_mix():
    """Three epochs of a candidate that was let go on are not compared with three of a beginner."""
    mixed = [
        trial(0, 3, 0.5, bracket=1),
        trial(1, 3, 0.9, continues=7),
        trial(2, 3, 0.4, bracket=1),
    ]
    assert next_rung(LADDER, mixed, 20).continues is None
    assert next_rung(LADDER, [*mixed, trial(3, 3, 0.1, bracket=1)], 20) == Rung(1, 9, continues=0)


def test_the_last_slots_begin_nothing():
    """What is left to go on goes on, the highest and best first; the last one goes all the way."""
    two = [trial(0, 1, 0.3), trial(1, 1, 0.5)]
    assert next_rung(LADDER, two, 2).continues is None
    assert next_rung(LADDER, two, 1) == Rung(0, 3, continues=1)
    assert next_rung(LADDER, two, 0) == Rung(0, 9, continues=1)
    done = trial(2, 9, 0.6, state="COMPLETE", continues=0)
    assert next_rung(LADDER, [*two, done], 0) == Rung(0, 3, continues=1)
    assert next_rung(LADDER, [], 0) == Rung(0, 9)


def hyperband(monkeypatch, path, trials=20, method="tpe", cells=None, **more):
    """Search with hyperband, weights left out: the fake has none."""
    spec = study(method, space=SPACE, trials=trials, pruner="hyperband", **more)
    ledger = Ledger(f"sqlite:///{path}")
    if not ledger.has(spec.study.name):
        begin(ledger, spec)
    monkeypatch.setattr("sweep.workers.cell_evaluator.CellEvaluator._store", lambda *_: None)
    return work(monkeypatch, ledger, spec, cells)


def rungs(record):
    """Return what each slot did, by slot."""
    ended = [t for t in record.trials if t.state in ("COMPLETE", "PRUNED")]
    return [(t.key, t.rung, t.state, t.params) for t in sorted(ended, key=lambda t: t.number)]


@pytest.mark.parametrize("method", ["tpe", "random", "qmc"])
def test_a_study_climbs(monkeypatch, tmp_path, method):
    """Every slot stands on a rung; what goes on keeps its parameters; whole trials are complete."""
    record = hyperband(monkeypatch, tmp_path / "l.db", method=method)
    trials = {t.number: t for t in record.trials}
    assert len(trials) == 20
    for each in trials.values():
        epochs = each.rung.epochs
        assert sorted(each.splits[0].test) == list(range(1, epochs + 1))
        assert each.state == ("COMPLETE" if epochs == 9 else "PRUNED")
        if each.rung.continues is not None:
            before = trials[each.rung.continues]
            assert each.params == before.params
            assert before.rung.epochs < epochs
    assert any(t.rung.continues is not None and t.state == "COMPLETE" for t in trials.values())
    one_epoch = [reached_score(t) for t in trials.values() if t.rung == Rung(0, 1)]
    followed = {t.rung.continues for t in trials.values()}
    went_on = [
        reached_score(t) for t in trials.values() if t.number in followed and t.rung == Rung(0, 1)
    ]
    assert np.mean(went_on) > np.mean(one_epoch)


def test_a_candidate_has_one_row(monkeypatch, tmp_path):
    """Where it ended; the trials that it went on from are no rows of their own."""
    record = hyperband(monkeypatch, tmp_path / "l.db")
    followed = {t.rung.continues for t in record.trials} - {None}
    assert followed
    assert {c.trial.number for c in record.candidates} == {
        t.number for t in record.trials if t.number not in followed
    }


def test_stopping_in_between_changes_nothing(monkeypatch, tmp_path):
    """A study that another worker continues climbs as it would have."""
    whole = hyperband(monkeypatch, tmp_path / "a.db")
    for cells in (1, 4, 8, None):
        parts = hyperband(monkeypatch, tmp_path / "b.db", cells=cells)
    assert rungs(parts) == rungs(whole)


def test_a_slot_that_was_cut_has_its_turn_first(monkeypatch, tmp_path):
    """With one worker the study goes on as if nobody had stopped it, and ends with whole trials."""
    whole = hyperband(monkeypatch, tmp_path / "a.db", trials=8)
    ledger = Ledger(f"sqlite:///{tmp_path / 'b.db'}")
    hyperband(monkeypatch, tmp_path / "b.db", trials=8, cells=2)
    spec = study("tpe", space=SPACE, trials=8, pruner="hyperband")
    ledger.cut(ledger.claim("pretend", "w").trial_id)
    enqueue_missing(ledger, "pretend", make_plan(spec))
    parts = hyperband(monkeypatch, tmp_path / "b.db", trials=8)
    by_slot = [{key: (state, params) for key, _, state, params in rungs(r)} for r in (parts, whole)]
    assert by_slot[0] == by_slot[1]
    assert any(t.state == "COMPLETE" for t in parts.trials)


def test_the_end_is_told_by_what_is_left_not_by_a_slots_number(monkeypatch, tmp_path):
    """A slot that is taken again last goes all the way if nothing is whole yet."""
    record = hyperband(monkeypatch, tmp_path / "l.db", trials=3, cells=2)
    assert not any(t.state == "COMPLETE" for t in record.trials)
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    ledger.cut(ledger.claim("pretend", "w").trial_id)
    spec = study("tpe", space=SPACE, trials=3, pruner="hyperband")
    enqueue_missing(ledger, "pretend", make_plan(spec))
    again = hyperband(monkeypatch, tmp_path / "l.db", trials=3)
    assert [t.rung.epochs for t in again.trials if t.state == "COMPLETE"] == [9]


def test_a_model_that_is_too_large_does_not_go_on(monkeypatch, tmp_path):
    """It was never trained; the study ends without it."""
    refused = replace(trial(0, 1, 0.5), splits=())
    assert next_rung(LADDER, [refused], 1).continues is None
    assert next_rung(LADDER, [refused], 0) == Rung(0, 9)


def test_equal_trials_are_one_candidate():
    """They go on once, and do not make a rung look fuller than it is."""
    twins = [replace(trial(n, 1, 0.5), params={"a": 0}) for n in range(3)]
    assert next_rung(LADDER, twins, 20).continues is None
    went = replace(trial(3, 3, 0.6, continues=0), params={"a": 0})
    others = [trial(n, 1, 0.1) for n in (4, 5)]
    assert next_rung(LADDER, [*twins, went, *others], 20).continues is None


def test_a_failure_that_was_retried_is_none(monkeypatch, tmp_path):
    """Only cells whose last word is a failure count as ended."""
    spec, ledger = study("tpe", space=SPACE, trials=3), Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    begin(ledger, spec)
    ledger.fail(ledger.claim("pretend", "w"), "no luck")
    assert len(ledger.failed_rungs("pretend")) == 1
    assert ledger.failed_rungs("pretend", but={"slot:0"}) == []


def test_an_outer_fold_counts_its_own_failures(monkeypatch, tmp_path):
    """Not those of the study whose search it repeats."""
    ledger, asked = Ledger(f"sqlite:///{tmp_path / 'l.db'}"), []
    monkeypatch.setattr(ledger, "failed_rungs", lambda name, but=(): asked.append(name) or [])
    spec = study("tpe", space=SPACE, trials=3, pruner="hyperband")
    ledger.create("fold", {"spec": spec.plain()})
    ledger.enqueue("fold", make_plan(spec).cells, {})
    climb = RungScheduler(
        ledger, "fold", spec, FinishedTrials(ledger, "fold", spec.space.dimensions), 200
    )
    assert climb.rung(ledger.claim("fold", "w")) == Rung(0, 1)
    assert asked == ["fold"]


def test_given_candidates_begin(monkeypatch, tmp_path):
    """Those of `[[search.start]]` are the first, whatever is promising."""
    rates = [0.001, 0.01, 0.09, 0.02]
    start = [{"learning_rate": rate} for rate in rates]
    record = hyperband(monkeypatch, tmp_path / "l.db", start=start)
    first = [t for t in record.trials if t.number < 4]
    assert [t.params["learning_rate"] for t in first] == rates
    assert all(t.rung == Rung(0, 1) for t in first)


def test_samplers_learn_from_a_candidate_once(monkeypatch, tmp_path):
    """By its longest trial; the shorter ones are hidden from them."""
    hyperband(monkeypatch, tmp_path / "l.db")
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    study_id = ledger.study_id("pretend")
    shown = ledger.view.get_all_trials(study_id)
    assert len({str(t.params) for t in shown}) == len(shown) < len(ledger.view.seen(study_id))


def shown(number, scores, value=None, state="PRUNED"):
    """Return a trial as Optuna holds it, with a score for each epoch."""
    states = optuna.trial.TrialState
    values = {} if value is None else {"value": value}
    made = optuna.trial.create_trial(
        state=states[state], intermediate_values=dict(enumerate(scores, 1)), **values
    )
    made.number = number
    return made


def test_samplers_see_ranks_at_one_budget():
    """A short trial that is ahead outranks a whole one; what came less far ranks below."""
    trials = [
        shown(0, [0.2, 0.3, 0.5], 0.5, "COMPLETE"),
        shown(1, [0.6, 0.7]),
        shown(2, [0.4, 0.5]),
        shown(3, [0.9]),
        shown(4, [0.1]),
        shown(5, [], 0.6, "COMPLETE"),
        optuna.trial.create_trial(state=optuna.trial.TrialState.RUNNING),
    ]
    found = rank_across_budgets(trials, enough=3)
    assert {t.number: t.value for t in found[:6]} == {4: 0, 3: 1, 0: 2, 2: 3, 5: 4, 1: 5}
    assert {t.state.name for t in found[:6]} == {"COMPLETE"}
    assert found[6].state.name == "RUNNING"
    assert [t.value for t in trials[:2]] == [0.5, None]
    early = rank_across_budgets(trials[3:5], enough=3)
    assert [t.value for t in early] == [1, 0]


def test_patience_does_not_count_pauses(monkeypatch, tmp_path):
    """Trials that may go on are no failure to improve."""
    record = hyperband(monkeypatch, tmp_path / "l.db", patience=2, trials=12)
    assert sum(t.state == "PRUNED" for t in record.trials) > 2
    assert record.ended_by is None or any(t.state == "COMPLETE" for t in record.trials)
