"""``sweep serve`` from the command line: what is refused, and from start to end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import commands
import pytest
from commands import ROOT, sweep

here, ledger = commands.here, commands.ledger
EVERYWHERE = "0.0.0.0"  # noqa: S104
SOON = 30


@pytest.fixture
def never_served(monkeypatch):
    """Let a command that should be refused end at once if it is not."""
    monkeypatch.setattr("sweep.service.server._Server.run", commands.broken)
    monkeypatch.setattr("sweep.service.worker_pool.WorkerPool.start", commands.broken)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", EVERYWHERE), "--public"),
        (("--host", "192.0.2.1", "--public"), "'192.0.2.1' is no address of this machine"),
        (("--root-path", "sweep"), "--root-path: must begin with /"),
        (("--root-path", "/a/../b"), "--root-path: must begin with /"),
        (("--root-path", "/a b"), "--root-path: must begin with /"),
        (("--root-path", "//evil.example"), "--root-path: must begin with /"),
        (("--name", "https://sweep.example"), "--name: must be a host name alone"),
        (("--name", "sweep.example:8080"), "--name: must be a host name alone"),
        (("--config", "nowhere.toml"), "--config: nowhere.toml cannot be read as TOML"),
        (("--config", "broken.toml"), "--config: broken.toml cannot be read as TOML"),
        (("--config", "wrong.toml"), "wrong.toml: notify.url: .*must begin with http://"),
        (("--port", "70000"), "--port"),
        (("--workers", "-1"), "--workers"),
        (("--at-once", "0"), "--at-once"),
        (("--storage", "postgres:/x:pa55-w0rd@z"), "looks like a database address"),
        (("token", "add", "ann", "--role", "root"), "--role"),
        (("token", "add", ""), "must be 1 to 64 printable characters"),
        (("token", "revoke", "nobody"), "no valid token named 'nobody'; there are: none"),
    ],
)
def test_what_is_refused(here, never_served, words, said):
    """With status 2 and one message; nothing has listened."""
    Path("broken.toml").write_text("[limits")
    Path("wrong.toml").write_text('[notify]\nurl = "mailto:me"\n')
    result = sweep("serve", *words)
    assert result.exit_code == 2
    assert re.search(said, result.stderr)
    assert result.stderr.lower().count("error: ") == 1
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_a_port_in_use(here, never_served):
    """Is told with the remedy."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = sweep("serve", "--port", port, "--workers", 0)
    assert result.exit_code == 2
    assert f"--port: {port} is in use" in result.stderr


def test_several_mistakes_are_told_at_once(here, never_served):
    """Each on a line."""
    result = sweep("serve", "--host", EVERYWHERE, "--root-path", "x", "--name", "a b")
    assert result.exit_code == 2
    assert all(word in result.stderr for word in ("--public", "--root-path", "--name"))


@contextmanager
def served(*words, before=()):
    """Yield a running server, its port and its token."""
    running = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "sweep", *before, "serve",
         "--port", "0", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        said = running.stdout.readline()
        port, token = re.search(r"http://127\.0\.0\.1:(\d+)\S*/\?token=(\S+)", said).groups()
        yield running, int(port), token
    finally:
        running.kill()
        running.communicate()


def ask(port, method, path, token, body=None):
    """Return status and body of an answer."""
    link = HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    link.request(method, path, body, headers)
    answer = link.getresponse()
    found = answer.status, answer.read().decode()
    link.close()
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(ledger, number):
    """Within seconds, with status 0, also while a stream is open and a request is half sent."""
    with served("--workers", "0") as (running, port, token):
        stream = HTTPConnection("127.0.0.1", port, timeout=60)
        stream.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {token}"})
        assert stream.getresponse().status == 200
        half = socket.create_connection(("127.0.0.1", port))
        half.sendall(b"POST /api/v1/check HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Le")
        begun = time.monotonic()
        running.send_signal(number)
        out, err = running.communicate(timeout=SOON)
        assert time.monotonic() - begun < SOON / 2
        stream.close()
        half.close()
    assert (running.returncode, out) == (0, "")
    assert err.endswith("service ended\n")
    assert "Traceback" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_its_workers_leave_with_it(ledger):
    """No process of its own is left."""
    with served("--workers", "1", "--storage", str(ledger)) as (running, port, token):
        assert ask(port, "GET", "/api/v1/me", token)[0] == 200
        workers = agents(running.pid)
        assert workers
        running.terminate()
        running.communicate(timeout=2 * SOON)
        until = time.monotonic() + SOON
        while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < until:
            time.sleep(0.1)
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    assert running.returncode == 0


def agents(parent):
    """Return the processes that a process has started."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            held = (each / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(held[1]) == parent:
            found.append(int(each.name))
    return found


def test_the_log_says_who_did_what(ledger):
    """Acts go to --log-file with the token's name; no token does."""
    made = sweep("serve", "token", "add", "ann", "--role", "admin").stdout.strip()
    with served("--workers", "0", before=("--log-file", "serve.log")) as (running, port, token):
        status, _ = ask(port, "POST", "/api/v1/studies/half/stop", made)
        assert status == 200
        assert ask(port, "DELETE", "/api/v1/studies/tiny", token)[0] == 200
        running.terminate()
        running.communicate(timeout=SOON)
    log = Path("serve.log").read_text()
    assert "ann: stop 'half'" in log
    assert re.search(r"\S+: delete 'tiny'", log)
    assert made not in log
    assert token not in log
    said = sweep("serve", "token", "list").stdout
    assert re.search(r"ann\tadmin\tvalid\tmade \d{4}-\d\d-\d\d \d\d:\d\d by ", said)
    assert made not in said


def test_it_runs_under_a_path_of_a_proxy(here):
    """The proxy takes the path off; addresses in pages have it."""
    with served("--workers", "0", "--root-path", "/sweep") as (running, port, token):
        assert ask(port, "GET", "/api/v1/me", token)[0] == 200
        status, page = ask(port, "GET", "/", token)
        assert status == 200
        assert 'href="/sweep/static/style.css"' in page
        assert ask(port, "GET", "/static/style.css", "none")[0] == 200
        assert running.stderr.readline().startswith("no worker on this machine")
