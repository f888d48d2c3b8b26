"""A database server that is away for a moment: waited for, and a lost transaction begun again."""

import sqlite3
import threading
from contextlib import closing

import pytest
from pretend import begin, study
from sqlalchemy import create_engine, text

from sweep.analysis.overview import all_overviews
from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.search.plan import make_plan
from sweep.storage import retries
from sweep.storage.locks import one_at_a_time
from sweep.storage.sqlite_waiting import Connection
from sweep.workers.recovery import enqueue_missing

ENDED = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
SPACE = {"epochs": [1], "hidden_size": [8, 16]}


def test_lost_connections_lose_no_result(postgres, database):
    """All of them ended by the server, between taking a cell and recording it."""
    import psycopg

    with closing(Ledger(database)) as ledger, psycopg.connect(postgres, autocommit=True) as admin:
        begin(ledger, study("grid", space=SPACE))
        claim = ledger.claim("pretend", "w")
        name = database.rpartition("application_name=")[2]
        assert admin.execute(ENDED, [name]).fetchall()
        ledger.beat(claim)
        admin.execute(ENDED, [name])
        assert ledger.complete(claim, 0.5, (), ())
        states = [trial.state for trial in read_study(ledger, "pretend").trials]
        assert states == ["COMPLETE", "WAITING"]


def test_a_turn_outlives_a_lost_connection(postgres, database):
    """It is a line of the ledger, not a lock of the connection that wrote it."""
    import psycopg

    with closing(Ledger(database)) as ledger, psycopg.connect(postgres, autocommit=True) as admin:
        begin(ledger, study("grid", space=SPACE))
        with one_at_a_time(ledger, "pretend", "finish") as alone:
            assert alone()
            admin.execute(ENDED, [database.rpartition("application_name=")[2]])
            assert alone()


def test_whatever_is_asked_of_a_server_goes_on_after_a_lost_connection(postgres, database):
    """Study attributes, trials, counts, the list: each with all connections ended before."""
    import psycopg

    questions = (
        lambda ledger: ledger.header("pretend")["planned"],
        lambda ledger: ledger.stop("pretend", "now"),
        lambda ledger: ledger.stopped("pretend"),
        lambda ledger: ledger.names(),
        lambda ledger: ledger.update("pretend", owner="me"),
        lambda ledger: ledger.counts("pretend").total(),
        lambda ledger: len(ledger.trials("pretend")),
        lambda ledger: len(all_overviews(ledger)),
        lambda ledger: read_study(ledger, "pretend").planned,
        lambda ledger: enqueue_missing(ledger, "pretend", make_plan(study("grid", space=SPACE))),
    )
    name = database.rpartition("application_name=")[2]
    with closing(Ledger(database)) as ledger, psycopg.connect(postgres, autocommit=True) as admin:
        begin(ledger, study("grid", space=SPACE))
        said = []
        for question in questions:
            admin.execute(ENDED, [name])
            said.append(question(ledger))
        assert said == [2, None, "now", ["pretend"], None, 2, 2, 1, 2, 0]


def test_opening_goes_on_after_a_lost_connection(database, monkeypatch):
    """Once more where it was lost; not where nobody listens."""
    from sweep.storage import database as storage

    tries, really = [], storage._open

    def once_lost(*given, **named):
        tries.append(1)
        if len(tries) == 1:
            raise OSError("terminating connection due to administrator command")
        return really(*given, **named)

    monkeypatch.setattr(storage, "_open", once_lost)
    Ledger(database).close()
    assert len(tries) == 2
    with pytest.raises(LedgerError, match="cannot be reached"):
        Ledger("postgresql+psycopg://postgres@127.0.0.1:1/test", create=False)


def test_a_ledger_that_was_open_is_waited_for(database, monkeypatch):
    """A worker opens it again for each study: its server may be restarted just then."""
    from sweep.storage import database as storage

    Ledger(database).close()
    tries, really = [], storage.server_revision

    def away(url):
        tries.append(url)
        if len(tries) < 4:
            raise OSError("Connection refused")
        return really(url)

    monkeypatch.setattr(storage, "server_revision", away)
    Ledger(database, create=False).close()
    assert len(tries) == 4


def test_a_result_whose_acknowledgement_was_lost_is_kept(ledger_url):
    """Recorded again it is found there; another result is refused."""
    with closing(Ledger(ledger_url)) as ledger:
        begin(ledger, study("grid", space=SPACE))
        claim = ledger.claim("pretend", "w")
        assert ledger.complete(claim, 0.5, (), ())
        assert ledger.complete(claim, 0.5, (), ())
        assert not ledger.complete(claim, 0.6, (), ())


def test_a_transaction_that_lost_its_connection_is_begun_again(monkeypatch):
    """Some times; an error of another kind is raised at once."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    tries = []

    def act(words, fail):
        tries.append(words)
        if len(tries) <= fail:
            raise OSError(words)
        return "done"

    assert retries.retry(lambda: act("server closed the connection", 2)) == "done"
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(OSError, match="server closed"):
        retries.retry(lambda: act("server closed the connection", 99))
    assert len(tries) == retries.TRIES
    tries.clear()
    with pytest.raises(OSError, match="no such column"):
        retries.retry(lambda: act("no such column", 99))
    assert len(tries) == 1


def test_a_ledger_that_another_process_holds_is_waited_for(tmp_path, monkeypatch):
    """Longer than SQLite itself waits; and it is not taken for a damaged one."""
    path = tmp_path / "l.db"
    patient = {"connect_args": {"timeout": 0.05, "factory": Connection}}
    monkeypatch.setattr("sweep.storage.database._PATIENT", patient)
    with closing(Ledger(f"sqlite:///{path}")) as ledger:
        begin(ledger, study("grid", space=SPACE))
        holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        holder.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.5, holder.rollback).start()
        claim = ledger.claim("pretend", "w")
        assert ledger.complete(claim, 0.5, (), ())
        holder.execute("BEGIN EXCLUSIVE")
        monkeypatch.setattr(retries, "TRIES", 1)
        monkeypatch.setattr("sweep.storage.sqlite_waiting.LOCK_SECONDS", 0.1)
        monkeypatch.setattr("sweep.ledger.studies.readable_trials", pytest.fail)
        monkeypatch.setattr(Ledger, "study_id", lambda *_: 1)
        with pytest.raises(LedgerError, match="another process holds the ledger"):
            ledger.trials("pretend")
        holder.close()


def test_new_connections_wait_for_the_server(monkeypatch):
    """Refused twice, then there."""
    engine, refused = create_engine("sqlite://"), []
    connect = engine.dialect.connect

    def later(*arguments, **options):
        if len(refused) < 2:
            refused.append(1)
            raise OSError("Connection refused")
        return connect(*arguments, **options)

    monkeypatch.setattr(engine.dialect, "connect", later)
    retries.wait_for_server(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert len(refused) == 2
    engine.dispose()
