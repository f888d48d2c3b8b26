"""States of trials: one list, and no trial that has ended is left out anywhere."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from records import grid_record, timed, tpe_record

from sweep import figures
from sweep.cli.leaderboard import headline
from sweep.figures.history import MARKS, trial_score
from sweep.figures.timeline import COLOURS
from sweep.ledger.counts import ENDED
from sweep.ledger.limits import within_seconds
from sweep.report import render
from sweep.report.answer import facts
from sweep.report.search import HUES, history, timeline
from sweep.study.answers.status import study_status

ROOT = Path(__file__).parent.parent / "sweep"


def limited():
    """Return a study in which every fourth trial took too long, and the others ended so or so."""
    record = tpe_record(24)
    slow = {t.number for t in record.trials if t.state == "COMPLETE" and t.number % 4 == 0}

    def judged(trial):
        reason = "a fit took 9 s, above max_fit_seconds = 1"
        return replace(trial, state="INFEASIBLE", reason=reason) if trial.number in slow else trial

    trials = tuple(map(judged, record.trials))
    rows = tuple(replace(c, trial=judged(c.trial)) for c in record.candidates)
    return replace(record, trials=trials, candidates=rows, winner=None), slow


def test_trials_past_a_limit_are_in_history_and_timeline():
    """Each ended trial has its row in both; the score of one past a limit is what it measured."""
    record, slow = limited()
    ended = [t for t in record.trials if t.state in ENDED]
    history, timeline = figures.history_frame(record), figures.timeline_frame(record)
    assert set(history["trial"]) == set(timeline["trial"]) == {t.number for t in ended}
    for row in history[history["state"] == "INFEASIBLE"].to_dict("records"):
        assert row["trial"] in slow
        assert row["score"] == record.trials[row["trial"]].splits[0].test[10]
    complete = history[history["state"] == "COMPLETE"]["score"]
    assert history["best"].max() == complete.max()


def test_trials_past_a_limit_are_drawn():
    """Rings in the history and violet bars in the timeline, named where there are some."""
    record, _ = limited()
    assert "Rings: past a limit." in history(record).note
    assert "violet: past a limit" in timeline(record).note
    assert "past a limit" in {row[2] for row in timeline(record).data.rows}
    assert "var(--s4)" in timeline(record).svg
    assert "Rings" not in history(tpe_record(24)).note
    assert "violet" not in timeline(tpe_record(24)).note


def test_epochs_past_the_limit_do_not_count_in_the_history():
    """The best so far is that of what may be ranked: a longer fit past the limit is none."""
    record = grid_record()
    trial = record.trials[0]
    limit = trial.splits[0].seconds[5]
    assert within_seconds(trial, limit, 10).state == "INFEASIBLE"
    scores = {e: sum(s.test[e] for s in trial.splits) / 5 for e in (1, 5, 10)}
    assert max(scores, key=scores.get) == 10
    assert trial_score(trial) == pytest.approx(scores[10])
    assert trial_score(trial, limit) == pytest.approx(scores[5])


def test_every_end_has_a_colour_a_name_and_a_word():
    """Bars, their legend and the counts know each state that is an end."""
    assert set(COLOURS) == set(HUES) == set(ENDED)
    assert set(MARKS) == set(ENDED) - {"FAIL"}
    record, slow = limited()
    assert f"{len(slow)} past a limit" in dict(facts(record))["Candidates"]
    assert f"{len(slow)} past a limit" in headline(study_status(record))
    assert ">past a limit<" in render(record)


def test_states_stand_in_one_list():
    """No other file lists the states that are an end."""
    lists = []
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                held = {e.value for e in node.elts if isinstance(e, ast.Constant)}
                if len(held & set(ENDED)) > 2:
                    lists.append(path.name)
    assert lists == []


def test_a_running_trial_and_one_cut_from_outside_are_no_end():
    """Neither stands in history or timeline."""
    record = grid_record()
    open_ones = [
        replace(record.trials[0], number=n, state=state, **timed(n))
        for n, state in ((3, "CUT"), (4, "RUNNING"))
    ]
    record = replace(record, trials=(*record.trials, *open_ones))
    assert set(figures.history_frame(record)["trial"]) == {0, 1, 2}
    assert set(figures.timeline_frame(record)["trial"]) == {0, 1, 2}
