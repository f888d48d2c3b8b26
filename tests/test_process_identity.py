"""Which machine and process a worker is: nobody takes another machine's living one for dead."""

import os
import select
import socket
import subprocess
import sys
import threading
from contextlib import closing, suppress
from types import SimpleNamespace

import pytest
from commands import ROOT, here, sweep  # noqa: F401
from ledgers import build
from processes import wait_for
from sqlalchemy import text
from sqlalchemy.engine import make_url

from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.storage import process_identity
from sweep.storage.process_identity import is_alive_here, is_dead, worker_name
from sweep.workers.loop import Worker
from sweep.workers.recovery import fail_orphaned_trials

BOOT = "8c1a4b1e-0000-4000-8000-{:012d}"


@pytest.fixture
def other_boot(monkeypatch):
    """Return the name that a process of this number has on a clone of this machine."""
    own, place = worker_name(), process_identity._scope()
    return own.replace(place, place.rpartition(":")[0] + ":" + BOOT.format(7))


def in_child(act):
    """Return what a function says in a forked process that ends at once."""
    ours, theirs = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(theirs, act().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(theirs)
    with os.fdopen(ours) as said:
        return said.read()


def test_a_process_of_here_is_known_to_live_or_to_have_ended():
    """Its own name lives; that of a process that has ended is dead."""
    own, gone = worker_name(), in_child(worker_name)
    assert (is_alive_here(own), is_dead(own)) == (True, False)
    assert (is_alive_here(gone), is_dead(gone)) == (False, True)


def test_each_process_has_a_token_of_its_own():
    """A forked one, too, made after its parent had one; and it keeps it."""
    assert worker_name() == worker_name()
    assert worker_name().rpartition(":")[2] != in_child(worker_name).rpartition(":")[2]


@pytest.mark.parametrize("change", ["boot", "no boot", "older", "foreign"])
def test_what_cannot_be_known_is_neither_dead_nor_alive(change, monkeypatch, other_boot):
    """Of another boot, without a boot's name, with a name of an older version or a strange one."""
    gone = in_child(worker_name)
    name = {"boot": other_boot, "older": gone.rsplit(":", 2)[0], "foreign": "x:y"}.get(change, gone)
    if change == "no boot":
        monkeypatch.setattr(process_identity, "_boot", lambda: "")
        name = in_child(worker_name)
    assert (is_dead(name), is_alive_here(name)) == (False, False)


# -- two machines ------------------------------------------------------------------------------

MACHINE = """
mount --bind {boot} /proc/sys/kernel/random/boot_id && hostname clone && exec {python} {script}
"""
WORKS = """
import os, sys
os.environ["PYTHONPATH"] = {root!r}
sys.path.insert(0, {root!r})
from sweep.ledger.ledger import Ledger
from sweep.storage import process_identity as identity
from sweep.workers.recovery import fail_orphaned_trials
# Each kernel numbers its first namespace alike; here one kernel must play two.
real = identity.Path.readlink
identity.Path.readlink = lambda path: (
    identity.Path("pid:[4026531836]") if str(path) == "/proc/self/ns/pid" else real(path)
)
ledger = Ledger({url!r})
"""
HOLDS = """
claim = ledger.claim("half", identity.worker_name())
print("took", identity.worker_name(), flush=True)
for line in sys.stdin:
    ledger.beat(claim)
    print("beaten", flush=True)
print(ledger.complete(claim, 0.5, (), ()), flush=True)
"""
REAPS = """
print(fail_orphaned_trials(ledger, "half"), identity.worker_name(), flush=True)
"""


@pytest.fixture
def relay(postgres, tmp_path):
    """A file that leads to the server: all that two machines without a network have in common."""
    to, path = make_url(postgres), tmp_path / f".s.PGSQL.{make_url(postgres).port or 5432}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()

        def serve():
            while True:
                try:
                    near, _ = listening.accept()
                except OSError:
                    return
                far = socket.create_connection((to.host, to.port or 5432))
                threading.Thread(target=pass_on, args=(near, far), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield str(tmp_path)
        listening.shutdown(socket.SHUT_RDWR)


def pass_on(near, far):
    """Pass on what either side says, until one falls silent or is cut off."""
    with near, far, suppress(OSError):
        while True:
            for each in select.select([near, far], [], [])[0]:
                said = each.recv(65536)
                if not said:
                    return
                (far if each is near else near).sendall(said)


@pytest.fixture
def machine(relay, database, tmp_path):
    """Start a script on a machine: a network, processes, a host name and a boot of its own."""
    url = make_url(database)
    url = url.set(host=None, query={**url.query, "host": relay}).render_as_string(False)
    started = []
    isolated = ["unshare", "--net", "--pid", "--fork", "--uts", "--mount", "--mount-proc",
                "--kill-child"]  # fmt: skip
    tried = subprocess.run([*isolated, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"namespaces may not be made here: {tried.stderr.strip()}")

    def start(act):
        number = len(started)
        boot, script = tmp_path / f"boot-{number}", tmp_path / f"act-{number}.py"
        boot.write_text(BOOT.format(number) + "\n")
        script.write_text(WORKS.format(root=str(ROOT), url=url) + act)
        line = MACHINE.format(boot=boot, python=sys.executable, script=script)
        started.append(
            subprocess.Popen(
                [*isolated, "sh", "-ec", line],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return started[-1]

    yield start
    for each in started:
        with each:
            each.kill()


def said(started):
    """Return the next line of a machine."""
    return started.stdout.readline().strip()


def test_two_machines_of_one_host_name_leave_each_other_s_cells(machine, database):
    """Equal host name, namespace number and process number: what beats is not given up."""
    build(None, "half", url=database, done=1, refit=False)
    first = machine(HOLDS)
    took = said(first).split()
    reaped, other = said(machine(REAPS)).split()
    assert took[0] == "took"
    assert [name.split(":")[0] for name in (took[1], other)] == ["clone", "clone"]
    assert [name.split(":")[3] for name in (took[1], other)] == ["4026531836"] * 2
    assert reaped == "0"
    first.stdin.close()
    assert said(first) == "True"


def test_another_machine_s_cell_is_given_up_once_it_is_silent(machine, database, monkeypatch):
    """Only its heartbeat says so, and at once where it is past its time."""
    build(None, "half", url=database, done=1, refit=False)
    first = machine(HOLDS)
    assert said(first).startswith("took")
    with closing(Ledger(database)) as ledger:
        assert fail_orphaned_trials(ledger, "half") == 0
        first.stdin.write("beat\n")
        first.stdin.flush()
        assert said(first) == "beaten"
        first.kill()
        first.wait()
        assert fail_orphaned_trials(ledger, "half") == 0
        silence(ledger)
        assert fail_orphaned_trials(ledger, "half") == 1


def silence(ledger):
    """Put every sign of life some minutes back."""
    with ledger.storage.engine.begin() as connection:
        connection.execute(text("UPDATE trial_heartbeats SET heartbeat = '2026-01-01 00:00:00'"))


def test_delete_takes_a_study_whose_worker_died_with_its_machine(here, other_boot):  # noqa: F811
    """Refused while another machine's worker may live; done once its heartbeat is past."""
    path = here / ".sweep" / "ledger.db"
    path.parent.mkdir()
    build(path, "half", done=1, refit=False)
    with closing(Ledger(f"sqlite:///{path}")) as ledger:
        ledger.claim("half", other_boot)
        refused = sweep("delete", "half", "--yes")
        assert (refused.exit_code, "stop that run first" in refused.output) == (2, True)
        silence(ledger)
    assert sweep("delete", "half", "--yes").exit_code == 0


def test_a_beat_that_does_not_reach_the_ledger_is_not_the_last(monkeypatch):
    """A worker that lives is not silent for a database that was away for a moment."""
    monkeypatch.setattr("sweep.workers.loop.HEARTBEAT_SECONDS", 0.01)
    beats = []

    def beat(_claim):
        beats.append(1)
        raise LedgerError("away")

    worker = SimpleNamespace(ledger=SimpleNamespace(beat=beat))
    with Worker._heartbeat(worker, None):
        wait_for(lambda: len(beats) > 2, 10)


def test_a_process_that_has_ended_is_dead_before_its_parent_asks():
    """Its number is not free yet, and nothing of it runs."""
    code = "from sweep.storage.process_identity import worker_name; print(worker_name())"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as ended:
        name = ended.stdout.readline().strip()
        ended.stdout.read()
        wait_for(lambda: is_dead(name), seconds=10)
        assert ended.returncode is None
