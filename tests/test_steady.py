"""A database server that is away for a moment: waited for, and a lost transaction begun again."""

from contextlib import closing

import pytest
from pretend import begin, study
from sqlalchemy import create_engine, text

from sweep.ledger import steady
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study

SPACE = {"epochs": [1], "hidden_size": [8, 16]}


def test_lost_connections_lose_no_result(postgres, database):
    """All of them ended by the server, between taking a cell and recording it."""
    import psycopg

    with closing(Ledger(database)) as ledger, psycopg.connect(postgres, autocommit=True) as admin:
        begin(ledger, study("grid", space=SPACE))
        claim = ledger.claim("pretend", "w")
        name = database.rpartition("application_name=")[2]
        mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
        assert admin.execute(mine, [name]).fetchall()
        ledger.beat(claim)
        admin.execute(mine, [name])
        assert ledger.complete(claim, 0.5, (), ())
        states = [trial.state for trial in read_study(ledger, "pretend").trials]
        assert states == ["COMPLETE", "WAITING"]


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

    assert steady.again(lambda: act("server closed the connection", 2)) == "done"
    assert len(tries) == 3
    tries.clear()
    with pytest.raises(OSError, match="server closed"):
        steady.again(lambda: act("server closed the connection", 99))
    assert len(tries) == steady.TRIES
    tries.clear()
    with pytest.raises(OSError, match="no such column"):
        steady.again(lambda: act("no such column", 99))
    assert len(tries) == 1


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
    steady.wait_for_server(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    assert len(refused) == 2
    engine.dispose()
