"""The process that workers are forked from."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import wait_for

from sweep.runner.forkserver import ForkServer, ForkServerProcess

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(sys.platform != "linux", reason="forked on Linux only"),
]


@pytest.fixture
def forkserver(tmp_path):
    """Return a forkserver that is closed in the end."""
    forkserver = ForkServer()
    yield forkserver
    forkserver.close()


def hello(child):
    """Return the first thing a worker says, its name, when the forkserver has named it too."""
    name = json.loads(child.stdout.readline())["name"]
    wait_for(lambda: child.pid, 10)
    return name


def leave(child):
    """Close a worker's input, so that it leaves, and return its status."""
    child.stdin.close()
    status = child.wait(20)
    child.stdout.close()
    return status


def test_workers_are_forked_from_one_process_and_leave_when_told(forkserver, tmp_path):
    """Two names, one parent, and a clean end when the input closes."""
    children = [forkserver.fork(tmp_path / f"{n}.log") for n in range(2)]
    names = {hello(child) for child in children}
    parents = {
        Path(f"/proc/{c.pid}/stat").read_text().rpartition(")")[2].split()[1] for c in children
    }
    assert len(names) == 2
    assert parents == {str(forkserver._server._process.pid)}
    assert [leave(child) for child in children] == [0, 0]


def test_the_server_has_a_single_thread_when_it_forks(forkserver, tmp_path):
    """That is what makes the fork safe; with more threads it would spawn."""
    child = forkserver.fork(tmp_path / "0.log")
    hello(child)
    assert len(list(Path(f"/proc/{forkserver._server._process.pid}/task").iterdir())) == 1
    assert "sweep.runner.forkserver_process" in Path(f"/proc/{child.pid}/cmdline").read_text()
    leave(child)


def test_a_killed_worker_is_reported_with_its_signal(forkserver, tmp_path):
    """As subprocess would: minus the signal's number."""
    child = forkserver.fork(tmp_path / "0.log")
    hello(child)
    assert child.poll() is None
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait(5) == -9
    child.stdin.close()
    child.stdout.close()


def test_workers_that_were_never_made_do_not_hold_anyone_up(tmp_path):
    """A run that fails at once does not wait for TensorFlow to load."""
    forkserver = ForkServer()
    child = forkserver.fork(tmp_path / "0.log")
    began = time.monotonic()
    child.kill()
    assert child.wait(2) == 1
    forkserver.close()
    assert time.monotonic() - began < 2
    child.stdin.close()
    child.stdout.close()


def test_a_worker_asked_of_a_dead_server_has_ended(tmp_path):
    """However the asking and the death meet: nobody waits for a worker that never comes."""
    forkserver = ForkServerProcess()
    os.kill(forkserver._process.pid, signal.SIGKILL)
    for number in range(2):
        child = forkserver.fork(tmp_path / f"{number}.log")
        assert child.wait(5) == 1
        child.stdin.close()
        child.stdout.close()
    assert not forkserver.alive
    forkserver.close()


def test_a_spare_worker_is_taken_before_one_is_forked(forkserver, tmp_path):
    """It has fitted a model already; one that has died meanwhile is not taken."""
    forkserver.prepare(2, tmp_path / "spare.log")
    spare, dead = forkserver._spares
    names = [hello(child) for child in (spare, dead)]
    os.kill(dead.pid, signal.SIGKILL)
    dead.wait(5)
    dead.close()
    child, other = (forkserver.fork(tmp_path / f"{n}.log") for n in range(2))
    assert child is spare
    assert len(set(names)) == 2
    assert other is not dead
    hello(other)
    for each in (child, other):
        leave(each)
    forkserver.prepare(1, tmp_path / "spare.log")
    spare = forkserver._spares[0]
    hello(spare)
    forkserver.close()
    assert spare.wait(5) is not None


RUN = """
import sys, time
from pathlib import Path
from sweep.runner.forkserver import ForkServer
forkserver = ForkServer()
child = forkserver.fork(Path(sys.argv[1]) / "0.log")
child.stdout.readline()
while child.pid is None:
    time.sleep(0.01)
print(forkserver._server._process.pid, child.pid, flush=True)
time.sleep(60)
"""


def test_the_server_ends_with_the_run(tmp_path):
    """kill -9 of the run leaves neither forkserver nor workers behind."""
    line = [sys.executable, "-c", RUN, str(tmp_path)]
    run = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    pids = [int(number) for number in run.stdout.readline().split()]
    run.kill()
    run.wait()
    run.stdout.close()
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in pids) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists() and _lives(pid)]


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
