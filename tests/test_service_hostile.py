"""Many hand-ins at once, studies that are deleted meanwhile, texts as Windows writes them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from anyio.to_thread import current_default_thread_limiter
from ledgers import build
from service_client import START, bearer, opened

from sweep.ledger.ledger import Ledger
from sweep.service import changes, new_study_pages
from sweep.storage.error_messages import working_error

SOURCE = """\
[study]
name = "mine"
[data]
dataset = "digits"
[search]
method = "grid"
cv = 3
[space]
hidden_size = [8, 16]
"""


@pytest.fixture
def asked(tmp_path):
    """A service over two studies, and a client with the start's token."""
    build(tmp_path / "ledger.db", "done", winner=True)
    build(tmp_path / "ledger.db", "waiting", done=0)
    with opened(f"sqlite:///{tmp_path}/ledger.db") as (service, client):
        client.headers |= bearer(START)
        yield service, client


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/api/v1/studies", {"json": {"source": SOURCE}}),
        ("/api/v1/studies/waiting/continue", {}),
        ("/new", {"data": {"source": SOURCE}}),
        ("/studies/waiting/continue", {}),
    ],
)
def test_pages_are_answered_while_many_studies_are_handed_in(asked, monkeypatch, path, sent):
    """Those wait for their turn without a thread; before, they held up everybody."""
    _, client = asked
    go, begun = threading.Event(), threading.Semaphore(0)

    def slow(*_args, **_options):
        begun.release()
        go.wait(30)
        return {"key": "waiting"}

    for each in (changes, new_study_pages):
        monkeypatch.setattr(each, "hand_in", slow)
    monkeypatch.setattr(changes, "_again", slow)
    client.portal.call(_few_threads)
    with ThreadPoolExecutor(11) as people:
        handed = [
            people.submit(client.post, path, follow_redirects=False, **sent) for _ in range(10)
        ]
        try:
            while begun.acquire(timeout=1):
                pass  # until no further one begins
            assert people.submit(client.get, "/api/v1/me").result(10).status_code == 200
        finally:
            go.set()
        assert {each.result().status_code for each in handed} <= {200, 201, 303}


def _few_threads():
    current_default_thread_limiter().total_tokens = 8


@pytest.mark.parametrize("act", ["continue", "retry", "stop"])
def test_a_study_that_is_deleted_meanwhile_is_not_found(asked, monkeypatch, act):
    """That is no defect of the server."""
    _, client = asked
    assert client.get("/api/v1/studies/waiting").status_code == 200
    real = Ledger.study_id
    monkeypatch.setattr(
        Ledger, "study_id", lambda self, name: 99 if name == "waiting" else real(self, name)
    )
    answer = client.post(f"/api/v1/studies/waiting/{act}")
    assert answer.status_code == 404
    assert "deleted meanwhile" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("database is locked", 503),
        ("database or disk is full", 503),
        ("violates foreign key constraint", 404),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/studies", "/api/v1/studies/waiting/stop"])
def test_a_ledger_that_cannot_be_written_is_not_the_asker_s_fault(
    asked, monkeypatch, path, said, status
):
    """503, so that programs try again; what was deleted under the database's eyes is gone."""
    _, client = asked

    def fails(*_args, **_options):
        raise working_error(RuntimeError(said), "ledger")

    monkeypatch.setattr(changes.actions, "stop", fails)
    monkeypatch.setattr("sweep.study.submit.submit_study", fails)
    assert client.post(path, json={"source": SOURCE}).status_code == status


@pytest.mark.parametrize("dataset", [".", ".uploads/about", "../data/.uploads/about"])
def test_what_the_server_keeps_beside_uploads_is_no_dataset(asked, tmp_path, dataset):
    """Nor are all uploads together; the answer has no path of the server."""
    _, client = asked
    (tmp_path / "data" / ".uploads" / "about").mkdir(parents=True)
    answer = client.post(
        "/api/v1/check", json={"source": SOURCE.replace('"digits"', f'"{dataset}"')}
    )
    assert answer.status_code == 422
    assert "no dataset" in answer.json()["problems"][0]["message"]
    assert str(tmp_path) not in answer.text


def test_a_file_of_arrays_that_is_cut_off_is_refused_with_its_own_remedy(asked):
    """It is no folder of pictures that could be packed again."""
    _, client = asked
    answer = client.post("/api/v1/data/uploads?name=cut.npz", content=b"PK\x03\x04 cut off")
    assert answer.status_code == 422
    assert "numpy.savez" in answer.json()["problems"][0]["message"]


def test_a_text_with_a_byte_order_mark_is_read(asked):
    """As `sweep run` reads the file."""
    _, client = asked
    answer = client.post("/api/v1/check", json={"source": "\ufeff" + SOURCE})
    assert answer.status_code == 200, answer.text
    file = {"file": ("s.toml", b"\xef\xbb\xbf" + SOURCE.encode())}
    assert "\ufeff" not in client.post("/new", files=file).text
