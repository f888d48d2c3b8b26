"""``sweep dashboard`` from the command line: what is refused, and from start to end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path

import commands
import pytest
from commands import GUARD, ROOT, broken, process, sweep

from sweep.dashboard.guard import PASSWORD

pytest.importorskip("optuna_dashboard", reason="the extra dashboard is not installed")

here, ledger = commands.here, commands.ledger
SECRET = "correct horse battery"  # noqa: S105
EVERYWHERE = "0.0.0.0"  # noqa: S104
PATHS = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}


@pytest.fixture
def never_served(monkeypatch):
    """Let a command that should be refused end at once if it is not."""
    monkeypatch.setattr("sweep.dashboard.server.Server.serve_forever", broken)


def test_an_empty_file_is_no_ledger_to_read(here, never_served):
    """It is said in plain words, and no table is made."""
    Path("l.db").touch()
    result = sweep("dashboard", "--storage", "l.db")
    assert result.exit_code == 2
    assert "the ledger is an empty file" in result.stderr
    assert Path("l.db").stat().st_size == 0


def test_without_the_extra(here, never_served, monkeypatch):
    """The first thing told is how to install it, even where there is no ledger."""
    monkeypatch.setattr("sweep.cli.dashboard.find_spec", lambda name: None)
    result = sweep("dashboard", "--host", EVERYWHERE)
    assert result.exit_code == 2
    assert 'pip install ".[dashboard]"' in result.stderr


def test_a_port_in_use(ledger, never_served):
    """Is told with the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = sweep("dashboard", "--port", port)
    assert result.exit_code == 2
    assert f"--port: {port} is in use" in result.stderr


def test_an_address_of_another_machine(ledger, never_served, monkeypatch):
    """Cannot be listened on, and that is told."""
    monkeypatch.setenv(PASSWORD, SECRET)
    result = sweep("dashboard", "--public", "--host", "192.0.2.1", "--port", "0")
    assert result.exit_code == 2
    assert "'192.0.2.1' is no address of this machine" in result.stderr


def test_a_password_is_never_an_option(here):
    """Others could read it on the command line."""
    assert not [word for word in sweep("dashboard", "--help").output.split() if "--pass" in word]


def listening(pid):
    """Return the local addresses on which a process listens, as /proc has them."""
    own = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    lines = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return {p[1] for p in lines if p[3] == "0A" and f"socket:[{p[9]}]" in own}


@pytest.mark.skipif(sys.platform != "linux", reason="/proc/net is Linux's")
def test_the_command_from_start_to_end(ledger):
    """Listens on loopback alone, loads no TensorFlow, and Ctrl-C ends it with status 0."""
    line = [sys.executable, "-c", GUARD.format(names=("tensorflow", "keras")), "dashboard"]
    heard = ["env", "--default-signal=INT"]  # whoever runs the tests behind a shell's & ignores it
    running = subprocess.Popen(
        [*heard, *line, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PATHS},
    )
    try:
        address = running.stdout.readline()
        port = int(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/\n", address)[1])
        link = HTTPConnection("127.0.0.1", port, timeout=60)
        link.request("GET", "/")
        assert link.getresponse().status == 200
        link.close()
        assert listening(running.pid) == {f"0100007F:{port:04X}"}
        running.send_signal(signal.SIGINT)
        _, told = running.communicate(timeout=60)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == 0
    assert told == "read-only; Ctrl-C ends it\n\ndashboard ended\n"


def test_refused_before_anything_is_loaded(here):
    """A host that others reach is refused without opening a ledger."""
    result = process(
        "dashboard", "--host", EVERYWHERE, code=("-c", GUARD.format(names=("optuna",))), env=PATHS
    )
    assert result.returncode == 2
    assert "--public" in result.stderr
