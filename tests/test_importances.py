"""Importances: what enters, which evaluator, what is said of them."""

from dataclasses import replace

import numpy as np
import pytest
from records import DATA, ENVIRONMENT, grid_record, spec_of, tpe_record

from sweep.analysis import importances as room
from sweep.analysis.importance_text import importance_note
from sweep.analysis.importances import importances, is_current
from sweep.cli.importances_text import importance_lines
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.records import Candidate, SplitResult, StudyRecord, TrialRecord
from sweep.report import page
from sweep.study.answers.status import study_status
from sweep.tables import importances_frame

SPACE = {
    "learning_rate": {"float": [1e-4, 1e-1], "log": True},
    "hidden_size": {"int": [16, 128]},
    "optimizer": ["adam", "sgd"],
    "momentum": {"float": [0.0, 0.99], "when": {"optimizer": "sgd"}},
    "seedless": ["only"],
}


def trial(number, params, score, state="COMPLETE"):
    """One trial of one split and epoch."""
    splits = (SplitResult({1: score}, seconds={1: 1.0}, n_test=500),)
    return TrialRecord(number, f"slot:{number}", state, params, (1,), splits, parameters=10)


def sampled(count, *, seed=0, states=(), method="random"):
    """A study whose score depends on the logarithm of learning_rate, and a little on momentum."""
    rng = np.random.default_rng(seed)
    trials = []
    for number in range(count):
        params = {
            "learning_rate": float(10 ** rng.uniform(-4, -1)),
            "hidden_size": int(rng.integers(16, 129)),
            "optimizer": ["adam", "sgd"][number % 2],
            "seedless": "only",
        }
        if params["optimizer"] == "sgd":
            params["momentum"] = float(rng.uniform(0, 0.99))
        score = 0.95 - 0.1 * (np.log10(params["learning_rate"]) + 2) ** 2 + rng.normal(0, 0.002)
        state = states[number] if number < len(states) else "COMPLETE"
        trials.append(trial(number, params, score if state == "COMPLETE" else 0.99, state))
    rows = tuple(Candidate(t.number, t, 1, t.params) for t in trials)
    spec = spec_of("sampled", {"method": method, "trials": count, "validation": 0.2}, SPACE)
    created = "2026-03-02T09:29:58+00:00"
    return StudyRecord(
        "sampled", "", spec, DATA, ENVIRONMENT, created, tuple(trials), rows, planned=count
    )


@pytest.mark.parametrize(("count", "evaluator"), [(40, "PED-ANOVA"), (room.FANOVA_FROM, "fANOVA")])
def test_the_evaluator_is_chosen_by_size_and_finds_what_matters(count, evaluator):
    """Both put the one parameter that matters first; shares sum to one."""
    found = importances(sampled(count))
    assert (found.evaluator, found.n, found.complete) == (evaluator, count, count)
    assert max(found.values, key=found.values.get) == "learning_rate"
    assert sum(found.values.values()) == pytest.approx(1, abs=1e-3)
    assert found.seconds > 0


def test_conditional_parameters_are_judged_or_named():
    """PED-ANOVA judges them; fANOVA cannot, and says which; fixed ones never are."""
    small, large = importances(sampled(40)), importances(sampled(room.FANOVA_FROM))
    assert "momentum" in small.values
    assert small.left_out == ("seedless",)
    assert "momentum" not in large.values
    assert large.left_out == ("momentum", "seedless")


def test_pruned_and_failed_trials_never_enter():
    """Whatever they scored: the record without them gives the same."""
    bad = ["PRUNED", "FAIL"] * 10
    mixed = sampled(60, states=bad)
    kept = replace(mixed, trials=mixed.trials[20:], candidates=mixed.candidates[20:])
    one, other = importances(mixed), importances(kept)
    assert one.n == 40
    assert one.values == other.values


def test_the_same_study_gives_the_same():
    """The forest is seeded."""
    record = sampled(room.FANOVA_FROM)
    assert importances(record).values == importances(record).values


def test_a_forest_sees_no_more_than_it_can_take(monkeypatch):
    """A subset, the same each time, and the caution says so."""
    monkeypatch.setattr(room, "FANOVA_MOST", 30)
    found = importances(sampled(room.FANOVA_FROM))
    assert (found.n, found.complete) == (30, room.FANOVA_FROM)
    assert f"on 30 drawn from {room.FANOVA_FROM}" in found.caution


def test_too_little_is_left_alone_with_a_reason():
    """Few candidates, one score, or the same candidate again and again."""
    assert "fewer than 20" in importances(sampled(19)).reason
    flat = sampled(30)
    same = tuple(replace(c, trial=trial(c.index, c.params, 0.5)) for c in flat.candidates)
    assert "same score" in importances(replace(flat, candidates=same)).reason
    alone = tuple(replace(c, params=flat.candidates[0].params) for c in flat.candidates)
    assert "fewer than 20" in importances(replace(flat, candidates=alone)).reason


def test_grids_too():
    """Candidates that share a fit count each, epochs among the parameters."""
    record = grid_record(epochs=(1, 2, 5, 10), widths=(16, 32, 64, 128, 256, 512))
    found = importances(record)
    assert found.n == 24
    assert max(found.values, key=found.values.get) == "epochs"


def test_a_learning_sampler_is_cautioned_of():
    """It looks where scores are high; a random one does not."""
    assert "settled early" in importances(tpe_record(60)).caution
    assert "settled early" not in importances(sampled(40)).caution


def test_the_ledger_keeps_them(tmp_path):
    """Written once, read with the record; a study that grows has them no longer current."""
    import ledgers

    record = ledgers.build(tmp_path / "ledger.db")
    assert record.importances is None
    assert not is_current(record)
    found = importances(sampled(40))
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    ledger.set_importances("tiny", found)
    held = read_study(ledger, "tiny").importances
    assert held == found
    assert is_current(replace(sampled(40), importances=held))
    assert not is_current(replace(sampled(41), importances=held))


def test_the_frame_has_a_row_for_each_parameter():
    """Largest first; empty without importances, with the same columns."""
    record = sampled(40)
    frame = importances_frame(replace(record, importances=importances(record)))
    assert list(frame.columns) == ["parameter", "importance", "evaluator", "n"]
    assert frame["importance"].is_monotonic_decreasing
    assert frame["parameter"].iloc[0] == "learning_rate"
    assert list(importances_frame(record).columns) == list(frame.columns)
    assert importances_frame(record).empty


def test_report_and_command_line_say_evaluator_n_and_caution():
    """Beside the shares; nothing is computed while reading."""
    record = sampled(40)
    record = replace(record, importances=importances(record))
    for shown in (page.render(record), "\n".join(importance_lines(study_status(record)))):
        assert "PED-ANOVA over 40 complete candidates" in shown
        assert "it says nothing of values that were not tried" in shown
        assert "Left out: seedless" in shown
    assert importance_lines(study_status(record))[0].startswith("importances: learning_rate 0.")


def test_an_old_ledger_says_how_to_get_them(monkeypatch):
    """A report computes nothing."""
    monkeypatch.setattr(room, "_evaluated", None)
    record = sampled(40)
    assert "run it again" in page.render(record)
    assert "run it again" in importance_note(record)
    few = replace(record, importances=importances(sampled(19)))
    assert "fewer than 20 complete candidates" in page.render(few)


def test_hostile_names_do_no_harm():
    """As text, in page and figure."""
    record = sampled(40)
    found = importances(record)
    name = "<script>alert(1)</script>"
    odd = replace(found, values={name: 0.7, "b": 0.3}, left_out=(name,))
    assert name not in page.render(replace(record, importances=odd))
