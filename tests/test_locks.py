"""Turns at a study: its own, held for moments, taken over from the dead, told while waited for."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pretend import begin, study
from processes import wait_for

from sweep import run_study
from sweep.cli.main import cli
from sweep.errors import StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.storage import locks
from sweep.storage.attributes import TURN
from sweep.storage.locks import one_at_a_time, taken_by
from sweep.storage.waiting_messages import waits_shown_by
from sweep.study.delete import delete_study
from sweep.study.submit import submit_study

HOLDS = """
import sys, time
from sweep.ledger.ledger import Ledger
from sweep.storage.locks import one_at_a_time
with one_at_a_time(Ledger(sys.argv[1]), "slow", "finish"):
    print("holds", flush=True)
    time.sleep(60)
"""
LOCKS = """
import sqlite3, sys, time
with sqlite3.connect(sys.argv[1]) as ledger:
    ledger.execute("BEGIN EXCLUSIVE")
    print("holds", flush=True)
    time.sleep(float(sys.argv[2]))
"""
SPACE = {"hidden_size": [4]}


@contextmanager
def process(code, *given):
    """Run code in a process that says when it holds what it is to hold."""
    line = [sys.executable, "-c", code, *map(str, given)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as held:
        try:
            assert held.stdout.readline() == "holds\n"
            yield held
        finally:
            held.kill()


@pytest.fixture
def ledger(ledger_url):
    """Return a ledger with two studies."""
    with closing(Ledger(ledger_url)) as ledger:
        for name in ("slow", "other"):
            begin(ledger, study("grid", name=name, space=SPACE))
        yield ledger


def test_a_refit_of_one_study_holds_up_no_other(ledger):
    """Another is at the end of its own study at once, while a process is at this one."""
    with process(HOLDS, ledger.url):
        assert taken_by(ledger, "slow", "finish")
        began = time.monotonic()
        for part in locks.TASKS:
            with one_at_a_time(ledger, "other", part) as alone:
                assert alone()
        assert time.monotonic() - began < 2
        assert not taken_by(ledger, "other", "finish")


def test_who_waits_says_for_what(ledger):
    """The study, the process, what it does and since when, after two seconds."""
    said = []
    with process(HOLDS, ledger.url) as holder, waits_shown_by(said.append):
        began = time.monotonic()

        def tell(line):
            said.append((time.monotonic() - began, line))
            holder.kill()

        with waits_shown_by(tell), one_at_a_time(ledger, "slow", "finish"):
            pass
    ((seconds, line),) = said
    assert 2 <= seconds < 10
    where = f"process {holder.pid} on {socket.gethostname()}"
    assert line.startswith(f"waiting for study 'slow': {where} refits its winner, since 20")


def test_a_wait_is_told_on_standard_error(ledger, capfd, monkeypatch):
    """Where no run has a display."""
    monkeypatch.setattr("sweep.storage.waiting_messages.FIRST_MESSAGE_SECONDS", 0.1)
    with process(HOLDS, ledger.url) as holder:
        monkeypatch.setattr(locks.Wait, "look", _then_kill(holder, locks.Wait.look))
        with one_at_a_time(ledger, "slow", "finish"):
            pass
    assert "waiting for study 'slow': process" in capfd.readouterr().err


def _then_kill(holder, look):
    began = time.monotonic()

    def looked(wait, what):
        look(wait, what)
        if time.monotonic() - began > 0.5:
            holder.kill()

    return looked


def test_the_turn_of_a_killed_process_goes_to_the_next(ledger):
    """At once on the same machine; nothing of it stays in the ledger."""
    with process(HOLDS, ledger.url) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert not taken_by(ledger, "slow", "finish")
        began = time.monotonic()
        with one_at_a_time(ledger, "slow", "finish"):
            assert time.monotonic() - began < 2
    assert not any(key.startswith(TURN) for key in ledger.attributes()["slow"])


def test_a_silent_process_of_another_machine_loses_its_turn(ledger, monkeypatch):
    """And finds that it is no longer alone; while it gives signs of life it is waited for."""
    monkeypatch.setattr("sweep.storage.locks.worker_name", lambda: "elsewhere:1:2:3:4:5")
    monkeypatch.setattr(locks, "HEARTBEAT_SECONDS", 0.1)
    monkeypatch.setattr(locks, "GRACE_SECONDS", 1.5)
    with one_at_a_time(ledger, "slow", "finish") as alone:
        held = ledger.attributes()["slow"][f"{TURN}finish"]
        wait_for(lambda: ledger.attributes()["slow"][f"{TURN}finish"]["sign"] > held["sign"])
        monkeypatch.setattr("sweep.storage.turns.renew", lambda *_: None)
        assert alone()
        with one_at_a_time(ledger, "slow", "finish") as later:
            assert later()
            assert not alone()
        assert not alone()


def test_a_study_that_is_deleted_ends_the_wait(ledger):
    """With a message."""
    with (
        process(HOLDS, ledger.url),
        waits_shown_by(lambda _line: ledger.delete("slow")),
        pytest.raises(StudyNotFoundError, match="'slow' was deleted meanwhile"),
        one_at_a_time(ledger, "slow", "finish"),
    ):
        pass


def test_a_file_that_another_process_has_locked_is_waited_for_and_told(tmp_path, capfd):
    """Readers and writers say which process it is, and go on when it lets go."""
    path = tmp_path / "l.db"
    with closing(Ledger(f"sqlite:///{path}")) as ledger:
        begin(ledger, study("grid", name="slow", space=SPACE))
        for what in (
            lambda: ledger.stop("slow", None),
            lambda: Ledger(ledger.url, reading=True).names(),
        ):
            with process(LOCKS, path, 3.5) as holder:
                what()
                said = capfd.readouterr().err
                assert f"waiting for the ledger {path}, which is in use by" in said
                if Path("/proc/locks").exists():
                    assert f"process {holder.pid}" in said


@pytest.mark.tensorflow
def test_commands_on_other_studies_go_on_during_a_refit(ledger, tmp_path, monkeypatch, capsys):
    """A list, a page of facts, a run, a study handed in, one deleted."""
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    quick = {
        "study": {"name": "quick"},
        "data": {"dataset": "digits", "train_rows": 100, "test_rows": 50},
        "model": {"factory": "mlp", "epochs": 1},
        "search": {"method": "grid", "validation": 0.25},
        "space": SPACE,
    }
    with process(HOLDS, ledger.url) as holder:
        for line in (["list"], ["show", "other"]):
            found = CliRunner().invoke(cli, [*line, "--storage", ledger.url])
            assert (found.exit_code, "waiting" in found.stderr) == (0, False)
        said = []
        with waits_shown_by(said.append):
            assert run_study(quick, storage=ledger.url, n_jobs=1).record.winner is not None
            submit_study({**quick, "study": {"name": "later"}}, storage=ledger.url)
            delete_study("quick", ledger.url)
        assert not said
        assert holder.poll() is None
