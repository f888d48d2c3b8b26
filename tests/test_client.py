"""``sweep.connect``: studies of a server in Python, as those of a ledger."""

import io
import json
import zipfile

import pytest
from ledgers import build, sections, stop
from pandas.testing import assert_frame_equal
from server_process import served

import sweep
from sweep.client.address import ServerAddress, server_address
from sweep.client.downloads import unpack
from sweep.client.watching import watch
from sweep.errors import ServiceError, StudyFileError, StudyNotFoundError
from sweep.ledger.ledger import Ledger
from sweep.ledger.study_folders import study_folder
from sweep.runner.progress import Watcher
from sweep.study.answers.studies import list_studies


@pytest.fixture(scope="module")
def served_studies(tmp_path_factory):
    """A server without workers over two studies."""
    path = tmp_path_factory.mktemp("server") / "ledger.db"
    build(path, winner=True)
    build(path, "half", done=1, refit=False)
    stop(path, "half")
    with served(f"sqlite:///{path}", "--workers", "0") as found:
        yield found


@pytest.fixture
def server(served_studies):
    """A connection to it."""
    found = sweep.connect(served_studies.printed)
    yield found
    found.connection.close()


def test_a_study_of_a_server_is_that_of_a_ledger(server, served_studies):
    """Its tables, its choice, its pivots."""
    here, there = sweep.open_study("tiny", served_studies.storage), server.study("tiny")
    assert isinstance(there, sweep.StudyResult)
    assert there.record == here.record
    assert_frame_equal(there.frame, here.frame)
    assert_frame_equal(there.folds, here.folds)
    assert there.best_params_ == here.best_params_
    assert there.test_score_ == here.test_score_ is not None
    pivots = (each.pivot("epochs", "hidden_size").mean for each in (there, here))
    assert_frame_equal(*pivots)
    assert repr(there) == f"<StudyResult 'tiny': finished, 3 of 3 cells at {server.url}>"


def test_a_report_has_the_pictures_of_the_server(server, served_studies, tmp_path, monkeypatch):
    """They are fetched, and looked for in the copy whatever folder the person has set."""
    ledger = Ledger(served_studies.storage)
    ledger.update("half", uid="0123456789ab")
    folder = study_folder(ledger, "half")
    ledger.close()
    folder.mkdir(parents=True)
    (folder / "data-pictures.npz").write_bytes(_pictures())
    (folder / "secret.txt").write_text("not a file of a study", "utf-8")
    (folder / "link.npz").symlink_to(folder / "secret.txt")
    here = sweep.open_study("half", served_studies.storage).report(tmp_path / "here.html")
    monkeypatch.setenv("SWEEP_ARTIFACTS", str(tmp_path))
    study = server.study("half")
    there = study.report(tmp_path / "there.html")
    assert "data:image/png" in here.read_text("utf-8")
    assert there.read_text("utf-8") == here.read_text("utf-8")
    names = {each.name for each in folder.parent.parent.rglob("*")}
    assert {"secret.txt", "link.npz"} <= names
    assert sorted(_files_of(server, "half")) == ["data-pictures.npz"]


def _pictures():
    """A file with pictures of a study's data."""
    import numpy as np

    file = io.BytesIO()
    np.savez_compressed(file, **{
        "training:images": np.arange(128, dtype=np.uint8).reshape(2, 8, 8),
        "training:true": np.array([0, 1]), "training:predicted": np.array([], int),
        "training:confidence": np.array([], float),
    })  # fmt: skip
    return file.getvalue()


def _files_of(server, key):
    file = io.BytesIO()
    server.connection.download(f"/studies/{key}/files", file)
    return zipfile.ZipFile(file).namelist()


def test_all_studies_are_listed(server, served_studies):
    """Oldest first, in as many requests as it takes."""
    here = [(each.name, each.done, each.best) for each in list_studies(served_studies.storage)]
    there = [(each.name, each.done, each.best) for each in server.studies()]
    assert there == here
    assert server.names() == ["tiny", "half"]
    tiny, half = map(repr, server.studies())
    assert tiny.startswith("<StudyOverview 'tiny': finished, 3 of 3 cells, best 0.")
    assert half.startswith("<StudyOverview 'half': ")


def test_a_list_in_pages_is_whole(server, monkeypatch):
    """A server gives so many at once."""
    monkeypatch.setattr("sweep.client.server.PAGE", 1)
    assert server.names() == ["tiny", "half"]


def test_a_study_is_handed_in_and_taken_back(server):
    """From a file, a mapping or a shipped study; each comes back as a result."""
    found = server.submit(sections("by mapping"))
    assert (found.name, found.record.done, found.record.planned) == ("by mapping", 0, 3)
    assert server.stop("by mapping").requested
    assert server.delete("by mapping") == []
    with pytest.raises(StudyNotFoundError, match="no study named 'by mapping' at http"):
        server.study("by mapping")


def test_a_check_gives_the_plan(server):
    """Nothing is handed in."""
    plan = server.check("digits-grid")
    assert (plan["study"], plan["status"], plan["minutes"]) == ("digits-grid", "new", None)
    assert "digits-grid" not in server.names()


def test_problems_of_a_study_are_those_of_a_file(server):
    """With their places."""
    study = sections("bad")
    study["data"]["dataset"] = "none.npz"
    with pytest.raises(StudyFileError) as caught:
        server.submit(study)
    assert [place for place, _, _ in caught.value.places] == ["data.dataset"]


def test_a_comparison_of_the_api_is_that_of_the_command(server, served_studies):
    """By the addresses of the studies."""
    from sweep.study.answers.comparison import comparison, plain_comparison
    from sweep.support.spreadsheet import json_value

    names = ("tiny", "half")
    records = [sweep.open_study(name, served_studies.storage).record for name in names]
    here = json_value(plain_comparison(comparison(records, records[1])))
    assert server.connection.get("/compare", key=names, baseline="half") == here


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:1", "http://127.0.0.1:1/?token=x"])
def test_a_connection_is_tried_at_once(wrong):
    """So that a wrong address is told where it is given."""
    with pytest.raises(ServiceError, match="no server answers there"):
        sweep.connect(wrong)


def test_a_wrong_token_is_told_at_once(served_studies):
    """Without showing it."""
    with pytest.raises(ServiceError, match="the token is refused") as caught:
        sweep.connect(served_studies.url, token="not-a-token")  # noqa: S106 - it is none
    assert "not-a-token" not in str(caught.value)


def test_an_address_is_read(monkeypatch):
    """The token is taken out of it; one that is given goes before, one of the environment after."""
    assert server_address("http://h:80/a/?token=t0") == ServerAddress("http://h:80/a", "t0")
    assert server_address("https://h/?token=t0", "t1") == ServerAddress("https://h", "t1")
    monkeypatch.setenv("SWEEP_TOKEN", "t2")
    monkeypatch.setenv("SWEEP_SERVER", "http://h:80")
    assert server_address() == ServerAddress("http://h:80", "t2")
    assert "t2" not in repr(server_address())
    assert server_address("http://h?token=t0") == ServerAddress("http://h", "t0")


@pytest.mark.parametrize("name", ["../out.npz", "/out.npz", "a/b.npz", "c:\\x", ".."])
def test_a_zip_that_leads_out_of_its_folder_is_refused(name, tmp_path):
    """Nothing of it is kept."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("good.npz", b"1")
        archive.writestr(name, b"2")
    (tmp_path / "in").mkdir()
    with pytest.raises(ServiceError, match="nothing was kept"):
        unpack(file, tmp_path / "in")
    assert list(tmp_path.rglob("*.npz")) == []


class Scripted:
    """A connection that gives prepared answers, then the last one again."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    def get(self, path, **params):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def state(status, left="cells", **details):
    """What a server says of a study."""
    standing = {"done": 0, "planned": 3, "failed": 0, "best": None}
    return {"number": 1, "status": status, "stopped": False, "left": left, "finishing": False,
            "standing": standing, **details}  # fmt: skip


class Seen(Watcher):
    """Keeps what it is told."""

    def __init__(self):
        self.phases, self.said, self.lefts, self.ended = [], [], [], False

    def update(self, progress):
        self.phases.append(progress.phase)
        self.lefts.append(progress.seconds_left)

    def say(self, message):
        self.said.append(message)

    def end(self, progress):
        self.ended = True


RUNNING = {
    "trial": 4, "params": {"epochs": 5}, "split": 1, "epoch": 2, "epochs": 5,
}  # fmt: skip


@pytest.fixture
def quick(monkeypatch):
    """Do not wait between two questions."""
    monkeypatch.setattr("sweep.client.watching.time.sleep", lambda seconds: None)


@pytest.mark.usefixtures("quick")
def test_a_study_is_watched_to_its_end():
    """Through waiting, training and the refit; the seconds left are the server's."""
    seen = Seen()
    asked = Scripted(
        state("waiting"), state("running", phase="searching", seconds_left=9, running=[RUNNING]),
        state("finished", "refit", phase="refitting"), state("finished", "refit", finishing=True),
        state("finished", ""),
    )  # fmt: skip
    watch(asked, "tiny", seen)
    assert seen.phases == ["searching", "refitting", "refitting", "waiting"]
    assert seen.lefts[0] == 9
    assert seen.ended


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "last",
    [state("stopped", stopped=True), state("damaged"), state("finished", "")],
    ids=["stopped", "damaged", "finished"],
)
def test_the_watching_ends_where_nothing_goes_on(last):
    """Whoever stops the study, or whatever damages it."""
    asked = Scripted(state("running"), state("stopped"), last)
    watch(asked, "tiny")
    assert asked.asked == 3


@pytest.mark.usefixtures("quick")
def test_a_refit_that_nobody_does_ends_the_watching(monkeypatch):
    """After a moment, for a worker may come to it yet."""
    monkeypatch.setattr("sweep.client.watching.IDLE_SECONDS", 0.0)
    asked = Scripted(state("running"), state("finished", "refit"))
    watch(asked, "tiny")
    assert asked.asked > 2


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_restarted_is_waited_for():
    """It is told once, and once that the server is back."""
    from sweep.client.connection import AwayError

    seen, away = Seen(), AwayError("http://h: no server answers there", "start one")
    watch(
        Scripted(state("running"), away, away, state("running"), state("finished", "")), "x", seen
    )
    assert seen.said == [
        "http://h: no server answers there; waiting for it; the study goes on when it is back",
        "the server is back; the study goes on",
    ]


@pytest.mark.parametrize(
    ("status", "body", "away", "said"),
    [
        (
            503,
            {"detail": "The server is stopping; try again."},
            True,
            "The server is stopping",
        ),
        (502, None, True, "the server is away or has too much to do (status 502); try again"),
        (500, None, False, "the server failed (status 500); its log may say more"),
        (404, None, False, "what answers there is no server of sweep (status 404)"),
        (404, {"detail": "Not Found"}, False, "without the path of a page"),
    ],
)
def test_an_answer_that_is_no_result_is_told(monkeypatch, status, body, away, said):
    """A server that fails or stops is one of sweep, and may be back soon."""
    from sweep.client import connection as module

    problem = {"content-type": "application/problem+json"}
    answer = module.httpx.Response(
        status, headers=problem if body else {}, text=json.dumps(body) if body else "Error"
    )
    asked = module.Connection(ServerAddress("http://h:1", None))
    monkeypatch.setattr(asked._client, "request", lambda *_, **__: answer)
    with pytest.raises(ServiceError) as caught:
        asked.get("/studies")
    assert said in str(caught.value)
    assert isinstance(caught.value, module.AwayError) == away


def test_a_study_that_has_ended_is_not_watched():
    """A display is told of nothing, and the command says so."""
    seen = Seen()
    watch(Scripted(state("finished", "")), "tiny", seen)
    assert not seen.ended
