"""``sweep run --dask``: loops on a Dask cluster, with fake loops; no TensorFlow."""

import gc
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import commands
import fake_loops
import pytest
from commands import sweep
from ledgers import build
from processes import wait_for

from sweep.errors import ClusterError
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study, study_spec
from sweep.ledger.records import SplitResult, TrialRecord
from sweep.runner import dask_loop
from sweep.runner.dask_cluster import DaskCluster, is_here
from sweep.runner.dask_pool import DaskPool, _value
from sweep.runner.progress import Progress, Watcher
from sweep.search.plan import make_plan
from sweep.workers.job import Job

distributed = pytest.importorskip("distributed", reason="the extra dask is not installed")

here = commands.here
SPACE = {"hidden_size": [4, 8, 12, 16, 20, 24]}
ELSEWHERE = "tcp://192.0.2.1:8786"
DASK = ("-m", "distributed.cli.dask_scheduler"), ("-m", "distributed.cli.dask_worker")


class Told(Watcher):
    """Remembers what it is told."""

    def __init__(self):
        self.said, self.trials = [], []

    def say(self, message):
        self.said.append(message)

    def ended(self, progress, trial):
        self.trials.append(trial)


@pytest.fixture
def ledger(tmp_path):
    """A ledger with a study of six cells, none of them done."""
    build(tmp_path / "l.db", "six", space=SPACE, done=0, refit=False)
    with closing(Ledger(f"sqlite:///{tmp_path / 'l.db'}")) as found:
        yield found


@pytest.fixture(scope="module")
def local():
    """A cluster of two Dask workers on this machine."""
    with closing(DaskCluster("local:2")) as cluster:
        cluster.open("sqlite:///l.db")
        yield cluster


def followed(ledger, cluster, loop, monkeypatch, *, deadline=None, most=None):
    """Run the study with a fake loop; return what was told and the progress."""
    monkeypatch.setattr(dask_loop, "loop", loop)
    folder = Path(ledger.url.removeprefix("sqlite:///")).parent
    told, progress = Told(), Progress("six", 6)
    plan = make_plan(study_spec("six", ledger.header("six")))
    with closing(DaskPool(cluster, most, folder, told, "six")) as pool:
        job = Job(ledger.url, "six", str(folder))
        pool.run(job, ledger, plan, progress, refit=False, deadline=deadline)
    return told, progress


def states(ledger):
    """Return the states of the study's trials."""
    return sorted(trial.state for trial in read_study(ledger, "six").trials)


@contextmanager
def dask(kind, *words):
    """Run one of Dask's own commands."""
    process = subprocess.Popen(
        [sys.executable, *DASK[kind], *words, "--host", "127.0.0.1", "--no-dashboard"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()  # a fake loop may be asleep in it
        process.wait()


@contextmanager
def dask_scheduler(folder):
    """Run a scheduler of its own; yield its process and address."""
    note = folder / "scheduler.json"
    note.unlink(missing_ok=True)
    port = "0"
    with dask(0, "--port", port, "--scheduler-file", str(note)) as process:
        wait_for(lambda: note.is_file() and note.read_text())
        yield process, json.loads(note.read_text())["address"]


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dask", "local:0"], "local:N needs a number of workers from 1 on, got 'local:0'"),
        (["--dask", "local:x"], "local:N needs a number of workers from 1 on, got 'local:x'"),
        (["--dask", "four"], "must be a scheduler's address, tcp://HOST:PORT, or local:N"),
        (["--dask", ELSEWHERE], "an SQLite ledger is a file of this machine"),
        (["--dask", "local:1", "--dask-resources", "GPU=many"], "got 'GPU=many'"),
        (["--dask", "local:1", "--dask-resources", "GPU=0"], "got 'GPU=0'"),
        (["--dask", "local:1", "--dask-resources", "=1"], "got '=1'"),
        (["--dask-resources", "GPU=1"], "--dask-resources needs --dask ADDRESS"),
        (["--dask", "tcp://127.0.0.1:9"], "no Dask scheduler answers at tcp://127.0.0.1:9"),
    ],
)
def test_what_is_refused(here, monkeypatch, words, said):
    """Each with its rule and remedy, status 2, before a study is made."""
    monkeypatch.setattr("sweep.runner.dask_cluster.CONNECT_SECONDS", 1)
    result = sweep("run", "digits-grid", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    path = here / ".sweep" / "ledger.db"
    assert not path.exists() or Ledger(f"sqlite:///{path}").names() == []


def test_all_problems_at_once(here):
    """An address and resources that cannot be read are both told."""
    result = sweep("run", "digits-grid", "--dask", "four", "--dask-resources", "GPU=x,MEM")
    assert [word in result.stderr for word in ("'four'", "'GPU=x'", "'MEM'")] == [True] * 3


def test_without_the_extra(here, monkeypatch):
    """The remedy is the command that installs it."""
    monkeypatch.setattr("sweep.runner.dask_cluster.find_spec", lambda name: None)
    result = sweep("run", "digits-grid", "--dask", "local:2")
    assert result.exit_code == 2
    assert 'pip install ".[dask]"' in result.stderr


def test_a_remote_cluster_with_a_server_for_a_ledger_is_taken():
    """Only a file is of one machine."""
    DaskCluster(ELSEWHERE).check_ledger("postgresql+psycopg://db/sweep")


@pytest.mark.parametrize(("host", "so"), [("127.0.0.1", True), ("192.0.2.1", False)])
def test_which_hosts_are_this_machine(host, so):
    """Those whose address a socket can be bound to."""
    assert is_here(host) is so


def test_no_log_of_dask_shows_a_password():
    """A job is shown without its ledger: Dask logs the arguments of what fails."""
    assert "hunter2" not in repr(Job("postgresql://me:hunter2@db/sweep", "six"))


# -- a cluster of this machine -------------------------------------------------------------------


def listening():
    """Return the addresses, in the kernel's hexadecimal, on which this process's family listens."""
    family = {os.getpid(), *map(int, children(os.getpid()))}
    held = set()
    for pid in family:
        with suppress(OSError):  # ps itself is in the family, and gone
            held |= {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in held]


def children(pid):
    """Return the processes below one, as text."""
    found = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    )
    parents = dict(line.split() for line in found.stdout.splitlines())
    below = [child for child, parent in parents.items() if parent == str(pid)]
    return below + [each for child in below for each in children(child)]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's list of sockets is Linux's")
def test_a_local_cluster_listens_on_loopback_only(local):
    """Scheduler, workers and their pages: every listening socket is on 127.0.0.1."""
    found = listening()
    assert len(found) >= 3
    assert {place.partition(":")[0] for place in found} == {"0100007F"}


def test_no_callback_of_dask_can_lose_a_ctrl_c(local):
    """What a collection of garbage calls swallows what is raised in it."""
    assert [each for each in gc.callbacks if "distributed" in str(each)] == []


def test_every_cell_is_evaluated_once_and_told(ledger, local, monkeypatch):
    """The display learns of each from the ledger."""
    told, progress = followed(ledger, local, fake_loops.loop, monkeypatch)
    assert states(ledger) == ["COMPLETE"] * 6
    assert (progress.done, progress.phase, len(told.trials)) == (6, "done", 6)
    assert progress.best[0] == max(trial["value"] for trial in told.trials)
    assert told.said == []


def test_a_killed_dask_worker_costs_its_cell_no_more(ledger, local, tmp_path, monkeypatch):
    """Its loop is started again, its cell evaluated by another."""
    note = tmp_path / "taken"

    def kill():
        os.kill(int(wait_for(lambda: note.is_file() and note.read_text())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    _, progress = followed(ledger, local, fake_loops.stuck, monkeypatch)
    killer.join()
    assert states(ledger) == ["COMPLETE"] * 6 + ["CUT"]
    assert progress.done == 6
    wait_for(lambda: len(local.workers()) == 2)  # the nanny has replaced it


def test_loops_that_cannot_go_on_end_the_run(ledger, local, monkeypatch):
    """After three in a row, with what the last one said."""
    with pytest.raises(ClusterError, match="DataError: no data here"):
        followed(ledger, local, fake_loops.broken, monkeypatch)


def test_a_loop_that_dies_says_of_what(ledger, local, monkeypatch):
    """Its trial carries the signal, so that a cell that kills thrice is set aside."""
    with pytest.raises(ClusterError, match="signal 9"):
        followed(ledger, local, fake_loops.lost, monkeypatch, most=1)
    reasons = {trial.reason for trial in read_study(ledger, "six").trials if trial.state == "CUT"}
    assert reasons == {"the worker ended with signal 9"}


def test_a_study_that_is_asked_to_stop(ledger, local, monkeypatch):
    """No other cell is begun; the run ends without an error."""
    ledger.stop("six", "me")
    told, progress = followed(ledger, local, fake_loops.loop, monkeypatch)
    assert progress.done == 0
    assert told.said == ["stop requested: running cells will finish, no new ones will start"]


def test_a_study_whose_time_is_up(ledger, local, monkeypatch):
    """It begins nothing more and keeps its cells waiting."""
    told, _ = followed(ledger, local, fake_loops.loop, monkeypatch, deadline=time.monotonic())
    assert states(ledger) == ["WAITING"] * 6
    assert told.said == ["search.timeout reached: running trials are interrupted"]


# -- a cluster at an address ---------------------------------------------------------------------


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler with a Dask worker of two threads and no resources; its process and address."""
    with (
        dask_scheduler(tmp_path) as (process, address),
        dask(1, address, "--nthreads", "2", "--no-nanny"),
        closing(DaskCluster(address)) as plain,
    ):
        plain.open("sqlite:///l.db")
        wait_for(lambda: list(plain.workers().values()) == [2])
        yield process, address


def test_resources_that_no_worker_has(scheduler):
    """They are refused, with the command that starts such a worker."""
    _, address = scheduler
    asked = f"dask worker {address} --resources GPU=1"
    with (
        closing(DaskCluster(address, "GPU=1")) as cluster,
        pytest.raises(ClusterError, match=asked),
    ):
        cluster.open("sqlite:///l.db")


def test_a_resource_decides_where_loops_go(ledger, scheduler, monkeypatch):
    """Only to the worker that has a GPU, one at a time, whatever its threads."""
    _, address = scheduler
    with (
        dask(1, address, "--nthreads", "2", "--no-nanny", "--resources", "GPU=1") as worker,
        closing(DaskCluster(address)) as plain,
    ):
        plain.open(ledger.url)
        wait_for(lambda: len(plain.workers()) == 2)
        with closing(DaskCluster(address, "GPU=1")) as cluster:
            cluster.open(ledger.url)
            assert sorted(cluster.workers().values()) == [0, 1]
            followed(ledger, cluster, fake_loops.loop, monkeypatch)
    names = {trial.worker.split(":")[1] for trial in read_study(ledger, "six").trials}
    assert names == {str(worker.pid)}


def test_a_scheduler_that_dies(ledger, scheduler, tmp_path, monkeypatch):
    """The run ends plainly, and says that the same command continues."""
    process, address = scheduler

    def kill():
        wait_for((tmp_path / "taken").is_file)
        process.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with closing(DaskCluster(address)) as cluster:
        cluster.open(ledger.url)
        with pytest.raises(ClusterError, match="is gone: what is done is kept; start it again"):
            followed(ledger, cluster, fake_loops.stuck, monkeypatch)
    killer.join()


def test_the_continued_study(ledger, local, tmp_path, monkeypatch):
    """A cell that a lost run held is given up and evaluated when its process has ended."""
    ledger.claim("six", "elsewhere:7:7")
    (claimed,) = ledger.trials("six", "RUNNING")
    ledger.cut(claimed._trial_id)
    followed(ledger, local, fake_loops.loop, monkeypatch)
    assert states(ledger) == ["COMPLETE"] * 6 + ["CUT"]


# -- the loop on a Dask worker -------------------------------------------------------------------

SPEAK = """
import json, sys, time, os
sys.stdin.readline()
def tell(event, **more): print(json.dumps({"event": event, **more}), flush=True)
tell("hello", name="here:1:1")
"""


def speaking(monkeypatch, *lines):
    """Have worker processes that say these lines."""
    code = SPEAK + "\n".join(lines)

    def start(log, device=None):
        return subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    monkeypatch.setattr(dask_loop, "spawn", start)


@pytest.mark.parametrize(
    ("line", "ended"),
    [
        ('tell("idle"); time.sleep(60)', ("done", "here:1:1", "")),
        ('tell("broken", reason="no data")', ("broken", "here:1:1", "no data")),
        ('tell("recycle")', ("recycle", "here:1:1", "")),
        ("sys.exit(3)", ("lost", "here:1:1", "exit status 3")),
        ("sys.exit(5)", ("lost", "here:1:1", "exit status 5")),
        ("os.kill(os.getpid(), 9)", ("lost", "here:1:1", "signal 9")),
    ],
)
def test_how_a_process_ends_is_told(monkeypatch, tmp_path, line, ended):
    """Done, broken, worn, lost with its status or signal."""
    speaking(monkeypatch, line)
    found = dask_loop.follow(Job("l.db", "six"), tmp_path / "log", lambda: True)
    assert (found.how, found.worker, found.reason) == ended


def test_a_cancelled_task_ends_its_process(monkeypatch, tmp_path):
    """Its standard input closes, and it leaves by itself."""
    note = tmp_path / "note"
    speaking(
        monkeypatch,
        f"open({str(note)!r}, 'w').write('begun')",
        "sys.stdin.read()",
        f"open({str(note)!r}, 'w').write('left')",
    )
    quiet = {
        "dashboard_address": "127.0.0.1:0",
        "protocol": "tcp://",
        "silence_logs": logging.CRITICAL,
    }
    with (
        distributed.LocalCluster(
            n_workers=1, processes=False, host="127.0.0.1", **quiet
        ) as threads,
        distributed.Client(threads, set_as_default=False) as client,
    ):
        future = client.submit(dask_loop.loop, Job("l.db", "six"), pure=False)
        wait_for(lambda: note.is_file() and note.read_text() == "begun")
        client.cancel([future])
        wait_for(lambda: note.read_text() == "left")


def test_ctrl_c_while_a_local_cluster_starts(here):
    """It is status 130 and two lines, whatever Dask is at."""
    with subprocess.Popen(
        [sys.executable, "-m", "sweep", "run", "digits-grid", "--dask", "local:1", "--no-report"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, start_new_session=True,
        stderr=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        wait_for(lambda: [pid for pid in children(command.pid) if is_dask_worker(pid)])
        os.killpg(command.pid, signal.SIGINT)
        _, err = command.communicate(timeout=60)
    assert command.returncode == 130, err
    assert [line.split(":")[0].split(" ")[0] for line in err.splitlines()] == [
        "interrupted", "continue",
    ]  # fmt: skip


def is_dask_worker(pid):
    """Return whether a process is one that Dask has spawned."""
    with suppress(OSError):
        return "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
    return False


@pytest.mark.parametrize(("asked", "score"), [((2,), 0.8), ((1, 2), 0.9), ((5,), 0.9)])
def test_a_line_shows_the_score_of_the_asked_epochs(asked, score):
    """Not that of a better one on the way; a pruned trial's best until it was stopped."""
    split = SplitResult(test={1: 0.9, 2: 0.8})
    assert _value(TrialRecord(0, "k", "COMPLETE", {}, asked, (split,))) == score
