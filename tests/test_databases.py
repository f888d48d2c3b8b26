"""Every reading command says the same of a ledger on a server as of one in a file."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from commands import here, sweep  # noqa: F401
from ledgers import RANDOM, build
from optuna.storages import RDBStorage
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sweep.ledger.ledger import Ledger
from sweep.storage.error_messages import opening_error
from sweep.storage.locations import shown_url

READING = (
    ["list"],
    ["list", "--format", "json"],
    ["show", "tiny"],
    ["show", "drawn", "--top", "3", "--format", "csv"],
    ["show", "half", "--format", "json"],
    ["best", "tiny"],
    ["best", "drawn", "--format", "json"],
    ["best", "tiny", "--pareto"],
    ["pivot", "tiny", "--index", "epochs", "--columns", "hidden_size"],
    ["pivot", "tiny", "--index", "hidden_size", "--format", "json"],
    ["compare", "tiny", "half", "-o", "compared.html"],
    ["report", "tiny", "-o", "tiny.html"],
    ["report", "drawn", "-o", "drawn.html"],
    ["stop", "half"],
    ["migrate"],
    ["prune", "--yes"],
    ["delete", "half", "--yes"],
    ["list"],
    ["show", "half"],
    ["show", "tinny"],
    ["run", "nowhere.toml"],
    ["check", "digits-grid"],
    ["submit", "digits-grid"],
    ["submit", "digits-grid"],
    ["show", "digits-grid"],
)
PAGES = ("compared.html", "tiny.html", "drawn.html")


TIMES = (
    "UPDATE trials SET datetime_start = '2026-03-02 09:30:00', "
    "datetime_complete = '2026-03-02 09:30:05' WHERE state <> 'WAITING'"
)


def filled(url):
    """Make three studies in a ledger, their trials all of one time."""
    build(None, "tiny", url=url, winner=True)
    build(None, "half", url=url, done=1, refit=False)
    build(None, "drawn", url=url, space=RANDOM, method="random", trials=8, failed=(2,))
    with closing(Ledger(url)) as ledger, ledger.storage.engine.begin() as connection:
        connection.execute(text(TIMES))


def said(url, folder, monkeypatch):
    """Return what each command says, and the pages, without address, times and identifiers."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWEEP_STORAGE", url)
    filled(url)
    answers = {}
    for number, words in enumerate(READING):
        done = sweep(*words)
        answers[number, *words] = f"{done.exit_code}\n{done.output}"
    answers |= {(name,): (folder / name).read_text() for name in PAGES}
    place = "|".join(re.escape(each) for each in (shown_url(url), url, str(folder)))
    return {key: neutral(answer, place) for key, answer in answers.items()}


def neutral(answer, place):
    """Return an answer without what may differ between two ledgers."""
    answer = re.sub(place, "PLACE", answer)
    return re.sub(
        r"\d+:\d\d(:\d\d)?( ago)?|about \d+ s|\d{4}-\d\d-\d\dT[^\"]*|last_sign\": [^,]*",
        "TIME",
        answer,
    )


def test_every_reading_command(here, database, monkeypatch):  # noqa: F811
    """The words, the exit status and the pages, those of mistakes among them."""
    file = said(f"sqlite:///{here / 'file' / 'l.db'}", here / "file", monkeypatch)
    server = said(database, here / "server", monkeypatch)
    for words, answer in file.items():
        assert server[words] == answer


REFUSALS = {
    "username": "there is no such user on this server; make it first",
    "database": "there is no such database on this server; make it first",
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_server_s_refusal_is_told_as_such(here, database, monkeypatch, what):  # noqa: F811
    """A user or a database that is not there: with the remedy, whether it reads or writes."""
    url = make_url(database).set(**{what: "nobody_here"})
    monkeypatch.setenv("SWEEP_STORAGE", url.render_as_string(False))
    for words in (["list"], ["submit", "digits-grid"], ["worker", "--all", "--wait"]):
        refused = sweep(*words)
        assert refused.exit_code == 2
        assert REFUSALS[what] in refused.output


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ('FATAL:  password authentication failed for user "me"', "refuses this user or password"),
        ("fe_sendauth: no password supplied", "refuses this user or password"),
        ('FATAL:  no pg_hba.conf entry for host "::1", user "me"', "let this user in from here"),
        ("server does not support SSL, but SSL was required", "let this user in from here"),
        ('FATAL:  role "me" is not permitted to log in', "let this user in from here"),
        ("FATAL:  sorry, too many clients already", "has no free connection"),
        ('FATAL:  role "me" does not exist', "no such user"),
        ("permission denied for schema public", "grant it USAGE and CREATE on the schema"),
        ("no schema has been selected to create in", "no such schema in this database"),
        ("No module named 'MySQLdb'", "takes sqlite:/// and postgresql://"),
    ],
)
def test_what_a_server_says_in_plain_words(said, meant):
    """Where no server here can be made to say it."""
    kind = ImportError if "module" in said else OSError
    assert meant in str(opening_error(kind(said), "mysql://host/db"))


def test_an_older_server_s_ledger_is_brought_up_to_date(here, database, monkeypatch):  # noqa: F811
    """Nothing is done to it without a word; then it is read as before."""
    monkeypatch.setenv("SWEEP_STORAGE", database)
    assert "there is no ledger here yet" in sweep("migrate").output
    filled(database)
    before = sweep("show", "tiny").output
    assert "nothing to do" in sweep("migrate").output
    older = (
        "DROP INDEX IF EXISTS ix_trials_study_id",
        "UPDATE alembic_version SET version_num = 'v3.0.0.d'",
    )
    with closing(Ledger(database)) as ledger, ledger.storage.engine.begin() as connection:
        for command in older:
            connection.execute(text(command))
    refused = sweep("migrate")
    assert (refused.exit_code, "sweep migrate --yes" in refused.output) == (2, True)
    done = sweep("migrate", "--yes")
    assert (done.exit_code, "is up to date" in done.output) == (0, True), done.output
    assert "nothing to do" in sweep("migrate").output
    assert sweep("show", "tiny").output == before


def test_a_server_s_ledger_that_another_process_brings_up_to_date(here, database, monkeypatch):  # noqa: F811
    """Who comes second finds nothing to do, whatever the server says to the same changes."""
    filled(database)
    with closing(Ledger(database)) as ledger, ledger.storage.engine.begin() as connection:
        connection.execute(text("DROP INDEX IF EXISTS ix_trials_study_id"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'v3.0.0.d'"))
    upgrade = RDBStorage.upgrade

    def overtaken(storage):
        upgrade(storage)
        raise RuntimeError("relation already exists")

    monkeypatch.setattr(RDBStorage, "upgrade", overtaken)
    done = sweep("migrate", "--yes", "--storage", database)
    assert (done.exit_code, "is up to date" in done.output) == (0, True), done.output
