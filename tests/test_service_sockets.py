# ruff: noqa: E501
"""The service on a real port: what only raw bytes can ask, and senders that take their time."""

import json
import socket
import threading
import time
from contextlib import closing, suppress

import pytest
import uvicorn
from ledgers import build
from service_client import START, limited

from sweep.service.app import open_service
from sweep.service.server import _configuration, listening
from sweep.service.settings import Settings

PATIENCE = 0.6
TRICKS = (
    "/..", "/../", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd",
    "//etc/passwd", "//evil.example/", "///", "/./", "/%2e", "/%00", "/static/%00", "/static/..",
    "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/..%5capp.py",
    "/static/....//app.py", "/static//etc/passwd", "/static/%2fetc%2fpasswd", "/static/",
    "/static/style.css/../../app.py", "/static/service.js%00.css", "/static/%c0%ae%c0%ae/app.py",
    "/static/../api/v1/studies", "/login/../api/v1/studies", "/login/..%2fapi%2fv1%2fstudies",
    "/health/../api/v1/studies", "/health;/api/v1/studies", "/static/..;/api/v1/studies",
    "/api/v1/../../acts", "/API/V1/STUDIES", "/api//v1/studies", "/api/v1//studies",
    "/api/v1/studies/", "/api/v1/studies/..", "/api/v1/studies/%2e%2e/source",
    "/api/v1/studies/..%2f..%2f/source", "/api/v1/studies/%00/source", "/api/v1/studies//source",
    "/api/v1/studies/tiny%2fsource", "/api/v1/studies/tiny%2f..%2fother", "/api/v1/studies/tiny/",
    "/api/v1/studies/tiny/trials.", "/api/v1/studies/tiny/trials.csv%00", "/studies/tiny%00",
    "/api/v1/studies/tiny/trials.json/../source", "/api/v1/studies/%ff%fe/source", "/studies/%",
    "/studies/tiny/report/..", "/studies/tiny/..%2ftiny", "/studies/" + "a" * 5000, "/?x=" + "%00" * 99,
    "/studies/tiny?key=other", "/new?study=..%2f..%2fetc%2fpasswd", "/new?shipped=../../etc/passwd",
    "/new?shipped=%2fetc%2fpasswd", "/new?study=%00", "/new?shipped=%00",
    "http://evil.example/api/v1/studies", "http://evil.example/", "*", "/.git/config", "/.env",
)  # fmt: skip
WORDS_OF_FILES = (b"root:x:", b"def create_app", b"[core]")
"""What stands in files that nobody may read here."""


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The port of a service whose patience is short."""
    path = tmp_path_factory.mktemp("port") / "ledger.db"
    build(path)
    limits = limited(seconds=PATIENCE, requests=10**6, refused=10**6, body=100_000)
    settings = Settings(storage=f"sqlite:///{path}", port=0, workers=0, configuration=limits)
    service = open_service(settings, START)
    listener = listening("127.0.0.1", 0)
    server = uvicorn.Server(_configuration(service))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    service.snapshot.stop()
    thread.join(20)
    listener.close()
    service.ledger.close()
    assert not thread.is_alive()


def connected(port):
    """Return a connection."""
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def head(method, target, *lines, token=START):
    """Return the bytes of a request's head."""
    known = [f"Authorization: Bearer {token}"] if token else []
    said = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1", *known, *lines, "", ""]
    return "\r\n".join(said).encode("latin-1")


def answered(link):
    """Return the status and all else that arrives before the end of the connection."""
    with link:
        had = b""
        with suppress(ConnectionResetError):  # it has not read all that it was sent
            while piece := link.recv(65536):
                had += piece
    return int(had.split(b" ", 2)[1]) if had else None, had


def dripped(link):
    """Send a byte every tenth of a second; return whether the other side has closed."""
    with link:
        for _ in range(200):
            try:
                link.sendall(b"x")
            except OSError:
                return True
            time.sleep(0.1)
    return False


@pytest.mark.parametrize("token", [None, START])
@pytest.mark.parametrize("target", TRICKS)
def test_a_trick_with_the_path(port, target, token):
    """Reaches no file and no defect; without a token not even whether a path exists."""
    link = connected(port)
    link.sendall(head("GET", target, "Connection: close", token=token))
    status, had = answered(link)
    assert 200 <= status < 500
    assert not [each for each in WORDS_OF_FILES if each in had]
    if token is None and not target.startswith("/static/"):
        assert status in (400, 401)
    if token is None:
        assert b"tiny" not in had.partition(b"\r\n\r\n")[2].replace(target.encode(), b"")


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "TRACE", "CONNECT", "get", "G\u00c9T"])
def test_a_trick_with_the_method(port, method):
    """At paths that are near to those that change something."""
    for target in ("/api/v1/studies/tiny/", "//api/v1/studies/tiny", "/api/v1/studies/tiny%2f"):
        link = connected(port)
        link.sendall(head(method, target, "Connection: close"))
        status, _ = answered(link)
        assert 400 <= status < 500
    assert stays(port)


def test_small_answers_are_sent_at_once():
    """Without the protocol's name asyncio leaves Nagle's delay on: 40 ms an answer."""
    with closing(listening("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def stays(port):
    """Return whether the study is there and the service answers."""
    link = connected(port)
    link.sendall(head("GET", "/api/v1/studies", "Connection: close"))
    status, had = answered(link)
    return status == 200 and json.loads(had.partition(b"\r\n\r\n")[2])["total"] == 1


@pytest.mark.parametrize("lines", [
    ("Content-Length: 10", "Content-Length: 20"),
    ("Content-Length: -1",),
    ("Content-Length: 1e3",),
    ("Content-Length: 99999999999999999999",),
    ("Transfer-Encoding: chunked", "Content-Length: 5"),
    ("Transfer-Encoding: gzip",),
    ("Host: evil.example",),
    ("Header without colon",),
    ("X: " + "a" * 100_000,),
])  # fmt: skip
def test_a_head_that_says_two_things(port, lines):
    """Is refused; the next request of another is answered."""
    link = connected(port)
    kind = ("Content-Type: application/json", "Connection: close")
    link.sendall(head("POST", "/api/v1/check", *kind, *lines))
    link.sendall(b"0\r\n\r\n")
    status, _ = answered(link)
    assert status is None or 400 <= status < 500
    assert stays(port)


def test_a_second_request_hides_in_no_body(port):
    """What follows a refused body is not taken for a request."""
    link = connected(port)
    hidden = head("DELETE", "/api/v1/studies/tiny")
    link.sendall(head("POST", "/api/v1/check", "Content-Type: application/json",
                      f"Content-Length: {len(hidden)}", "Connection: close") + hidden)  # fmt: skip
    status, _ = answered(link)
    assert status == 422
    assert stays(port)


def test_a_body_that_does_not_come(port):
    """Is waited for no longer than the limit says."""
    link = connected(port)
    begun = time.monotonic()
    link.sendall(head("POST", "/api/v1/check", "Content-Length: 1000") + b"{")
    status, had = answered(link)
    assert status == 408
    assert b"did not arrive within" in had
    assert time.monotonic() - begun < 10


def test_a_body_that_comes_by_drops(port):
    """Each byte in time, the whole too late: it is cut off all the same."""
    link = connected(port)
    begun = time.monotonic()
    link.sendall(head("POST", "/api/v1/check", "Content-Length: 1000"))
    assert dripped(link)
    assert time.monotonic() - begun < 15


def test_a_head_that_comes_by_drops(port):
    """The connection is closed; so is one that says nothing."""
    for first in (b"", b"GET / HTTP/1.1\r\nX: "):
        link = connected(port)
        begun = time.monotonic()
        link.sendall(first)
        assert answered(link) == (None, b"")
        assert time.monotonic() - begun < 10
    link = connected(port)
    assert dripped(link)


def test_the_second_head_of_a_connection_may_not_drip_either(port):
    """After a request that was answered."""
    link = connected(port)
    link.sendall(head("GET", "/health"))
    assert link.recv(4096).startswith(b"HTTP/1.1 204")
    link.sendall(b"GET / HT")
    begun = time.monotonic()
    assert link.recv(4096) == b""
    assert time.monotonic() - begun < 10
    link.close()


def test_a_stream_outlives_the_limit(port):
    """Its head came in time, and its answer takes as long as it likes."""
    link = connected(port)
    link.sendall(head("GET", "/api/v1/events"))
    begun, had = time.monotonic(), b""
    while time.monotonic() - begun < 4 * PATIENCE + 2:
        had += link.recv(4096)
    assert b"event: studies" in had
    assert had.count(b": still here") >= 1
    link.close()


def test_slow_senders_hold_up_nobody(port):
    """A hundred of them, and another is answered at once."""
    slow = [connected(port) for _ in range(100)]
    for link in slow:
        link.sendall(head("POST", "/api/v1/check", "Content-Length: 1000") + b"{")
    begun = time.monotonic()
    assert stays(port)
    assert time.monotonic() - begun < 5
    for link in slow:
        link.close()
