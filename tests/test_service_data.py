"""Data of the service: what can be named, uploads, who may delete them."""

import json
import os
import shutil
import time
import zipfile
from types import SimpleNamespace

import anyio
import numpy as np
import pytest
from service_client import BASE, START, bearer, limited, opened
from uploads import (
    classes,
    encrypted,
    labelled,
    link,
    npz,
    packed,
    png,
    read_with_pillow,
    renamed,
    without_name,
)

from sweep.datasets import load_dataset
from sweep.service.acts import acts
from sweep.service.dataset_reader import read_here, read_in_new_process
from sweep.service.handing_in import uploads_folder
from sweep.service.known_data import KnownDataset, Readings
from sweep.service.settings import Limits
from sweep.service.token_commands import add_token
from sweep.service.uploads import PARTS, Receiver, name_from_file
from sweep.service.zip_entries import UploadError, entries
from sweep.storage.locations import mapped_folder

DATA, UPLOADS = "/api/v1/data", "/api/v1/data/uploads"
SOURCE = """\
[study]
name = "mine"
[data]
dataset = "{}"
[model]
factory = "mlp"
[search]
method = "grid"
cv = 2
[space]
epochs = [1, 2]
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch, tmp_path):
    """Keep away the person's data, and read datasets in this process and without TensorFlow."""
    monkeypatch.delenv("SWEEP_DATA_HOME", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    for module in ("uploads", "known_data"):
        monkeypatch.setattr(f"sweep.service.{module}.read_in_new_process", read_here)
    monkeypatch.setattr("sweep.datasets.picture_rows.read_pictures", read_with_pillow)


@pytest.fixture
def storage(tmp_path):
    """Return the address of a ledger to be made."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def asked(storage):
    """A service, a client, and the headers of a reader, two who submit, and the admin."""
    with opened(storage) as (service, client):
        yield people(service, client, storage)


def people(service, client, storage):
    """Return a service with the headers of those who ask."""
    made = {name: bearer(add_token(storage, name, role)) for name, role in ROLES.items()}
    folder = uploads_folder(service.settings)
    return SimpleNamespace(
        service=service, client=client, folder=folder, admin=bearer(START), **made
    )


@pytest.fixture(scope="module")
def careful(tmp_path_factory):
    """A service of many tests, with small limits, in which nothing is kept."""
    folder = tmp_path_factory.mktemp("careful")
    storage = f"sqlite:///{folder}/ledger.db"
    limits = limited(unpacked=5_000_000, files=12)
    with opened(storage, configuration=limits) as (service, client):
        yield people(service, client, storage)


def nothing_stays(asked):
    """Check that a refused upload has left nothing, in its folder or outside, nor an act."""
    assert (left(asked), parts(asked)) == ([], [])
    assert not list(asked.folder.parent.rglob("*evil*"))
    assert not [each for each in acts(asked.service.ledger) if each.act == "upload"]


ROLES = {"eve": "read", "ann": "submit", "bob": "submit"}


def upload(asked, name, content, who=None):
    """Upload bytes under a name."""
    headers = asked.ann if who is None else who
    return asked.client.post(UPLOADS, params={"name": name}, content=content, headers=headers)


def left(asked):
    """Return every file and folder that uploads have left, without empty folders of our own."""
    found = [each.relative_to(asked.folder) for each in asked.folder.rglob("*")]
    return sorted(str(each) for each in found if not str(each).startswith(".uploads"))


def parts(asked):
    """Return what is still on its way."""
    folder = asked.folder / ".uploads" / PARTS
    return list(folder.iterdir()) if folder.exists() else []


def told(answer):
    """Return all that a refusal says."""
    body = answer.json()
    return "\n".join([body["detail"], *(each["message"] for each in body.get("problems", []))])


def test_arrays_are_uploaded_and_told(asked):
    """What the answer says of them is what `load_dataset` reads."""
    answer = upload(asked, "mine.npz", npz())
    assert answer.status_code == 201
    read = load_dataset("mine.npz", folder=asked.folder)
    body = answer.json()
    assert body["fingerprint"] == read.fingerprint
    assert (body["train_rows"], body["shape"], body["owner"]) == (30, [4, 4], "ann")
    assert body["classes"] == {"0": 10, "1": 10, "2": 10}
    assert asked.client.get(f"{DATA}/mine.npz", headers=asked.eve).json() == body
    assert parts(asked) == []


def test_a_zip_of_class_folders_is_uploaded(asked):
    """Only its pictures are kept; what was left out is named, what a system made is not."""
    more = [
        ("README.txt", b"hello"), ("cat/.hidden", b""), ("__MACOSX/cat/0.png", b"x"),
        ("cat/notes.csv", b"1"),
    ]  # fmt: skip
    answer = upload(asked, "pets.zip", packed(*classes(), *more))
    body = answer.json()
    assert answer.status_code == 201
    assert (body["name"], body["files"], body["classes"]) == ("pets", 6, {"cat": 2, "dog": 2})
    assert body["left_out"] == ["README.txt", "cat/notes.csv"]
    expected = [f"pets/{name}/{row}.png" for name in ("cat", "dog") for row in range(3)]
    assert left(asked) == sorted(["pets", "pets/cat", "pets/dog", *expected])


@pytest.mark.parametrize("folder", ["pets/", "a/b/", "pets/train/"])
def test_folders_around_everything_are_taken_off(asked, folder):
    """As most tools pack a folder with its name."""
    assert upload(asked, "pets", packed(*classes(folder))).status_code == 201
    assert sorted(each.name for each in (asked.folder / "pets").iterdir()) == ["cat", "dog"]


def test_folders_of_training_and_test_stay(asked):
    """They are the split."""
    content = packed(*classes("pets/train/"), *classes("pets/test/", 2))
    body = upload(asked, "pets", content).json()
    assert (body["train_rows"], body["test_rows"]) == (6, 4)


def lying_size():
    """Return a zip whose directory says that a picture has 7 bytes."""
    content = bytearray(packed(*classes()))
    start = content.find(b"PK\x01\x02")
    content[start + 24 : start + 28] = (7).to_bytes(4, "little")
    return bytes(content)


def with_hole():
    """Return a zip in which the bytes of a picture are others."""
    content = bytearray(packed(*classes(), compression=zipfile.ZIP_STORED))
    place = content.find(b"IDAT")
    content[place + 4] ^= 0xFF
    return bytes(content)


def bomb():
    """Return a zip of a few kilobytes with far more in it."""
    return packed(*classes(), ("cat/big.png", bytes(9_000_000)))


PLAIN = packed(*classes())
HOSTILE = {
    "up": (packed(*classes(), ("../evil.png", png())), "must lie inside"),
    "up from inside": (packed(*classes(), ("cat/../../evil.png", png())), "must lie inside"),
    "absolute": (packed(*classes(), ("/tmp/evil.png", png())), "must lie inside"),  # noqa: S108
    "a drive": (packed(*classes(), ("C:/evil.png", png())), "none of"),
    "backslashes": (renamed(PLAIN, b"cat/0.png", rb"..\00.png"), "none of"),
    "a zero byte": (renamed(PLAIN, b"cat/0.png", b"cat/\0.png"), "control characters"),
    "a line end": (renamed(PLAIN, b"cat/0.png", b"cat/\n.png"), "control characters"),
    "an empty part": (renamed(PLAIN, b"cat/0.png", b"cat//.png"), "plain path"),
    "no name": (without_name(PLAIN), "plain path"),
    "a dot": (packed(*classes(), ("./cat/9.png", png())), "plain path"),
    "a folder up": (packed(*classes(), ("../", b"")), "must lie inside"),
    "a trailing space": (packed(*classes(), ("cat /9.png", png())), "space"),
    "a long name": (packed(*classes(), (f"cat/{'x' * 300}.png", png())), "120 characters"),
    "deep": (packed(*classes(), ("a/" * 30 + "9.png", png())), "8 parts"),
    "a link": (packed(*classes(), link("cat/9.png", "/etc/passwd")), "not a link"),
    "a linked folder": (packed(*classes(), link("bird", "/etc")), "not a link"),
    "encrypted": (encrypted(PLAIN), "password"),
    "another packing": (packed(*classes(), compression=zipfile.ZIP_LZMA), "deflated"),
    "twice": (renamed(PLAIN, b"cat/0.png", b"cat/1.png"), "there twice"),
    "case of a file": (packed(*classes(), ("cat/0.PNG", png())), "only in case"),
    "case of a folder": (packed(*classes(), ("Cat/9.png", png())), "only in case"),
    "a file as a folder": (packed(*classes(), ("cat/0.png/9.png", png())), "there twice"),
    "a lying size": (lying_size(), "damaged"),
    "damaged bytes": (with_hole(), "damaged"),
    "a bomb": (bomb(), "unpacked"),
    "no picture": (packed(*classes(), ("cat/9.png", b"#!/bin/sh")), "cannot be read as a picture"),
    "a vector picture": (packed(*classes(), ("cat/9.png", b"<svg/>")), "cannot be read"),
    "many pixels": (packed(*classes(), ("cat/9.png", png(size=(9000, 9000)))), "64,000,000"),
    "no pictures": (packed(("cat/a.txt", b""), ("dog/b.txt", b"")), "folder of pictures"),
    "one class": (packed(*classes()[:3]), "two class folders"),
    "a loose picture": (packed(*classes(), ("9.png", png())), "folder of its class"),
    "many files": (packed(*classes(rows=8)), "12 files"),
    "empty": (packed(), "folder of pictures"),
    "no zip": (b"hello", "no whole zip"),
    "nothing": (b"", "no whole zip"),
    "half": (PLAIN[: len(PLAIN) // 2], "no whole zip"),
    "arrays as a zip": (npz(), "folder of pictures"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_zip_is_refused(careful, case):
    """With the reason, and without the server's folders in it; nothing of it stays."""
    content, reason = HOSTILE[case]
    answer = upload(careful, "pets", content)
    assert answer.status_code == 422, answer.text
    assert reason in told(answer)
    assert str(careful.folder) not in answer.text
    nothing_stays(careful)


def objects():
    """Return arrays with Python objects, which only unpickling could read."""
    return npz(y_train=np.array([{"a": 1}] * 30, dtype=object))


WRONG_ARRAYS = {
    "python objects": (objects(), "never unpickled"),
    "a missing array": (npz(y_test=None), "missing: y_test"),
    "pictures in it": (PLAIN, "missing: x_train"),
    "one class": (npz(y_train=np.zeros(30, int), y_test=np.zeros(12, int)), "two classes"),
    "not numbers": (npz(x_train=np.full((30, 4, 4), "a")), "real numbers"),
    "too large": (npz(x_train=np.zeros((30, 500, 500))), "unpacked"),
    "no zip": (b"\x80\x04pickle", "no whole zip"),
    "an array alone": (b"\x93NUMPY" + bytes(200), "no whole zip"),
    "half": (npz()[:900], "no whole zip"),
    "no name inside": (without_name(npz(y_test=None)), "missing: y_test"),
}


@pytest.mark.parametrize("case", WRONG_ARRAYS)
def test_arrays_that_are_no_dataset_are_refused(careful, case):
    """In the words of `load_dataset`, without the server's folders in them."""
    content, reason = WRONG_ARRAYS[case]
    answer = upload(careful, "mine.npz", content)
    assert answer.status_code == 422
    assert reason in told(answer)
    assert str(careful.folder) not in answer.text
    nothing_stays(careful)


@pytest.mark.parametrize(
    "name",
    ["", "../a.npz", "a/b", "/etc/x", ".hidden", ".uploads", "A.npz", "a b", "con", "nul.npz",
     "a.tar", "a\n", "a\0b", "é", "x" * 61, ".npz", ".zip", "-a", "a.npz.npz", "a:b", "digits"],
)  # fmt: skip
def test_a_name_that_is_none(careful, name):
    """One plain name, in small letters."""
    assert upload(careful, name, npz()).status_code == 422
    nothing_stays(careful)


def test_nobody_replaces_a_dataset(asked):
    """Neither another's nor one's own: studies ran on it."""
    assert upload(asked, "mine.npz", npz()).status_code == 201
    before = (asked.folder / "mine.npz").read_bytes()
    for who in (asked.ann, asked.bob, asked.admin):
        answer = upload(asked, "mine.npz", npz(x_test=np.ones((12, 4, 4), np.uint8)), who)
        assert answer.status_code == 409
    assert (asked.folder / "mine.npz").read_bytes() == before


def test_a_dataset_that_takes_too_much_memory_is_read_beside_the_ledger(asked, monkeypatch):
    """An upload, and one that Data is asked for: where studies look for its rows."""
    monkeypatch.setattr("sweep.datasets.mapped_store.free_memory", lambda: 100)
    settings = asked.service.settings
    folder = mapped_folder(settings.storage)
    notes = upload(asked, "mine.npz", npz()).json()["notes"]
    digits = Readings().read(settings, KnownDataset("digits", "digits", "built-in"))
    for told in (notes, digits.facts["notes"]):
        assert any("are read from the disk" in note for note in told)
    assert len(list(folder.glob("*/rows"))) == 4


def test_of_two_at_once_one_is_kept(asked, monkeypatch):
    """Whose upload is checked first has the name; the other's leaves nothing."""

    def read_while_another(*args):
        monkeypatch.setattr("sweep.service.uploads.read_in_new_process", read_here)
        assert upload(asked, "mine.npz", npz(), asked.bob).status_code == 201
        return read_here(*args)

    monkeypatch.setattr("sweep.service.uploads.read_in_new_process", read_while_another)
    assert upload(asked, "mine.npz", npz(), asked.ann).status_code == 409
    assert asked.client.get(f"{DATA}/mine.npz", headers=asked.eve).json()["owner"] == "bob"
    assert parts(asked) == []


def test_more_than_an_upload_may_have(storage):
    """By its header, and by what arrives; nothing stays."""

    def pieces():
        for _ in range(40):
            yield bytes(1000)

    with opened(storage, configuration=limited(upload=20_000)) as (service, client):
        asked = people(service, client, storage)
        for content in (bytes(30_000), pieces()):
            assert upload(asked, "mine.npz", content).status_code == 413
        assert not asked.folder.exists() or (left(asked), parts(asked)) == ([], [])


def test_an_upload_may_be_larger_than_another_request(storage):
    """The limit of other bodies is not its own."""
    with opened(storage, configuration=limited(body=1024)) as (service, client):
        asked = people(service, client, storage)
        assert upload(asked, "mine.npz", npz()).status_code == 201


def test_a_client_that_goes_away_leaves_nothing(asked):
    """In the middle of the body."""
    sent = []

    async def go_away():
        pieces = iter([{"type": "http.request", "body": npz()[:500], "more_body": True}])

        async def receive():
            return next(pieces, {"type": "http.disconnect"})

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"127.0.0.1:8080"), *encoded(asked.ann)]
        scope = {
            "type": "http", "method": "POST", "path": UPLOADS, "query_string": b"name=mine.npz",
            "headers": headers, "scheme": "http", "root_path": "", "http_version": "1.1",
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080),
        }  # fmt: skip
        await asked.client.app(scope, receive, send)

    anyio.run(go_away)
    assert (left(asked), parts(asked)) == ([], [])
    assert sent[0]["status"] == 400


def encoded(headers):
    """Return headers as ASGI has them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def test_a_disk_that_is_full(asked, monkeypatch):
    """It is said, and what was written is removed."""

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Receiver, "_write", full)
    answer = upload(asked, "mine.npz", npz())
    assert (answer.status_code, parts(asked)) == (507, [])
    assert "No space left" in told(answer)


@pytest.mark.parametrize("received", [True, False])
def test_the_disk_keeps_some_room(asked, monkeypatch, received):
    """For the ledger; what would fill it is refused as it arrives, or before it is unpacked."""
    reserve = shutil.disk_usage(asked.folder.parent).free - (0 if received else 10_000_000)
    monkeypatch.setattr("sweep.service.uploads.RESERVE", reserve)
    zeros = ("cat/9.bmp", bytes(100_000_000))
    answer = upload(asked, "pets", npz() if received else packed(*classes(), zeros))
    assert (answer.status_code, parts(asked), left(asked)) == (507, [], [])


def test_a_name_that_python_reads_elsewhere(tmp_path):
    """Newer Pythons take a member's name from an extra field: it is checked as well."""
    path = tmp_path / "x.zip"
    path.write_bytes(packed(*classes()))
    with zipfile.ZipFile(path) as archive:
        archive.infolist()[0].filename = "../evil.png"
        with pytest.raises(UploadError, match="must lie inside"):
            entries(archive, Limits())


def test_a_reading_that_crashes_leaves_nothing(asked, monkeypatch):
    """What ends the process that reads ends no server."""
    monkeypatch.setattr("sweep.service.uploads.read_in_new_process", read_in_new_process)
    monkeypatch.setattr("sweep.service.dataset_reader.sys.executable", "/bin/false")
    answer = upload(asked, "mine.npz", npz())
    assert answer.status_code == 422
    assert "ended with status 1" in told(answer)
    assert (left(asked), parts(asked)) == ([], [])


def test_reading_in_a_process_of_its_own(asked):
    """It says the same as reading here."""
    upload(asked, "mine.npz", npz(class_names=["a", "<b>", "ç"]))
    here = read_here("mine.npz", asked.folder, None)
    there = read_in_new_process("mine.npz", asked.folder, None)
    assert there.facts == here.facts
    assert there.albums == json.loads(json.dumps(here.albums))


@pytest.mark.tensorflow
def test_a_zip_is_read_as_studies_read_it(asked, monkeypatch):
    """With the decoders of TensorFlow, in a process of its own."""
    monkeypatch.setattr("sweep.service.uploads.read_in_new_process", read_in_new_process)
    body = upload(asked, "pets", packed(*classes())).json()
    assert (body["shape"], body["classes"]) == ([5, 6, 3], {"cat": 2, "dog": 2})


def test_what_an_old_upload_has_left_is_removed(asked, monkeypatch):
    """After a server that was killed; what is on its way stays."""
    old, new = (asked.folder / ".uploads" / PARTS / name for name in ("old", "new"))
    for each in (old, new):
        each.mkdir(parents=True)
        (each / "x").write_text("half")
    then = time.time() - 2 * 24 * 3600
    os.utime(old, (then, then))
    upload(asked, "mine.npz", npz())
    assert (old.exists(), new.exists()) == (False, True)


def test_a_reader_uploads_and_deletes_nothing(asked):
    """Nor somebody without a token; the list is open to both roles."""
    upload(asked, "mine.npz", npz())
    for who, status in ((asked.eve, 403), ({}, 401)):
        assert upload(asked, "other.npz", npz(), who).status_code == status
        assert asked.client.delete(f"{DATA}/mine.npz", headers=who).status_code == status
        form = {"files": {"file": ("x.npz", npz())}, "headers": who}
        assert asked.client.post("/data/uploads", **form).status_code == status
        assert asked.client.post("/data/mine.npz/delete", headers=who).status_code == status
    assert left(asked) == ["mine.npz"]
    assert parts(asked) == []


def test_an_upload_is_deleted_by_its_owner_or_an_admin(asked):
    """By nobody else; every act is told."""
    for name in ("one.npz", "two.npz"):
        upload(asked, name, npz())
        refused = asked.client.delete(f"{DATA}/{name}", headers=asked.bob)
        assert (refused.status_code, "belongs to ann" in told(refused)) == (403, True)
    for name, who in (("one.npz", asked.ann), ("two.npz", asked.admin)):
        assert asked.client.delete(f"{DATA}/{name}", headers=who).status_code == 200
        assert asked.client.get(f"{DATA}/{name}", headers=who).status_code == 404
        assert asked.client.delete(f"{DATA}/{name}", headers=who).status_code == 404
    found = [f"{a.act} {a.detail.partition(',')[0]}" for a in acts(asked.service.ledger)]
    assert [each for each in found if "token" not in each] == [
        "delete data two.npz", "delete data one.npz", "upload two.npz", "upload one.npz",
    ]  # fmt: skip
    assert list((asked.folder / ".uploads" / "about").iterdir()) == []


def test_what_was_not_uploaded_is_not_deleted(asked):
    """Neither a built-in dataset nor, except by an admin, one that the owner put there."""
    assert asked.client.delete(f"{DATA}/digits", headers=asked.admin).status_code == 403
    asked.folder.mkdir(parents=True)
    (asked.folder / "put.npz").write_bytes(npz())
    assert asked.client.delete(f"{DATA}/put.npz", headers=asked.ann).status_code == 403
    assert asked.client.delete(f"{DATA}/put.npz", headers=asked.admin).status_code == 200


@pytest.mark.parametrize(
    ("name", "content"), [("own.npz", npz()), ("pets", packed(*classes("", 5)))]
)
def test_a_study_names_an_upload(asked, name, content):
    """It is checked and handed in; until it is finished the dataset stays."""
    upload(asked, name, content)
    source = SOURCE.format(name)
    checked = asked.client.post("/api/v1/check", json={"source": source}, headers=asked.bob)
    assert checked.status_code == 200, checked.text
    made = asked.client.post("/api/v1/studies", json={"source": source}, headers=asked.bob)
    assert made.status_code == 201, made.text
    header = asked.service.ledger.header("mine")
    assert header["data"]["fingerprint"] == load_dataset(name, folder=asked.folder).fingerprint
    refused = asked.client.delete(f"{DATA}/{name}", headers=asked.ann)
    assert (refused.status_code, "mine" in told(refused)) == (409, True)
    assert asked.client.delete("/api/v1/studies/mine", headers=asked.bob).status_code == 200
    assert asked.client.delete(f"{DATA}/{name}", headers=asked.ann).status_code == 200


@pytest.mark.parametrize("folder", ["", "birds/"])
def test_pictures_with_a_table_of_labels(asked, folder):
    """A zip of pictures and a ``labels.csv`` is a dataset, and a study can name its table."""
    made = upload(asked, "birds", packed(*labelled(folder)))
    assert made.status_code == 201, made.text
    assert made.json()["dataset"] == "birds/labels.csv"
    assert (made.json()["classes"], made.json()["left_out"]) == ({"cat": 2, "dog": 2}, [])
    assert left(asked)[:2] == ["birds", "birds/all"]
    listed = asked.client.get(DATA, headers=asked.eve).json()["datasets"]
    assert [each["dataset"] for each in listed if each["name"] == "birds"] == ["birds/labels.csv"]
    source = SOURCE.format("birds/labels.csv")
    handed_in = asked.client.post("/api/v1/studies", json={"source": source}, headers=asked.bob)
    assert handed_in.status_code == 201, handed_in.text
    refused = asked.client.delete(f"{DATA}/birds", headers=asked.ann)
    assert (refused.status_code, "mine" in told(refused)) == (409, True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (labelled("", 6, "../x.png,cat", "/etc/passwd,cat"), "path: must lie inside the folder of"),
        (labelled("", 6, "all/none.png,cat"), "path: no such file: row 8 (all/none.png)"),
        (labelled("", 6, "all/0.png,cat"), "path: must stand in one row alone"),
        ([*labelled()[:-1], ("labels.csv", b"\0\0")], "zero byte"),
        ([*labelled()[:-1], ("labels.csv", b"path,label\n" * 900_000)], "bytes unpacked"),
        ([("labels.csv", b"path,label\na.png,x\n")], "must hold a folder of pictures"),
    ],
)  # fmt: skip
def test_a_table_of_labels_passes_every_check(careful, content, said):
    """Nothing of it leads out of its folder, and what is wrong leaves no file behind."""
    made = upload(careful, "birds", packed(*content))
    assert made.status_code == 422
    assert said in told(made)
    assert str(careful.folder) not in told(made)
    assert left(careful) == []


def test_a_part_of_an_upload_is_needed_too(asked):
    """A study may name a folder in it."""
    for entry, data in (*classes("pets/day/", 5), *classes("pets/night/", 5)):
        path = asked.folder / entry
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    source = SOURCE.format("pets/day")
    made = asked.client.post("/api/v1/studies", json={"source": source}, headers=asked.bob)
    assert made.status_code == 201, made.text
    assert asked.client.delete(f"{DATA}/pets", headers=asked.admin).status_code == 409


def test_what_can_be_named(storage, tmp_path):
    """Uploads first, then built-in datasets, then what else lies in the data home."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("mnist.npz", "extra.npz", "notes.txt", ".hidden.npz"):
        (home / name).write_bytes(npz())
    with opened(storage, data_home=str(home)) as (service, client):
        asked = people(service, client, storage)
        upload(asked, "mine.npz", npz())
        found = client.get(DATA, headers=asked.eve).json()["datasets"]
        names = [(each["name"], each["source"], each["here"]) for each in found]
        assert names == [
            ("mine.npz", "uploaded", True), ("cifar10", "built-in", False),
            ("digits", "built-in", True), ("fashion_mnist", "built-in", False),
            ("mnist", "built-in", True), ("extra.npz", "data home", True),
        ]  # fmt: skip
        extra = client.get(f"{DATA}/extra.npz", headers=asked.eve).json()
        assert (extra["train_rows"], extra["dataset"]) == (30, str(home / "extra.npz"))
        again = client.get(DATA, headers=asked.eve).json()["datasets"]
        assert again[-1]["fingerprint"] == extra["fingerprint"]
        assert "train_rows" not in client.get(f"{DATA}/cifar10", headers=asked.eve).json()
        source = SOURCE.format(extra["dataset"])
        checked = client.post("/api/v1/check", json={"source": source}, headers=asked.ann)
        assert checked.status_code == 200, checked.text


@pytest.mark.parametrize("name", ["nothing", "..", "%2e%2e", "..%2fledger.db", ".uploads", "%00"])
def test_a_dataset_that_is_not_there(careful, name):
    """No address leads out of the folder."""
    for method in ("get", "delete"):
        answer = getattr(careful.client, method)(f"{DATA}/{name}", headers=careful.admin)
        assert answer.status_code in (404, 405)


PAGE = {"Accept": "text/html", "Origin": BASE}


def test_a_file_is_uploaded_from_the_form(asked):
    """Without script; the page of the dataset follows, with its pictures and its classes."""
    shown = npz(class_names=np.array(["<script>", "cat", "dog"]))
    answer = asked.client.post(
        "/data/uploads", files={"file": ("My Data.npz", shown)}, data={"name": ""},
        headers={**asked.ann, **PAGE}, follow_redirects=False,
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (303, "/data/my-data.npz")
    page = asked.client.get("/data/my-data.npz", headers={**asked.eve, **PAGE}).text
    assert "data:image/png" in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in page.replace("<script src", "")
    assert "30</b> training rows" in page
    assert "Delete my-data.npz" not in page
    for who in (asked.ann, asked.admin):
        own = asked.client.get("/data/my-data.npz", headers={**who, **PAGE}).text
        assert "Delete my-data.npz" in own
    listed = asked.client.get("/data", headers={**asked.eve, **PAGE}).text
    assert 'href="/data/my-data.npz"' in listed
    assert 'type="file"' not in listed
    gone = asked.client.post(
        "/data/my-data.npz/delete", headers={**asked.ann, **PAGE}, follow_redirects=False
    )
    assert (gone.status_code, gone.headers["location"]) == (303, "/data")
    assert left(asked) == []


MULTIPART = "multipart/form-data; boundary=x"
FORMS = {
    "no file": ({"files": {"file": ("", b"")}, "data": {"name": "a.npz"}}, "Choose a file"),
    "two files": ({"files": [("file", ("a.npz", b"1")), ("file", ("b.npz", b"2"))]}, "one file"),
    "a bad name": ({"files": {"file": ("a.npz", b"1")}, "data": {"name": "../a"}}, "small letters"),
    "a bad dataset": ({"files": {"file": ("a.npz", npz(y_test=None))}}, "missing: y_test"),
    "no form": ({"content": b"hello"}, "multipart/form-data"),
    "half a form": (
        {"content": b"--x\r\nnonsense", "headers": {"Content-Type": MULTIPART}},
        "not whole",
    ),
    "a long field": (
        {"files": {"file": ("a.npz", b"1")}, "data": {"name": "a" * 20_000}}, "too long"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FORMS)
def test_a_form_that_is_refused(careful, case):
    """The page of the list says why, above the form."""
    sent, reason = FORMS[case]
    headers = {**careful.ann, **PAGE, **sent.get("headers", {})}
    answer = careful.client.post("/data/uploads", **{**sent, "headers": headers})
    assert answer.status_code == 422
    assert reason in answer.text
    assert 'type="file"' in answer.text
    nothing_stays(careful)


def test_a_form_in_small_pieces(asked):
    """Wherever a piece ends, the file is whole."""
    content = npz()
    body = b"".join([
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nmine\r\n',
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.npz"\r\n\r\n',
        content, b"\r\n--x--\r\n",
    ])  # fmt: skip
    pieces = (body[start : start + 7] for start in range(0, len(body), 7))
    kind = {"Content-Type": MULTIPART}
    answer = asked.client.post(
        "/data/uploads", content=pieces, headers={**asked.ann, **PAGE, **kind},
        follow_redirects=False,
    )  # fmt: skip
    assert answer.headers["location"] == "/data/mine.npz"
    assert (asked.folder / "mine.npz").read_bytes() == content


@pytest.mark.parametrize(
    ("filename", "name"),
    [("a.npz", "a.npz"), ("My Pets.zip", "my-pets"), ("C:\\x\\B.NPZ", "b.npz"), ("../é.zip", "")],
)
def test_the_name_of_a_chosen_file(filename, name):
    """Small letters, and hyphens for what is none."""
    assert name_from_file(filename) == name


def test_what_is_kept_of_an_upload_was_lost(asked):
    """The dataset stays there for an admin; nothing of it is made up."""
    upload(asked, "mine.npz", npz())
    for path in (asked.folder / ".uploads" / "about").iterdir():
        path.write_text(json.dumps([1]))
    body = asked.client.get(f"{DATA}/mine.npz", headers=asked.eve).json()
    assert (body["owner"], body["train_rows"]) == ("", 30)
    assert asked.client.delete(f"{DATA}/mine.npz", headers=asked.ann).status_code == 403
    assert asked.client.delete(f"{DATA}/mine.npz", headers=asked.admin).status_code == 200
