"""`sweep run` for real: from an empty folder to the report, and over a Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import commands
import pytest
from commands import ROOT, process

from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study

here = commands.here
pytestmark = pytest.mark.tensorflow
LONG = ("--set", "model.batch_size=8", "--set", "space.epochs=[2, 30]")


def ran(*words):
    """Run a command in the current folder; return what it prints."""
    result = process(*words)
    assert result.returncode == 0, result.stderr
    return result


def test_first_study(here):
    """A shipped study runs in an empty folder; all that reads it agrees; a second run is idle."""
    first = ran("run", "digits-grid")
    assert first.stderr.splitlines()[-1].startswith("[3/3] hidden_size=")
    assert "report: reports/digits-grid.html" in first.stdout
    again = ran("run", "digits-grid")
    assert again.stdout.startswith("study digits-grid is finished; nothing to do\n")
    board = first.stdout.partition("\n")[2]
    assert again.stdout.partition("\n")[2] == board
    (listed,) = json.loads(ran("list", "--format", "json").stdout)
    best = json.loads(ran("best", "digits-grid", "--format", "json").stdout)
    shown = json.loads(ran("show", "digits-grid", "--format", "json").stdout)
    assert listed["best"] == best["mean_test_score"] == shown["leaderboard"][0]["mean_test_score"]
    assert (listed["status"], listed["test_opened"], len(shown["leaderboard"])) == (
        "finished", True, 9,
    )  # fmt: skip
    words = ("--index", "epochs", "--columns", "hidden_size", "--format", "json")
    assert len(json.loads(ran("pivot", "digits-grid", *words).stdout)) == 9
    assert ran("report", "digits-grid").stdout.strip().endswith("digits-grid.html")


def test_check_estimates(here):
    """`check` trains a moment, gives minutes, and keeps TensorFlow's greetings to itself."""
    result = ran("check", "digits-grid", "--format", "json")
    assert 0 < json.loads(result.stdout)["minutes"] < 30
    assert result.stderr == ""


def test_check_survives_a_model_that_fails(here):
    """A person's model that raises is a warning of `check`, not its end."""
    (here / "mine.py").write_text(
        'def build(shape, n_classes, width=8):\n    raise OSError("no")\n'
    )
    (here / "s.toml").write_text(
        '[study]\nname = "own"\n[data]\ndataset = "digits"\n[model]\nfactory = "mine:build"\n'
        '[search]\nmethod = "grid"\ncv = 3\n[space]\nwidth = [8]\n'
    )
    checked = process("check", "s.toml", "--allow", "mine", "--format", "json")
    plan = json.loads(checked.stdout)
    assert checked.returncode == 1
    assert (plan["minutes"], plan["tried"], plan["failed"]) == (None, 1, 1)
    assert plan["warnings"] == ["width = 8: OSError: no"]


def test_interrupted_and_continued(here):
    """Ctrl-C exits 130 and says how to continue; no cell stays running; a second run ends it."""
    command = ["run", "digits-grid", *LONG, "--n-jobs", "1"]
    run = subprocess.Popen(
        [sys.executable, "-m", "sweep", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    url = f"sqlite:///{here / '.sweep' / 'ledger.db'}"
    wait_for_a_cell(url, run)
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "of 3 cells done and kept" in errors
    shown = "continue with: python -m sweep run digits-grid --set model.batch_size=8"
    assert f"{shown} --set 'space.epochs=[2, 30]' --n-jobs 1" in errors
    record = read_study(Ledger(url), "digits-grid")
    assert record.done >= 1
    assert [trial for trial in record.trials if trial.state == "RUNNING"] == []
    kept = {t.number for t in record.trials if t.state == "COMPLETE"}
    assert "finished" in ran(*command).stdout
    after = read_study(Ledger(url), "digits-grid")
    assert kept < {t.number for t in after.trials if t.state == "COMPLETE"}
    assert after.winner is not None


def wait_for_a_cell(url, run):
    """Wait until the run has recorded its first cell and works on the next."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        assert run.poll() is None, run.stderr.read()
        time.sleep(0.2)
        if os.path.exists(url.removeprefix("sqlite:///")):  # noqa: PTH110 - a text
            ledger = Ledger(url)
            if ledger.has("digits-grid"):
                states = [trial.state.name for trial in ledger.trials("digits-grid")]
                if "COMPLETE" in states and "RUNNING" in states:
                    return
    raise AssertionError("no cell ended in time")
