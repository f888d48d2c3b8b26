"""A study's leaders read alone: the same answer as from the whole study."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from click.testing import CliRunner
from ledgers import GRID, RANDOM, build, split
from pretend import begin, study, work
from sqlalchemy import text

from sweep.analysis import ranked
from sweep.analysis.overview import all_overviews, overview_of
from sweep.cli.main import cli
from sweep.ledger import top_candidates
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.ledger.top_candidates import read_top_candidates
from sweep.storage.attributes import CELL, DIGEST, RESULT, SUMMARY


@pytest.fixture(autouse=True)
def large(monkeypatch):
    """Every study is large enough for its leaders to be read alone."""
    monkeypatch.setattr(top_candidates, "FEW", 0)


def shown(url, name, top, form):
    """What ``sweep show`` prints."""
    words = ["show", name, "--top", str(top), "--format", form, "--storage", url]
    found = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert found.exit_code == 0, found.output
    return found.output


def made(url, monkeypatch):
    """Make studies of every kind; return their names."""
    build(None, "finished", url=url, winner=True)
    build(None, "half", url=url, done=1)
    build(None, "failed", url=url, failed=(1, 2))
    build(None, "all-failed", url=url, failed=(0, 1, 2))
    build(None, "untouched", url=url, space=GRID, done=0)
    build(None, "drawn", url=url, space=RANDOM, method="random", trials=30, validation=0.2)
    with closing(Ledger(url)) as ledger:
        searches = {
            "random": {"method": "random", "trials": 30},
            "tpe": {"method": "tpe", "trials": 12, "pruner": "median"},
            "copies": {
                "method": "random", "trials": 20, "space": {"hidden_size": [8, 16, 32, 64]}
            },
            "patient": {"method": "random", "trials": 12, "patience": 4},
            "limited": {"method": "random", "trials": 8, "max_fit_seconds": 1e-9},
            "two": {"method": "random", "trials": 8, "objectives": ["score", "parameters"]},
        }  # fmt: skip
        for name, search in searches.items():
            spec = study(name=name, **search)
            begin(ledger, spec)
            work(monkeypatch, ledger, spec)
        _with_a_retry(ledger)
        return ledger.names()


def _with_a_retry(ledger):
    """A sampled study with a failure that was tried again, and an attempt cut short."""
    spec = study("random", name="again", trials=4)
    begin(ledger, spec)
    ledger.fail(ledger.claim("again", "w"), "no luck")
    ledger.cut(ledger.claim("again", "w").trial_id, "killed")
    claim = ledger.claim("again", "w")
    ledger.complete(claim, 0.5, [split(0.49, [1])], ())


def test_leaders_alone_say_what_the_whole_study_says(ledger_url, monkeypatch):
    names = made(ledger_url, monkeypatch)
    asked, whole, among = [], top_candidates.read_study, top_candidates._top_candidates
    monkeypatch.setattr(top_candidates, "read_study", lambda *a: asked.append(a[1]) or whole(*a))
    for name, top, form in [(n, t, f) for n in names for t in (1, 3) for f in ("json", "table")]:
        said = shown(ledger_url, name, top, form)
        with monkeypatch.context() as slow:
            slow.setattr(top_candidates, "_top_candidates", lambda *_: None)
            assert said == shown(ledger_url, name, top, form)
    monkeypatch.setattr(top_candidates, "_top_candidates", among)
    asked.clear()
    for name in names:
        shown(ledger_url, name, 1, "json")
    assert set(asked) == {"limited", "patient", "two", "failed", "all-failed"}


def test_few_trials_are_read(ledger_url):
    """Those that the leaderboard shows, and no more where no score is met twice."""
    build(None, "drawn", url=ledger_url, space=RANDOM, method="random", trials=30, validation=0.2)
    with closing(Ledger(ledger_url, reading=True)) as ledger:
        record, whole = read_top_candidates(ledger, "drawn", 5), read_study(ledger, "drawn")
        assert len(record.trials) == 5
        assert [c.params for c in ranked(record)] == [c.params for c in ranked(whole)[:5]]
        assert record.tally.done == len(whole.trials) == 30


def test_counting_agrees_with_reading_on_every_database(ledger_url, monkeypatch):
    names = made(ledger_url, monkeypatch)
    with closing(Ledger(ledger_url, reading=True)) as ledger:
        counted = {each.name: each for each in all_overviews(ledger)}
        assert set(counted) == set(names)
        for name in names:
            read = overview_of(read_study(ledger, name))
            plain = {**vars(counted[name]), "hosts": (), "last_sign": None}
            assert plain.pop("best") == pytest.approx(read.best)
            assert plain == {key: value for key, value in vars(read).items() if key != "best"}


UPDATE = "UPDATE trial_user_attributes SET value_json = replace(value_json, {}) WHERE key = :key"
EDITS = {
    "the best made worse": ("UPDATE trial_values SET value = 0.1 WHERE value > 0.88", None),
    "another made best": ("UPDATE trial_values SET value = 0.99 WHERE value < 0.86", None),
    "a result": (UPDATE.format("'0.892', '0.992'"), RESULT),
    "a summary": (UPDATE.format("'0.8', '0.9'"), SUMMARY),
    "no summary": ("DELETE FROM trial_user_attributes WHERE key = :key", SUMMARY),
    "no digest": ("DELETE FROM trial_user_attributes WHERE key = :key", DIGEST),
    "another digest": (
        "UPDATE trial_user_attributes SET value_json = '\"0\"' WHERE key = :key AND trial_id = 1",
        DIGEST,
    ),
    "another cell": (UPDATE.format("'16', '17'"), CELL),
    "no cell": ("DELETE FROM trial_user_attributes WHERE key = :key", CELL),
    "a cell that is none": (
        "UPDATE trial_user_attributes SET value_json = 'null' WHERE key = :key AND trial_id = 1",
        CELL,
    ),
    "a state": ("UPDATE trials SET state = 'PRUNED' WHERE number = 2", None),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_was_changed_is_seen(ledger_url, edit):
    """Then the study is read whole, by list and by show."""
    build(None, "tiny", url=ledger_url)
    said = shown(ledger_url, "tiny", 1, "json")
    command, key = EDITS[edit]
    with closing(Ledger(ledger_url)) as ledger:
        with ledger.storage.engine.begin() as connection:
            assert connection.execute(text(command), {"key": key} if key else {}).rowcount
        record = read_top_candidates(ledger, "tiny", 1)
        assert record.counted is None
        (listed,) = all_overviews(ledger)
        assert vars(listed) == {**vars(overview_of(record)), "last_sign": listed.last_sign}
    if edit.endswith("summary"):
        assert json.loads(shown(ledger_url, "tiny", 1, "json")) == json.loads(said)


def test_a_leader_that_was_changed_is_seen_though_it_is_not_the_best(ledger_url):
    """Each trial that is shown is checked, which the database alone cannot do."""
    build(None, "tiny", url=ledger_url)
    with closing(Ledger(ledger_url)) as ledger:
        assert read_top_candidates(ledger, "tiny", 3).counted is not None
        with ledger.storage.engine.begin() as connection:
            edit = UPDATE.format("'0.872', '0.892'") + " AND trial_id = 2"
            assert connection.execute(text(edit), {"key": RESULT}).rowcount == 1
        assert read_top_candidates(ledger, "tiny", 3).counted is None
