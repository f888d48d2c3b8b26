"""The dashboard: what is answered, what is refused, and that reading changes nothing."""

from __future__ import annotations

import json
import logging
import re
import shutil
import socket
import struct
import threading
from http.client import HTTPConnection
from pathlib import Path

import commands
import pytest
from commands import sweep
from ledgers import build
from processes import wait_for
from test_dashboard_guard import SECRET, basic

from sweep.dashboard.guard import Guard
from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger

pytest.importorskip("optuna_dashboard", reason="the extra dashboard is not installed")

here = commands.here
REPORT = "<!doctype html><title>mine</title>"


class Answer:
    """What a request got: status, headers, body."""

    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def plain(self):
        return json.loads(self.body)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a ledger with a finished study, ``tiny``, and a stopped one, ``half``, once."""
    path = tmp_path_factory.mktemp("made") / "ledger.db"
    build(path, winner=True)
    build(path, "half", done=1, refit=False)
    return path


@pytest.fixture
def ledger(here, made):
    """Put a copy of that ledger where the commands find it."""
    (here / ".sweep").mkdir()
    return Path(shutil.copy(made, here / ".sweep"))


@pytest.fixture
def serve(ledger):
    """Serve the ledger with ``tiny`` and ``half``; return a function that asks."""
    from sweep.dashboard.app import Dashboard
    from sweep.dashboard.server import listen

    servers, ledgers = [], []

    def start(*, password="", edit=False):
        opened = Ledger(f"sqlite:///{ledger}", create=False, reading=not edit)
        server = listen("127.0.0.1", 0, Dashboard(opened, Guard("127.0.0.1", password, edit)))
        servers.append(server)
        ledgers.append(opened)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

        def ask(method, path, body=None, **headers):
            link = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
            names = {name.replace("_", "-"): value for name, value in headers.items()}
            given = None if body is None else json.dumps(body)
            link.request(method, path, given, {"Content-Type": "application/json", **names})
            try:
                return Answer(link.getresponse())
            finally:
                link.close()

        ask.address = f"http://127.0.0.1:{server.server_port}/"
        return ask

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
    for each in ledgers:
        each.close()


def routes():
    """Return method and an address of every route of the installed optuna-dashboard."""
    import optuna
    from optuna_dashboard import wsgi

    for route in wsgi(optuna.storages.InMemoryStorage()).routes:
        rule = re.sub(r"<:re:[^>]*>", "", route.rule)
        yield route.method, re.sub(r"<\w+(:\w+)?(:[^>]*)?>", "1", rule)


def test_reading_refuses_every_changing_route(serve):
    """Whatever the installed version offers beyond GET is answered 403 with a reason."""
    ask = serve()
    changing = [(method, path) for method, path in routes() if method != "GET"]
    answers = {
        (m, p): ask(m, p, {"study_name": "x", "directions": ["minimize"]}) for m, p in changing
    }
    assert len(answers) > 15
    assert {answer.status for answer in answers.values()} == {403}
    assert all("read-only" in answer.plain["reason"] for answer in answers.values())


def test_an_unknown_method_is_refused(serve):
    """Only GET and HEAD are known to change nothing."""
    ask = serve()
    assert {ask(m, "/api/studies").status for m in ("PATCH", "get", "PROXY", "OPTIONS")} == {403}
    assert ask("HEAD", "/api/studies").status == 200


def test_browsing_leaves_the_ledger_as_it_is(serve, ledger):
    """Every page and every GET route, and not a byte of the file or its folder differs."""
    before, files = ledger.read_bytes(), sorted(ledger.parent.rglob("*"))
    ask = serve()
    asked = [path for method, path in routes() if method == "GET"] + ["/", "/dashboard/studies/2"]
    answers = {path: ask("GET", path, Accept_Encoding="gzip") for path in asked}
    assert answers["/api/studies/1"].plain["best_trials"]
    assert answers["/csv/1"].text.startswith("Number,State,Value")
    assert ledger.read_bytes() == before
    assert sorted(ledger.parent.rglob("*")) == files


def test_the_ledger_itself_refuses_writing(ledger):
    """Were a route to write by GET, the database would not let it."""
    opened = Ledger(f"sqlite:///{ledger}", reading=True)
    with pytest.raises(LedgerError, match="may not be written"):
        opened.update("tiny", planned=99)
    opened.close()


def test_reading_beside_a_writer(ledger):
    """A reader does not wait for a writer's transaction to begin, nor a writer for a reader's."""
    url = f"sqlite:///{ledger}"
    reader, writer = Ledger(url, reading=True), Ledger(url, create=False)
    with writer.storage.engine.begin(), reader.storage.engine.begin() as reading:
        assert reading.exec_driver_sql("SELECT COUNT(*) FROM studies").scalar() == 2
    reader.close()
    writer.close()


def test_editing_where_it_is_allowed(serve, ledger):
    """A study is created and deleted through the dashboard's own routes."""
    ask = serve(edit=True)
    made = ask("POST", "/api/studies", {"study_name": "new", "directions": ["minimize"]})
    assert made.status == 201
    number = made.plain["study_summary"]["study_id"]
    assert ask("DELETE", f"/api/studies/{number}", {}).status == 204
    assert [s["study_name"] for s in ask("GET", "/api/studies").plain["study_summaries"]] == [
        "tiny",
        "half",
    ]


def test_another_site_may_not_edit(serve):
    """A page of another origin is refused, also one that hides its origin; our own passes."""
    ask = serve(edit=True)
    study = {"study_name": "new", "directions": ["minimize"]}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", "http://["):
        answer = ask("POST", "/api/studies", study, Origin=origin)
        assert (answer.status, answer.plain["reason"][:12]) == (403, "Another site")
    own = ask("POST", "/api/studies", study, Host="localhost:8", Origin="http://localhost:8")
    assert own.status == 201


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "", "[", "127.0.0.1.evil"])
def test_a_request_for_another_host_is_refused(serve, host):
    """A name that a stranger lets resolve to this machine opens nothing."""
    answer = serve()("GET", "/", Host=host)
    assert (answer.status, answer.plain["reason"][:25]) == (403, "The request names another")


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:9", "127.0.0.1:8080", "[::1]:8080"])
def test_names_of_this_machine_are_answered(serve, host):
    """Also through a tunnel with another port."""
    assert serve()("GET", "/", Host=host).status == 200


@pytest.mark.parametrize("edit", [False, True])
def test_a_password_is_asked_for_everywhere(serve, edit):
    """Also on loopback: start page, reports, API and the page's own script."""
    ask = serve(password=SECRET, edit=edit)
    for path in ("/", "/reports/tiny.html", "/api/studies", "/static/bundle.js"):
        answer = ask("GET", path)
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")
    assert ask("GET", "/", Authorization=basic(SECRET)).status == 200
    assert ask("GET", "/", Authorization=basic(SECRET, "basic", "")).status == 200


def test_reading_stays_reading_with_a_password(serve):
    """The password lets in; it does not let edit."""
    answer = serve(password=SECRET)("DELETE", "/api/studies/1", {}, Authorization=basic(SECRET))
    assert answer.status == 403


def test_the_start_page_links_reports_and_trials(serve, here):
    """A report where there is one, the dashboard's page for every study."""
    (here / "reports").mkdir()
    (here / "reports" / "tiny.html").write_text(REPORT)
    ask = serve()
    page = ask("GET", "/")
    assert '<a href="/reports/tiny.html">tiny</a>' in page.text
    assert "/reports/half.html" not in page.text
    ids = {
        s["study_name"]: s["study_id"] for s in ask("GET", "/api/studies").plain["study_summaries"]
    }
    assert all(f'href="/dashboard/studies/{number}"' in page.text for number in ids.values())
    assert "Read-only." in page.text
    assert "Editing is allowed." in serve(edit=True)("GET", "/").text


def test_a_report_is_served_alone(serve, here):
    """As HTML, with a policy that keeps its script away from the dashboard."""
    (here / "reports").mkdir()
    (here / "reports" / "tiny.html").write_text(REPORT)
    answer = serve()("GET", "/reports/tiny.html")
    assert (answer.status, answer.text) == (200, REPORT)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/reports/../secret.html",
        "/reports/..%2fsecret.html",
        "/reports/%2e%2e/secret.html",
        "/reports//etc/passwd",
        "/reports/other.html",
        "/reports/half.html",
        "/reports/",
        "/static/..%2f..%2f_app.py",
    ],
)
def test_no_other_file_is_served(serve, here, path):
    """Neither from above the folder, nor a report that belongs to no study of the ledger."""
    (here / "reports").mkdir()
    for name in ("secret.html", "reports/other.html", "reports/tiny.html"):
        (here / name).write_text("hidden")
    answer = serve()("GET", path, Accept_Encoding="gzip")
    assert answer.status in (403, 404)
    assert b"hidden" not in answer.body


@pytest.mark.parametrize("path", ["/", "/dashboard", "/api/studies", "/reports/none.html", "/none"])
def test_every_answer_is_guarded(serve, path):
    """No frame, no guessing of types, no referrer for others; HTML says what it may load."""
    headers = serve()("GET", path).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert path not in ("/", "/dashboard") or "default-src" in headers["Content-Security-Policy"]


def test_artifacts_are_off(serve):
    """Neither down nor, where editing is allowed, up."""
    ask = serve(edit=True)
    assert ask("GET", "/artifacts/1/0a").status == 400
    assert ask("POST", "/api/artifacts/1", {"file": "data:text/plain;base64,YQ=="}).status == 400
    assert ask("GET", "/api/meta").plain["artifact_is_available"] is False


def test_a_ledger_that_goes_away_is_told(serve, ledger):
    """In words, with a status that says so."""
    ask = serve()
    ledger.write_bytes(b"no ledger any more " * 99)
    answer = ask("GET", "/")
    assert answer.status == 503
    assert "not a ledger" in answer.text


def test_hostile_names_stay_text(here, serve):
    """On the start page, and in the file names of their reports."""
    name = '"><script>alert(1)</script>/../x'
    build(here / ".sweep" / "ledger.db", name, done=1)
    page = serve()("GET", "/").text
    assert "<script>alert" not in page
    assert page.count("/dashboard/studies/") == 3


@pytest.mark.parametrize("path", ["/", "/reports/none.html", "/dashboard", "/static/bundle.js"])
def test_head_is_answered_without_a_body(serve, path):
    """As GET is, but for the body: another request on the connection would read it as an answer."""
    ask = serve()
    with socket.create_connection(("127.0.0.1", int(ask.address.rpartition(":")[2][:-1]))) as link:
        link.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head, body = read_all(link).split(b"\r\n\r\n", 1)
    assert body == b""
    length = int(re.search(rb"Content-Length: (\d+)", head)[1])
    answer = ask("GET", path)
    assert (int(head.split()[1]), length) == (answer.status, len(answer.body))


@pytest.mark.parametrize("path", ["/static/bundle.js", "/favicon.ico"])
def test_a_client_that_names_no_encoding_is_answered(serve, path):
    """With the file as it is; optuna-dashboard itself asks for that header."""
    ask = serve()
    with socket.create_connection(("127.0.0.1", int(ask.address.rpartition(":")[2][:-1]))) as link:
        link.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert b" 200 OK\r\n" in read_all(link)[:40]


def read_all(link):
    """Return all that a connection brings until it ends."""
    link.settimeout(20)
    return b"".join(iter(lambda: link.recv(2**16), b""))


def test_connections_that_end_badly_are_no_traceback(serve, capfd, caplog, monkeypatch):
    """Idle, half a request, gone in the middle, an odd query: the terminal stays quiet."""
    monkeypatch.setattr("sweep.dashboard.server.Handler.timeout", 0.2)
    log, ask = logging.getLogger("sweep"), serve()
    place = ("127.0.0.1", int(ask.address.rpartition(":")[2][:-1]))
    monkeypatch.setattr(log, "propagate", True)
    caplog.set_level("INFO", "sweep")
    for said in (b"", b"GET / HT"):
        with socket.create_connection(place) as link:
            link.sendall(said)
            assert read_all(link) == b""
    with socket.create_connection(place) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost:")
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert ask("GET", "/api/studies/1?after=odd").status == 500
    assert wait_for(lambda: "reset by peer" in caplog.text, 20)
    assert "127.0.0.1: 'timed out'" in caplog.text
    assert "invalid literal" in caplog.text
    assert capfd.readouterr().err == ""


@pytest.mark.browser
def test_a_browser_shows_it(browser, serve, here):
    """From the start page to graphs and a report, on a narrow screen, without a complaint."""
    sweep("report", "tiny")
    address, complaints = serve().address, []
    with browser.new_context(viewport={"width": 400, "height": 800}) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 400
        page.get_by_role("link", name="tiny in optuna-dashboard").click()
        page.get_by_role("heading", name="Hyperparameter Importance").wait_for(timeout=20_000)
        page.goto(address)
        page.get_by_role("link", name="tiny", exact=True).click()
        page.get_by_role("button", name="Light / dark").click()
        assert page.locator("html").get_attribute("data-theme") == "dark"
    assert complaints == []
