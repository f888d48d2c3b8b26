"""The copy of the studies that a server reads in the background."""

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from ledgers import build

from sweep.ledger.ledger import Ledger
from sweep.ledger.overview import StudyOverview
from sweep.service import snapshot
from sweep.service.snapshot import Snapshot

STUDY = StudyOverview("s", "grid", "finished", 3, 3, 0, 0.9, "2026-03-02", test_opened=False)


def test_what_was_read_is_not_lost_to_a_change_beside_the_ledger(monkeypatch):
    """Both at one moment, from two threads; each has its own number."""
    held = Snapshot(None)
    reader = threading.Thread(target=held._replace, args=([STUDY],))

    def slow(copy, **changes):
        reader.start()
        reader.join(0.3)
        return replace(copy, **changes)

    monkeypatch.setattr(snapshot, "replace", slow)
    held.touch()
    reader.join()
    assert (held.copy.number, held.copy.studies) == (2, [STUDY])


@pytest.fixture
def ledger(tmp_path):
    """A ledger with a study that has ended long ago."""
    build(tmp_path / "ledger.db", "old", winner=True)
    opened = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    yield opened
    opened.close()


def wait(ledger, ago):
    """Make all signs of life older."""
    with closing(sqlite3.connect(ledger.url.removeprefix("sqlite:///"))) as file, file:
        for table, column in (("trials", "datetime_complete"), ("trial_heartbeats", "heartbeat")):
            update = f"UPDATE {table} SET {column} = datetime({column}, ?)"  # noqa: S608
            file.execute(update, [ago])


@pytest.fixture
def held(ledger, monkeypatch):
    """A copy of it that looks closer each time, an hour after the study's end."""
    monkeypatch.setattr(snapshot, "LOOK_CLOSER_SECONDS", 0.0)
    wait(ledger, "-1 hour")
    reader = Ledger(ledger.url, reading=True)
    made = Snapshot(reader)
    made.refresh()
    yield made
    reader.close()


def test_what_nobody_works_on_wakes_nobody_by_its_age(held, monkeypatch):
    """Its words on the pages are anew once a minute."""
    first = held.copy
    assert first.by_name["old"].last_sign > 60
    assert held.refresh() is first
    monkeypatch.setattr(snapshot, "REREAD_SECONDS", 0.0)
    assert held.refresh().number == first.number + 1
    assert held.copy.by_name["old"].last_sign > first.by_name["old"].last_sign


def test_the_age_of_a_sign_is_shown_while_a_study_is_worked_on(ledger, held):
    """And as long as it is less than a minute old."""
    build(ledger.url.removeprefix("sqlite:///"), "new", done=1)
    ledger.claim("new", "elsewhere:1:1")
    before = held.refresh()
    wait(ledger, "-9 seconds")
    after = held.refresh()
    assert after.number == before.number + 1
    assert after.by_name["new"].last_sign >= 9


def test_what_is_written_over_is_a_change(ledger, held):
    """Though no row is added by it, and also where the list shows none of it."""
    ledger.set_priority("old", 3)
    before = held.refresh().number
    ledger.set_priority("old", 4)
    assert held.refresh().number == before + 1
    ledger.update("old", planned=9)
    assert held.refresh().by_name["old"].planned == 9


def test_nothing_is_read_twice_where_nothing_has_changed(held, monkeypatch):
    """Only the signs of life are."""

    def read(_ledger):
        raise AssertionError("read again")

    monkeypatch.setattr(snapshot, "all_overviews", read)
    held.refresh()
