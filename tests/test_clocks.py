"""The machine's clock is set, or the time of the year changes, while a study runs."""

import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from ledgers import build, split

from sweep.figures.timeline import draw_timeline, timeline_frame
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.report import answer
from sweep.tables import progress_frame

HOUR = timedelta(hours=1)


class Jumped(datetime):
    """A clock that was set."""

    by = timedelta()

    @classmethod
    def now(cls, tz=None):
        """Return what it shows."""
        return super().now(tz) + cls.by


@pytest.mark.parametrize("by", [-HOUR, HOUR, 400 * 24 * HOUR])
def test_a_clock_that_is_set_changes_no_duration(ledger_url, monkeypatch, by):
    """A trial lasts as long as it lasts, in every figure and fact, by whatever clock it began."""
    build(None, "half", url=ledger_url, done=1, refit=False)
    with closing(Ledger(ledger_url)) as ledger:
        claim = ledger.claim("half", "elsewhere:1:1")
        time.sleep(0.05)
        monkeypatch.setattr(Jumped, "by", by)
        monkeypatch.setattr("sweep.storage.transactions.datetime", Jumped)
        results = [split(0.9, claim.epochs, i) for i in range(3)]
        assert ledger.complete(claim, 0.9, results, ())
        record = read_study(ledger, "half")
    last = record.trials[1]
    assert timedelta(seconds=0.05) <= last.finished - last.started < timedelta(seconds=30)
    assert dict(answer.facts(record))["Time running trials"].endswith(" s")
    assert (progress_frame([record])["seconds"] >= 0).all()
    frame = timeline_frame(record)
    assert (frame["to"] >= frame["from"]).all()
    left, right = draw_timeline(frame).axes[0].get_xlim()
    assert left == 0 < right


def test_a_trial_of_an_older_version_that_ended_before_it_began(ledger_url):
    """It lasted no time; no figure is turned round."""
    build(None, "old", url=ledger_url, refit=False)
    with closing(Ledger(ledger_url)) as ledger:
        with ledger.storage.engine.begin() as connection:
            past = "UPDATE trials SET datetime_complete = '2020-01-01 00:00:00.000000'"
            connection.exec_driver_sql(past)
        record = read_study(ledger, "old")
    assert all(trial.finished == trial.started for trial in record.trials)
    left, right = draw_timeline(timeline_frame(record)).axes[0].get_xlim()
    assert left == 0 < right


def test_the_hour_that_comes_twice_is_counted_once(ledger_url, monkeypatch):
    """From 02:50 in summer to 02:10 in winter are twenty minutes, not minus forty."""
    build(None, "autumn", url=ledger_url, done=1, refit=False)
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        with closing(Ledger(ledger_url)) as ledger:
            with ledger.storage.engine.begin() as connection:
                for end, moment in (("start", "00:50"), ("complete", "01:10")):
                    night = f"2026-10-25 {moment}:00.000000"
                    connection.exec_driver_sql(f"UPDATE trials SET datetime_{end} = '{night}'")  # noqa: S608
            record = read_study(ledger, "autumn")
        ended = [trial for trial in record.trials if trial.state == "COMPLETE"]
        assert [trial.finished - trial.started for trial in ended] == [HOUR / 3]
        alone = replace(record, trials=tuple(ended))
        assert dict(answer.facts(alone))["Time running trials"] == "20 min 0 s"
    finally:
        monkeypatch.undo()
        time.tzset()
