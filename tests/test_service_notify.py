"""Whom a server tells that a study has ended: a command, an HTTP address; once."""

import json
import logging
import sys
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from ledgers import build, winner_of
from service_client import opened

from sweep.analysis import best
from sweep.errors import ServiceError
from sweep.ledger.ledger import Ledger
from sweep.ledger.overview import StudyOverview
from sweep.service import notify, senders
from sweep.service.notify import End, Ends, Notifier
from sweep.service.senders import SendError, post, run_command
from sweep.service.settings import Configuration, read_configuration

GOING = StudyOverview(
    "mine", "grid", "running", 3, 6, 0, 0.9, "2026-03-02", test_opened=False, left="cells"
)
UNREFITTED = replace(GOING, status="finished", done=6, left="refit")
FINISHED = replace(UNREFITTED, left="")
STOPPED = replace(GOING, status="stopped")


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent; answers with the next of its statuses, then 200."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.had.append(json.loads(body))
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def receiver():
    """A local HTTP server that keeps what it is sent."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.had, server.statuses = [], []
    server.url = f"http://127.0.0.1:{server.server_port}/hook/secret"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def quick(monkeypatch):
    """Have nothing wait."""
    monkeypatch.setattr(notify, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(notify, "SETTLE_SECONDS", 0.1)
    monkeypatch.setattr(senders, "PAUSE_SECONDS", 0.01)


def found(first, *later, stopped=True):
    """Return the ends that are told while copies follow each other, two seconds apart."""
    ends = Ends([first], lambda _: stopped)
    return [
        (end.study, end.state)
        for at, each in enumerate(later)
        for end in ends.new([each], 2.0 * at)
    ]


def test_an_end_is_found_once():
    """After it has held for a while."""
    assert found(GOING, FINISHED) == []
    assert found(GOING, *[FINISHED] * 6) == [("mine", "finished")]


def test_what_had_ended_before_is_not_told():
    """A server that starts beside old studies is quiet."""
    assert found(FINISHED, *[FINISHED] * 6) == []


def test_a_moment_between_two_cells_is_no_end():
    """No worker holds a cell for a second."""
    assert found(GOING, STOPPED, GOING, STOPPED, GOING, STOPPED) == []


def test_a_study_that_goes_on_ends_again():
    """It was continued."""
    told = found(GOING, *[STOPPED] * 4, GOING, *[FINISHED] * 4)
    assert told == [("mine", "stopped"), ("mine", "finished")]


def test_cells_that_wait_are_no_end():
    """Nobody has asked for a stop: a worker will come."""
    assert found(GOING, *[STOPPED] * 6, stopped=False) == []


def test_an_end_comes_after_the_refit_and_the_outer_folds():
    """One that is stopped before that is stopped, not finished."""
    folds = replace(UNREFITTED, left="outer folds")
    going = [*[UNREFITTED] * 4, *[folds] * 4]
    assert found(GOING, *going, *[FINISHED] * 4, stopped=False) == [("mine", "finished")]
    assert found(GOING, *going, stopped=False) == []
    assert found(GOING, *[folds] * 4) == [("mine", "stopped")]


def test_an_end_without_a_score_has_failed():
    """All cells failed."""
    failed = replace(FINISHED, failed=6, best=None)
    assert found(GOING, *[failed] * 4) == [("mine", "failed")]


def test_a_new_study_that_ends_at_once_is_told():
    """It was not there when the server started."""
    ends = Ends([], lambda _: True)
    assert [end.state for at in (0, 2, 4) for end in ends.new([FINISHED], at)] == ["finished"]


@contextmanager
def notifying(storage, **how):
    """Yield a service whose notifier runs."""
    settings = Configuration.model_validate({"notify": how})
    with opened(storage, configuration=settings) as (service, _):
        notifier = Notifier(service.settings, service.ledger, service.snapshot, "http://here")
        notifier.start()
        try:
            yield service
        finally:
            notifier.stop()
            notifier._thread.join(10)


def wait_for(condition):
    """Wait until a condition holds."""
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)
    assert condition()


def test_an_address_gets_what_has_ended(tmp_path, receiver, quick):
    """With owner, score, interval and link; what had ended before is not told."""
    path = tmp_path / "l.db"
    build(path, "old", winner=True)
    with notifying(f"sqlite:///{path}", url=receiver.url):
        build(path, "a name/of mine", winner=True)
        wait_for(lambda: receiver.had)
        time.sleep(0.5)
    (told,) = receiver.had
    assert (told["study"], told["status"]) == ("a name/of mine", "finished")
    assert told["link"].startswith("http://here/studies/a-name-of-mine")
    assert told["best"] == pytest.approx(0.9, abs=0.1)
    low, high = told["interval"]
    assert low < told["best"] < high
    assert told["test_score"] == 0.9306
    assert set(told) == {
        "study", "status", "owner", "done", "planned", "failed_cells", "best", "interval",
        "params", "test_score", "link",
    }  # fmt: skip


def test_a_study_is_told_when_its_winner_is_refitted(tmp_path, receiver, quick):
    """With its test score; not when its last cell has ended. Without a refit there is no score."""
    path = tmp_path / "l.db"
    with notifying(f"sqlite:///{path}", url=receiver.url) as service:
        record = build(path, "mine")
        build(path, "closed", refit=False)
        wait_for(lambda: receiver.had)
        time.sleep(0.6)
        assert [(each["study"], each["test_score"]) for each in receiver.had] == [("closed", None)]
        service.ledger.set_winner("mine", winner_of(best(record)))
        wait_for(lambda: len(receiver.had) == 2)
    assert (receiver.had[1]["study"], receiver.had[1]["test_score"]) == ("mine", 0.9306)


def test_a_stopped_study_is_told(tmp_path, receiver, quick):
    """Once its stop was asked for; before, its cells only wait."""
    path = tmp_path / "l.db"
    with notifying(f"sqlite:///{path}", url=receiver.url) as service:
        build(path, "half", done=1)
        time.sleep(0.6)
        assert receiver.had == []
        service.ledger.stop("half", "2026-03-02T10:00:00+00:00")
        wait_for(lambda: receiver.had)
    assert [each["status"] for each in receiver.had] == ["stopped"]


def test_a_failed_study_is_told(tmp_path, receiver, quick):
    """Without a score."""
    path = tmp_path / "l.db"
    with notifying(f"sqlite:///{path}", url=receiver.url):
        build(path, failed=range(6))
        wait_for(lambda: receiver.had)
    assert (receiver.had[0]["status"], receiver.had[0]["best"]) == ("failed", None)


def test_only_the_ends_that_are_asked_for(tmp_path, receiver, quick):
    """``on`` chooses."""
    path = tmp_path / "l.db"
    with notifying(f"sqlite:///{path}", url=receiver.url, on=["failed"]):
        build(path, "good", winner=True)
        build(path, "bad", failed=range(6))
        wait_for(lambda: receiver.had)
        time.sleep(0.5)
    assert [each["study"] for each in receiver.had] == ["bad"]


def test_two_servers_tell_it_once(tmp_path, receiver, quick):
    """What was told is kept in the ledger, so neither does the next server."""
    storage = f"sqlite:///{tmp_path / 'l.db'}"
    with notifying(storage, url=receiver.url), notifying(storage, url=receiver.url):
        build(tmp_path / "l.db", winner=True)
        wait_for(lambda: receiver.had)
        time.sleep(0.5)
    assert len(receiver.had) == 1
    with opened(storage) as (service, _):
        again = Notifier(service.settings, service.ledger, service.snapshot, "")
        overview = service.snapshot.copy.by_name["tiny"]
        assert again._claim(notify.end_of(overview)) is False
        assert again._claim(End("tiny", "finished", "another")) is True


def test_an_end_that_comes_while_no_server_runs_is_told_by_the_next(tmp_path, receiver, quick):
    """Once; what had ended before the first one is not."""
    path = tmp_path / "l.db"
    storage = f"sqlite:///{path}"
    build(path, "old", winner=True)
    with notifying(storage, url=receiver.url) as service:
        record = build(path, "mine")
        wait_for(lambda: "mine" in watched(service))
    with closing(Ledger(storage)) as ledger:
        ledger.set_winner("mine", winner_of(best(record)))
    with notifying(storage, url=receiver.url):
        wait_for(lambda: receiver.had)
    with notifying(storage, url=receiver.url):
        time.sleep(0.6)
    assert [each["study"] for each in receiver.had] == ["mine"]


def watched(service):
    """Return the studies whose ends are awaited."""
    return Notifier(service.settings, service.ledger, service.snapshot, "")._watched_before()


def test_a_command_gets_it_on_standard_input(tmp_path, quick):
    """Its words are its own: no shell reads them."""
    into = tmp_path / "told $(touch x); it"
    copy = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    with notifying(
        f"sqlite:///{tmp_path / 'l.db'}", command=[sys.executable, "-c", copy, str(into)]
    ):
        build(tmp_path / "l.db", winner=True)
        wait_for(lambda: into.is_file() and into.read_text().endswith("\n"))
    assert json.loads(into.read_text())["status"] == "finished"


def test_a_failure_is_said_and_not_fatal(tmp_path, receiver, quick, caplog, monkeypatch):
    """The next end is told; the log does not hold the path of the address."""
    monkeypatch.setattr(logging.getLogger("sweep"), "propagate", True)
    receiver.statuses = [404]
    path = tmp_path / "l.db"
    command = [sys.executable, "-c", "raise SystemExit('no mail today')"]
    with notifying(f"sqlite:///{path}", url=receiver.url, command=command):
        build(path, "first", winner=True)
        wait_for(lambda: "404" in caplog.text)
        build(path, "second", winner=True)
        wait_for(lambda: len(receiver.had) == 2)
    assert "no mail today" in caplog.text
    assert "http://127.0.0.1 answered 404" in caplog.text
    assert "secret" not in caplog.text


def test_an_address_that_is_away_is_tried_again(receiver, quick):
    """Three times; a refusal is not repeated."""
    receiver.statuses = [503, 500]
    post(receiver.url, "{}", 5)
    assert len(receiver.had) == 3
    receiver.statuses = [503] * 3
    with pytest.raises(SendError, match="503"):
        post(receiver.url, "{}", 5)
    receiver.statuses = [403]
    with pytest.raises(SendError, match="403"):
        post(receiver.url, "{}", 5)
    assert len(receiver.had) == 7


def test_no_other_address_is_followed(receiver, quick):
    """A redirection is an answer like another: it is a failure."""
    receiver.statuses = [302]
    with pytest.raises(SendError, match="302"):
        post(receiver.url, "{}", 5)
    assert len(receiver.had) == 1


def test_nobody_there(quick):
    """Said with the host."""
    with pytest.raises(SendError, match=r"http://127.0.0.1 was not reached: .*refused"):
        post("http://127.0.0.1:9/secret", "{}", 2)


def test_a_receiver_that_never_answers(quick, monkeypatch):
    """Holds nobody longer than the time it has."""
    import socket

    monkeypatch.setattr(senders, "TRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(SendError, match="timed out"):
            post(f"http://127.0.0.1:{silent.getsockname()[1]}/", "{}", 0.3)
    assert time.monotonic() - begun < 5


def test_a_command_that_hangs_is_ended(tmp_path):
    """With what it has started."""
    mark = tmp_path / "late"
    line = f"(sleep 2; touch {mark}) & sleep 30"
    begun = time.monotonic()
    with pytest.raises(SendError, match=r"more than 0.5 seconds"):
        run_command(["sh", "-c", line], "{}", 0.5)
    assert time.monotonic() - begun < 5
    time.sleep(2.2)
    assert not mark.exists()


def test_a_command_that_is_not_there():
    """Said with its name."""
    with pytest.raises(SendError, match="'nobody-here' cannot be started"):
        run_command(["nobody-here"], "{}", 1)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('url = "ftp://here/x"', "notify.url: .*http://"),
        ('url = "http:///x"', "notify.url: .*name a host"),
        ('url = "file:///etc/passwd"', "notify.url"),
        ('on = ["finished", "began"]', "notify.on.1"),
        ("seconds = 0", "notify.seconds"),
        ('command = "mail me"', "notify.command"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path, lines, said):
    """Is said with its place."""
    path = tmp_path / "server.toml"
    path.write_text(f"[notify]\n{lines}\n")
    with pytest.raises(ServiceError, match=said):
        read_configuration(path)


def test_a_study_file_notifies_nobody(tmp_path):
    """The section is unknown there."""
    from sweep.spec import read_study_text

    source = '[study]\nname = "a"\n[data]\ndataset = "digits"\n[space]\nepochs = [1]\n[notify]\n'
    with pytest.raises(Exception, match="notify"):
        read_study_text(source + 'command = ["touch", "x"]\n')


def test_nobody_to_tell(tmp_path):
    """No thread is started."""
    with notifying_nobody(tmp_path) as notifier:
        assert not notifier._thread.is_alive()


@contextmanager
def notifying_nobody(tmp_path):
    """Yield a started notifier without a receiver."""
    with opened(f"sqlite:///{tmp_path / 'l.db'}") as (service, _):
        notifier = Notifier(service.settings, service.ledger, service.snapshot, "")
        notifier.start()
        yield notifier
