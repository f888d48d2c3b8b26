"""Paths that begin with ``~``: whoever takes one means the person's own folder."""

import json
from pathlib import Path

import commands
import numpy as np
import pytest
from commands import read, sweep
from ledgers import build

from sweep.datasets import load_dataset
from sweep.export.loading import load_best
from sweep.spec import load_study
from sweep.storage.locations import artifacts_root, sqlite_path, storage_url
from sweep.support.file_names import expanded
from sweep.support.file_writing import write_file
from sweep.support.keras_configuration import settle

here = commands.here


@pytest.fixture
def home(here, monkeypatch):
    """A home that is another folder than the one we stand in; none named ~ is made here."""
    home = here / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    stand = here / "stand"
    stand.mkdir()
    monkeypatch.chdir(stand)
    yield home
    assert not [path for path in stand.rglob("*") if path.name.startswith("~")]


def test_a_person_who_is_not_known():
    """A name that no person has stays as it is, and no error comes of it."""
    assert expanded("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    assert expanded("a/~/x") == Path("a/~/x")


@pytest.mark.parametrize("given", ["~/x.db", "sqlite:///~/x.db"])
def test_the_ledger(home, monkeypatch, given):
    """`--storage`, SWEEP_STORAGE and the file that SWEEP_STORAGE_FILE names."""
    assert sqlite_path(storage_url(given)) == home / "x.db"
    monkeypatch.setenv("SWEEP_STORAGE", given)
    assert sqlite_path(storage_url()) == home / "x.db"
    monkeypatch.delenv("SWEEP_STORAGE")
    (home / "address").write_text(f"{given}\n")
    monkeypatch.setenv("SWEEP_STORAGE_FILE", "~/address")
    assert sqlite_path(storage_url()) == home / "x.db"
    build(home / "x.db")
    assert [study["name"] for study in json.loads(read("list", "--format", "json"))] == ["tiny"]


def test_artifacts(home, monkeypatch):
    """SWEEP_ARTIFACTS."""
    monkeypatch.setenv("SWEEP_ARTIFACTS", "~/weights")
    assert artifacts_root("sqlite:///l.db") == home / "weights"


def test_data(home, monkeypatch):
    """`--data-home`, SWEEP_DATA_HOME, and a dataset that is a file."""
    x, y = np.eye(4), np.arange(4) % 2
    np.savez(home / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    assert len(load_dataset("~/mnist.npz").x_train) == 4
    assert len(load_dataset("mnist", data_home="~").x_train) == 4
    assert json.loads(read("data", "mnist", "--data-home=~", "--format", "json"))["train_rows"] == 4
    monkeypatch.setenv("SWEEP_DATA_HOME", "~/")
    assert len(load_dataset("mnist").x_train) == 4


def test_keras(home):
    """KERAS_HOME, which Keras itself would take for a folder named ~."""
    environment = {"KERAS_HOME": "~/k"}
    settle(environment)
    assert environment["KERAS_HOME"] == str(home / "k")


def test_files_of_commands(home):
    """A study file, a report, a comparison, a log, a folder to begin in."""
    read("init", "~/new")
    assert load_study("~/new/study.toml").study.name
    read("check", "~/new/study.toml", "--no-probe")
    build(home / "x.db", winner=True)
    build(home / "x.db", "other", winner=True)
    read("--log-file=~/log", "report", "tiny", "--storage=~/x.db", "--output=~/r/tiny.html")
    read("compare", "tiny", "other", "--storage=~/x.db", "--output=~/r/both.html")
    for name in ("log", "r/tiny.html", "r/both.html"):
        assert (home / name).is_file()
    assert write_file("~/page.html", "page") == home / "page.html"


def test_exports(home):
    """An export is looked for where the person means."""
    for folder in ("~/export", Path("~/export")):
        with pytest.raises(Exception, match=str(home / "export")):
            load_best(folder)
    assert str(home / "export") in sweep("predict", "~/export", "~/x.png").stderr
