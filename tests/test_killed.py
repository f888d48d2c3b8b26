"""Runs whose processes are killed, stopped, starved: for real, with real fits."""

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
from processes import alive, descendants, wait_for
from test_study import table

from sweep import run_study
from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study
from sweep.storage.attributes import LOST, WORKER
from sweep.study import open_study

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).resolve().parent.parent
KILLS, IN_A_FIT = 20, 10
STUDY = """
[study]
name = "k"
[data]
dataset = "digits"
train_rows = 300
test_rows = 100
[model]
factory = "mlp"
epochs = {epochs}
[search]
method = "grid"
cv = 3
[space]
hidden_size = {sizes}
"""


@pytest.fixture
def here(tmp_path):
    """A folder with a study of 30 cells of about a third of a second."""
    write(tmp_path, 40, list(range(4, 34)))
    return tmp_path


def write(folder, epochs, sizes):
    """Write the study file."""
    (folder / "s.toml").write_text(STUDY.format(epochs=epochs, sizes=sizes))


def started(folder, *words):
    """Start the command; two workers."""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", "s.toml", "--n-jobs", "2", "--no-report",
         "--storage", str(folder / "l.db"), *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def trials(folder):
    """Return the study's trials as Optuna holds them."""
    if not (folder / "l.db").exists():
        return []
    try:
        with closing(Ledger(f"sqlite:///{folder / 'l.db'}", reading=True)) as ledger:
            return ledger.trials("k")
    except LedgerError:
        return []


def under_way(folder):
    """Return the running trials with the process that each is in."""
    running = [t for t in trials(folder) if t.state.name == "RUNNING"]
    return [(t, int(t.user_attrs[WORKER].split(":")[1])) for t in running]


def test_workers_killed_at_random_moments_lose_nothing(here, tmp_path_factory):
    """Twenty times kill -9: every acknowledged trial stays, each cell once, the same table."""
    run, chance = started(here), random.Random(7)
    wait_for(lambda: under_way(here), 60)
    acknowledged, killed, deaths = {}, 0, {}
    while killed < KILLS:
        time.sleep(chance.uniform(0.05, 0.4))
        held = trials(here)
        acknowledged.update({t.number: t.value for t in held if t.state.name == "COMPLETE"})
        running = [(t, pid) for t, pid in under_way(here) if deaths.get(key(t), 0) < 2]
        assert run.poll() is None, run.communicate()
        if running:
            trial, pid = chance.choice(running)
            deaths[key(trial)] = deaths.get(key(trial), 0) + 1
            os.kill(pid, signal.SIGKILL)
            killed += 1
    output, errors = run.communicate(timeout=240)
    assert run.returncode == 0, errors
    assert "worker killed by signal 9; starting a replacement" in errors
    record = open_study("k", str(here / "l.db")).record
    after = {t.number: t.value for t in trials(here) if t.state.name == "COMPLETE"}
    assert {n: after[n] for n in acknowledged} == acknowledged
    complete = [t.key for t in record.trials if t.state == "COMPLETE"]
    assert len(complete) == len(set(complete)) == 30
    lost = [t for t in trials(here) if "signal 9" in str(t.user_attrs.get(LOST))]
    assert all(t.datetime_start < t.datetime_complete for t in lost)
    assert len(lost) >= IN_A_FIT, f"only {len(lost)} of {killed} kills hit a running fit"
    quiet = tmp_path_factory.mktemp("quiet")
    whole = run_study(here / "s.toml", storage=str(quiet / "l.db"), n_jobs=2)
    mine = open_study("k", str(here / "l.db"))
    pd.testing.assert_frame_equal(table(mine), table(whole), check_exact=True)
    assert mine.record.winner.test_score == whole.record.winner.test_score
    assert output


def key(trial):
    """Return a trial's cell."""
    return trial.user_attrs["sweep:cell"]["key"]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
def test_a_signal_ends_a_run_cleanly_and_soon(number, status, tmp_path):
    """In a fit of minutes: within 5 s, nothing running, no orphans, a line that says how."""
    write(tmp_path, 100_000, [8, 16])
    run = started(tmp_path)
    wait_for(lambda: len(under_way(tmp_path)) == 2, 60)
    time.sleep(1)
    family, began = descendants(run.pid), time.monotonic()
    run.send_signal(number)
    _, errors = run.communicate(timeout=30)
    took = time.monotonic() - began
    assert run.returncode == status
    assert took < 5 + os.getloadavg()[0] / 2
    assert "continue with: python -m sweep run s.toml" in errors
    assert "Traceback" not in errors
    assert {t.state.name for t in trials(tmp_path)} <= {"FAIL", "WAITING"}
    wait_for(lambda: not any(alive(pid) for pid in family), 10)


def test_a_worker_told_to_end_while_it_refits_is_replaced(tmp_path):
    """The winner is refitted by another; nobody takes the order for an error."""
    write(tmp_path, 2, [8])
    text = (tmp_path / "s.toml").read_text()
    (tmp_path / "s.toml").write_text(text.replace("cv = 3", "cv = 3\nrefit_epochs = 1500"))
    run = started(tmp_path, "--n-jobs", "1")
    ended = wait_for(lambda: [t for t in trials(tmp_path) if t.state.name == "COMPLETE"], 60)
    time.sleep(1)
    os.kill(int(ended[0].user_attrs[WORKER].split(":")[1]), signal.SIGTERM)
    _, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    assert "worker ended with exit status 0; starting a replacement" in errors
    assert open_study("k", str(tmp_path / "l.db")).record.winner.test_score is not None


def test_a_killed_command_leaves_no_process(tmp_path):
    """Ten seconds after kill -9 of the command none is left."""
    write(tmp_path, 100_000, [8, 16])
    run = started(tmp_path)
    wait_for(lambda: len(under_way(tmp_path)) == 2, 60)
    family = descendants(run.pid)
    run.kill()
    run.communicate()
    wait_for(lambda: not any(alive(pid) for pid in family), 10)


def test_a_full_disk_ends_a_run_with_a_plain_message(disk):
    """And with more and more room the same command completes the study."""
    write(disk, 3, [4, 8])
    failures = 0
    for size in range(60, 2000, 40):
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(disk)], check=True)
        run = started(disk)
        _, errors = run.communicate(timeout=120)
        if run.returncode == 0:
            break
        assert "Traceback" not in errors
        assert run.returncode == 2, errors
        assert "disk is full" in errors
        failures += 1
    assert failures >= 2
    record = read_study(Ledger(f"sqlite:///{disk / 'l.db'}"), "k")
    assert record.status == "finished"
    assert record.winner


def test_a_worker_that_hears_nothing_ends_with_a_killed_command(tmp_path):
    """Code in C that does not let go: the template sees to it."""
    write(tmp_path, 1, [8])
    (tmp_path / "deaf.py").write_text(
        "import re\n\n\ndef build(input_shape, n_classes, width=8):\n"
        "    re.match('(a+)+$', 'a' * 60 + 'b')\n"
    )
    text = (tmp_path / "s.toml").read_text().replace('"mlp"', '"deaf:build"')
    (tmp_path / "s.toml").write_text(text.replace("hidden_size", "width"))
    run = started(tmp_path, "--allow", "deaf")
    wait_for(lambda: under_way(tmp_path), 60)
    time.sleep(1)
    family = descendants(run.pid)
    run.kill()
    run.communicate()
    wait_for(lambda: not any(alive(pid) for pid in family), 15)
