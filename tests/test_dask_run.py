"""``sweep run --dask`` with real fits: the table of a local run, whatever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pandas as pd
import pytest
from commands import ROOT
from ledgers import build
from processes import wait_for
from test_dask import dask, dask_scheduler
from test_study import GRID, table

from sweep import load_study, run_study
from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.runner.dask_cluster import DaskCluster
from sweep.runner.dask_loop import follow
from sweep.storage.attributes import WORKER
from sweep.study import open_study
from sweep.workers.job import Job

pytest.importorskip("distributed", reason="the extra dask is not installed")
pytestmark = pytest.mark.tensorflow

SECTIONS = {
    **GRID,
    "data": {"dataset": "digits", "train_rows": 400, "test_rows": 100},
    "space": {"epochs": [1, 60], "hidden_size": [4, 6, 8, 12, 16, 20]},
}
FILE = """
[study]
name = "grid"
[data]
dataset = "digits"
train_rows = 400
test_rows = 100
[model]
factory = "mlp"
dropout_rate = 0.2
learning_rate = 0.01
[search]
method = "grid"
cv = 3
[space]
epochs = [1, 60]
hidden_size = [4, 6, 8, 12, 16, 20]
"""


@pytest.fixture(scope="module")
def here_alone(tmp_path_factory):
    """The table and winner of a run without a cluster."""
    path = tmp_path_factory.mktemp("local") / "l.db"
    return run_study(load_study(SECTIONS), storage=str(path), n_jobs=2)


def same(result, other):
    """Compare tables, all columns but times, and what the test set said of the winner."""
    pd.testing.assert_frame_equal(table(result), table(other))
    assert result.record.winner.test_score == other.record.winner.test_score
    assert result.record.test_openings == 1
    assert result.record.status == "finished"


def running(url):
    """Return the running trials; none where there is no study yet."""
    with suppress(LedgerError), closing(Ledger(url, reading=True)) as ledger:
        return ledger.trials("grid", "RUNNING")
    return []


def dask_worker_of(trial):
    """Return the Dask worker that a running trial's process belongs to."""
    pid = trial.user_attrs[WORKER].split(":")[1]
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_a_killed_dask_worker(tmp_path, here_alone):
    """The run goes on and ends with the identical table; the test set was opened once."""
    path, killed = tmp_path / "l.db", []

    def kill():
        first, *_ = wait_for(lambda: running(f"sqlite:///{path}"), 120)
        killed.append(dask_worker_of(first))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with closing(DaskCluster("local:2")) as cluster:
        result = run_study(load_study(SECTIONS), storage=str(path), cluster=cluster)
    killer.join()
    same(result, here_alone)
    states = sorted(trial.state for trial in result.record.trials)
    assert states == ["COMPLETE"] * 6 + ["CUT"]
    assert killed


def command(folder, address, *words):
    """Start the command line over a cluster at an address."""
    return subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", "s.toml", "--no-report", "--dask", address, *words],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SWEEP_STORAGE": str(folder / "l.db")},
    )  # fmt: skip


def test_a_scheduler_that_dies_and_ctrl_c(tmp_path, here_alone):
    """Status 2 with a plain message; the same command continues; Ctrl-C ends with 130; it ends."""
    (tmp_path / "s.toml").write_text(FILE)
    url = f"sqlite:///{tmp_path / 'l.db'}"
    with dask_scheduler(tmp_path) as (scheduler, address), dask(1, address, "--nthreads", "2"):
        first = command(tmp_path, address)
        wait_for(lambda: running(url), 120)
        scheduler.kill()
        _, err = first.communicate(timeout=60)
        assert first.returncode == 2, err
        assert f"the Dask scheduler at {address} is gone" in err
        assert "Traceback" not in err
    with dask_scheduler(tmp_path) as (_, address), dask(1, address, "--nthreads", "2"):
        second = command(tmp_path, address)
        wait_for(lambda: running(url), 120)
        time.sleep(0.5)
        second.send_signal(signal.SIGINT)
        _, err = second.communicate(timeout=60)
        assert second.returncode == 130, err
        assert f"continue with: python -m sweep run s.toml --no-report --dask {address}" in err
        assert running(url) == []
        third = command(tmp_path, address)
        out, err = third.communicate(timeout=300)
        assert third.returncode == 0, err
        assert "study grid: finished" in out
    same(open_study("grid", url), here_alone)


def test_over_postgresql(database, here_alone):
    """The ledger on a server: the identical table."""
    with closing(DaskCluster("local:2")) as cluster:
        result = run_study(load_study(SECTIONS), storage=database, cluster=cluster)
    same(result, here_alone)


def test_other_data_on_a_dask_worker_are_refused(tmp_path):
    """The loop is broken there, and says what is other; no cell is taken."""
    build(tmp_path / "l.db", "six", space={"hidden_size": [4, 8]}, done=0, refit=False)
    job = Job(f"sqlite:///{tmp_path / 'l.db'}", "six", elsewhere=True)
    ended = follow(job, tmp_path / "log", lambda: True)
    assert ended.how == "broken"
    assert "this machine has other data than the study" in ended.reason
    with closing(Ledger(job.storage, reading=True)) as ledger:
        assert ledger.counts("six") == {"WAITING": 2}
