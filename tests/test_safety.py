"""The promises about safety, one by one: what hostile files and names must not bring about.

What needs TensorFlow is in ``test_safety_run.py``, the pages' fields are in
``test_safety_names.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import sqlite3

import commands
import numpy as np
import optuna
import pytest
from commands import ROOT, process, sweep
from ledgers import build, sections
from watched import Bomb, watching

from sweep import load_dataset, load_study
from sweep.errors import DataError, LedgerError, ReferenceError_
from sweep.ledger.ledger import Ledger
from sweep.search.cmaes import ReplayedCmaEsSampler
from sweep.spec import StudySpec
from sweep.spec.toml import to_toml
from sweep.storage.locations import artifacts_folder, storage_url
from sweep.study import open_study
from sweep.study.report_paths import report_path

here = commands.here


# -- 1. code is allowed by the person, never by the file ----------------------------------------


TRAP = "open(__file__ + '.ran', 'w').close()\n\ndef build(*args, **words):\n    pass\n"


@pytest.fixture
def trap(here):
    """A folder with a study file's module that leaves a trace when it is imported."""
    folder = here / "given"
    folder.mkdir()
    (folder / "mine.py").write_text(TRAP)
    return folder


NAMED = {
    "factory": {"model": {"factory": "mine:build"}, "space": {"width": [1, 2]}},
    "dataset": {"data": {"dataset": "mine:build"}},
    "sections": {"report": {"sections": ["leaderboard", "mine:build"]}},
}


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("place", NAMED)
def test_a_file_that_names_code_needs_the_persons_word(trap, command, place):
    """Promise 1: factory, dataset and section are refused, with the remedy, and not imported."""
    (trap / "study.toml").write_text(to_toml({**sections(), **NAMED[place]}))
    options = ["--no-probe"] if command == "check" else ["--quiet"]
    result = sweep(command, trap / "study.toml", *options)
    assert result.exit_code == 2
    assert "allow it with --allow mine" in result.stderr
    assert not (trap / "mine.py.ran").exists()


def test_a_file_cannot_allow_itself(trap):
    """Promise 1: neither a table of its own nor a pyproject.toml beside it gives permission."""
    study = {**sections(), **NAMED["factory"]}
    (trap / "pyproject.toml").write_text('[tool.sweep]\nallow = ["mine"]\n')
    (trap / "study.toml").write_text(to_toml(study))
    assert "allow it with --allow mine" in sweep("run", trap / "study.toml", "-q").stderr
    (trap / "study.toml").write_text(to_toml(study) + '\n[tool.sweep]\nallow = ["mine"]\n')
    assert "unknown section" in sweep("run", trap / "study.toml", "-q").stderr
    assert not (trap / "mine.py.ran").exists()


def test_a_ledger_cannot_allow_its_own_code(here, trap):
    """Promise 1: the winner of a model of one's own needs the permission that its run needed."""
    build(here / "l.db", winner=True, factory="mine:build", space={"width": [1, 2]})
    header = Ledger(f"sqlite:///{here / 'l.db'}").header("tiny")
    spec = {**header["spec"], "folder": str(trap)}
    Ledger(f"sqlite:///{here / 'l.db'}").update("tiny", spec=spec)
    with pytest.raises(ReferenceError_, match="--allow mine"):
        _ = open_study("tiny", "l.db").best_estimator_
    assert not (trap / "mine.py.ran").exists()


LIBRARIES = (
    "click", "numpy", "pandas", "optuna", "keras", "tensorflow", "sklearn", "matplotlib", "scipy",
    "sqlalchemy", "pydantic", "jinja2", "rich", "joblib", "sitecustomize", "usercustomize",
)  # fmt: skip


def test_what_merely_lies_here_is_not_imported(ledger_here):
    """Promise 1: a numpy.py in the folder that one stands in is no library of any command."""
    for name in LIBRARIES:
        (ledger_here / f"{name}.py").write_text(TRAP)
    (ledger_here / "study.toml").write_text(to_toml(sections("other")))
    for words in (["report", "tiny"], ["check", "study.toml", "--no-probe"]):
        done = process(*words, cwd=ledger_here)
        assert done.returncode == 0, done.stderr
    assert list(ledger_here.glob("*.ran")) == []


@pytest.fixture
def ledger_here(here):
    """A folder with a ledger that has a study, ``tiny``."""
    (here / ".sweep").mkdir()
    build(here / ".sweep" / "ledger.db", winner=True)
    return here


OUTWARD = {
    "BackupAndRestore": {"backup_dir": "x"},
    "CSVLogger": {"filename": "x"},
    "ModelCheckpoint": {"filepath": "x.keras"},
    "RemoteMonitor": {"root": "http://127.0.0.1"},
}


@pytest.mark.parametrize("name", OUTWARD)
@pytest.mark.parametrize("place", ["model", "space"])
def test_a_file_without_code_writes_and_deletes_nothing(name, place):
    """Promise 1: a study file may not name a Keras callback that acts outside the fit."""
    callbacks = ["TerminateOnNaN", {"name": name, **OUTWARD[name]}]
    study = sections()
    value = callbacks if place == "model" else [callbacks, []]
    study[place] = {**study[place], "callbacks": value}
    with pytest.raises(ValueError, match=f"{name} writes files or sends"):
        load_study(study)


# -- 2. reading never unpickles and never imports a person's code -------------------------------


def plant(path, canary):
    """Put pickles wherever a library may look for some into the ledger at ``path``."""
    bomb = pickle.dumps(Bomb(canary))
    values = {
        **dict.fromkeys(("cma:optimizer:0", "cmawm:optimizer:0", "sepcma:optimizer:0"), bomb.hex()),
        **dict.fromkeys(("sampler", "grid_search:search_space"), bomb.decode("latin-1")),
        "__reduce__": {"__reduce__": ["os.system", [f"touch {canary}"]]},
    }
    with contextlib.closing(sqlite3.connect(path)) as ledger, ledger:
        studies = [number for (number,) in ledger.execute("SELECT study_id FROM studies")]
        trials = [number for (number,) in ledger.execute("SELECT trial_id FROM trials")]
        for kind, numbers in (("study", studies), ("trial", trials)):
            for table in (f"{kind}_user_attributes", f"{kind}_system_attributes"):
                rows = [(n, name, json.dumps(v)) for n in numbers for name, v in values.items()]
                ledger.executemany(
                    f"INSERT INTO {table} ({kind}_id, key, value_json) VALUES (?, ?, ?)",  # noqa: S608
                    rows,
                )


def booby_trapped(here, trap):
    """A ledger whose study names a hostile module throughout and holds pickles everywhere."""
    space = {"width": [1, 2]}
    for name in ("tiny", "other"):
        build(here / "l.db", name, winner=True, factory="mine:build", space=space)
        ledger = Ledger(f"sqlite:///{here / 'l.db'}")
        spec = ledger.header(name)["spec"]
        spec |= {"folder": str(trap), "report": {"sections": ["leaderboard", "mine:build"]}}
        spec["data"]["dataset"] = "mine:build"
        ledger.update(name, spec=spec)
        assert StudySpec.from_plain(ledger.header(name)["spec"]).folder == trap
        pictures = artifacts_folder(ledger.url, name) / "winner-pictures.npz"
        pictures.parent.mkdir(parents=True)
        np.savez(pictures, **{"test:images": np.array([Bomb(here / "canary")], object)})
    plant(here / "l.db", here / "canary")


READING = (
    ["list"], ["show", "tiny"], ["best", "tiny"], ["best", "tiny", "--format", "json"],
    ["pivot", "tiny", "--index", "width"], ["report", "tiny"], ["compare", "tiny", "other"],
)  # fmt: skip


def test_reading_a_booby_trapped_ledger_runs_nothing(here, trap):
    """Promise 2: no command that reads unpickles, imports, starts or writes beside its output."""
    booby_trapped(here, trap)
    lines = [[*words, "--storage", str(here / "l.db")] for words in READING]
    done = process(
        str(trap), str(here / "reports"), code=(str(ROOT / "tests" / "watched.py"),), cwd=here,
        input=json.dumps(lines), env={"PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words, said in zip(lines, json.loads(done.stdout), strict=True):
        assert (said["status"], said["found"]) == (0, []), (words, said)
    assert not (here / "canary").exists()
    assert not (trap / "mine.py.ran").exists()
    assert (here / "reports" / "tiny.html").is_file()


def asked(sampler, path):
    """Let a sampler suggest with pickles planted beside all finished trials; what was seen."""
    storage = f"sqlite:///{path}"
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=storage, sampler=sampler)
    objective = lambda trial: sum(trial.suggest_float(n, 0, 1) for n in "ab")  # noqa: E731
    study.optimize(objective, n_trials=3)
    plant(path, path.with_name("canary"))
    with watching() as found, contextlib.suppress(Exception):
        optuna.load_study(study_name=study.study_name, storage=storage, sampler=sampler).optimize(
            objective, n_trials=1
        )
    return found


def test_cma_es_loads_no_pickle_of_the_ledger(tmp_path):
    """Promise 2: Optuna's sampler runs the pickle planted beside a trial, ours never looks."""
    pytest.importorskip("cmaes")
    words = {"seed": 0, "n_startup_trials": 1, "warn_independent_sampling": False}
    assert any(
        "find_class" in each
        for each in asked(optuna.samplers.CmaEsSampler(**words), tmp_path / "optunas.db")
    )
    assert (tmp_path / "canary").exists()
    (tmp_path / "canary").unlink()
    assert asked(ReplayedCmaEsSampler(**words), tmp_path / "ours.db") == []
    assert not (tmp_path / "canary").exists()


# -- 3. what travels is arrays and JSON, never a pickle -----------------------------------------


def test_a_data_file_with_objects_is_refused_unread(tmp_path):
    """Promise 3: an .npz with pickled arrays is refused with the array's name; nothing is run."""
    arrays = {name: np.zeros((4, 3)) for name in ("x_train", "y_train", "x_test")}
    np.savez(tmp_path / "d.npz", y_test=np.array([Bomb(tmp_path / "canary")], object), **arrays)
    with watching() as found, pytest.raises(DataError, match="y_test holds Python objects"):
        load_dataset(str(tmp_path / "d.npz"))
    (tmp_path / "p.npz").write_bytes(pickle.dumps(Bomb(tmp_path / "canary")))
    with watching() as more, pytest.raises(DataError, match=r"must be a whole \.npz file"):
        load_dataset(str(tmp_path / "p.npz"))
    assert found + more == []
    assert not (tmp_path / "canary").exists()


# -- 5. file names are slugs --------------------------------------------------------------------


NAMES = (
    "../../etc/x", "a/b", "a-b", ".", "..", "CON", "x" * 100, "\u65e5\u672c", "-rf", "~", "$HOME",
    "a\\b", "index", "index-study", "%2e%2e%2f",
)  # fmt: skip


def test_a_name_never_becomes_a_path(here):
    """Promise 5: each study's report lies in the reports' folder, under a name of its own."""
    for name in NAMES:
        build(here / "deep" / "l.db", name, done=1)
        result = sweep("report", "--storage", "deep/l.db", "--", name)
        assert result.exit_code == 0, result.output
    made = {path for path in here.rglob("*") if path.is_file()} - {here / "deep" / "l.db"}
    reports = {path for path in made if path.suffix == ".html"}
    assert {path.parent for path in reports} == {here / "reports"}
    assert len(reports) == len(NAMES)
    assert {path.parent for path in made - reports} <= {here / "deep"}


@pytest.mark.parametrize("name", NAMES)
def test_a_studys_files_lie_in_their_folder(tmp_path, name):
    """Promise 5: weights, pictures and checkpoints are one folder below the others'."""
    folder = artifacts_folder(f"sqlite:///{tmp_path / 'l.db'}", name)
    assert folder.resolve().parent == tmp_path / "artifacts"
    assert report_path(name, tmp_path).resolve().parent == tmp_path / "reports"


@pytest.mark.parametrize("name", ["x" * 300, "a\nb", "a\x00b", " ", "\u202ea"])
def test_a_name_that_no_file_system_takes_is_refused(here, name):
    """Promise 5: long names and control characters end in a message, before anything is made."""
    with pytest.raises(ValueError, match="1 to 100 printable characters"):
        load_study(sections(name))


# -- 6. a password appears nowhere --------------------------------------------------------------


CANARY = "C4n4ry"
SECRET = (
    f"u:{CANARY}@127.0.0.1:1/test",
    f"u:{CANARY}%40{CANARY}%25%3A%2F@127.0.0.1:1/test",
    f"u:{CANARY}@{CANARY}@127.0.0.1:1/test",
    f"u:{CANARY}:%/x@127.0.0.1:1/test",
    f"127.0.0.1:1/test?user=u&password={CANARY}",
    f"127.0.0.1:1/test?user=u&password={CANARY}@{CANARY}",
    f"127.0.0.1:1/test?user=u&password={CANARY}%40%25{CANARY}",
    f"u@127.0.0.1:1/test?sslpassword={CANARY}&passfile=/nowhere",
)
DRIVERS = ("postgresql+psycopg", "postgresql", "mysql+pymysql", "nothing")
COMMANDS = (
    ["list"], ["show", "tiny"], ["run", "digits-grid", "-q"], ["report", "tiny"],
    ["delete", "tiny", "--yes"], ["check", "digits-grid", "--no-probe"],
)  # fmt: skip


@pytest.mark.parametrize("by", ["SWEEP_STORAGE", "SWEEP_STORAGE_FILE"])
@pytest.mark.parametrize("driver", DRIVERS)
def test_a_password_is_in_no_message_and_no_log(here, monkeypatch, driver, by):
    """Promise 6: whatever its form and whatever fails, with the traceback and in the log."""
    for place in SECRET:
        address = f"{driver}://{place}"
        (here / "address").write_text(address + "\n")
        monkeypatch.setenv(by, address if by == "SWEEP_STORAGE" else str(here / "address"))
        for words in COMMANDS[:2] if driver != DRIVERS[0] else COMMANDS[:5:2]:
            result = sweep("-v", "--log-file", "log", *words)
            assert result.exit_code == 2, result.output
            assert CANARY not in result.output, (address, words)
        (here / "address").unlink()
    texts = [path.read_text("utf-8", "replace") for path in here.rglob("*") if path.is_file()]
    assert texts
    assert not [text for text in texts if CANARY in text]


@pytest.mark.parametrize("place", SECRET)
def test_python_shows_no_password_either(here, place):
    """Promise 6: the traceback of the error that a program gets holds no part of it."""
    import traceback

    with pytest.raises(LedgerError) as caught:
        open_study("tiny", f"postgresql+psycopg://{place}")
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_the_address_may_come_from_a_file(here, monkeypatch):
    """Promise 6: the first line of what SWEEP_STORAGE_FILE names; SWEEP_STORAGE goes before it."""
    (here / "address").write_text("sqlite:////tmp/x.db\nmore\n")
    monkeypatch.setenv("SWEEP_STORAGE_FILE", "address")
    assert storage_url() == "sqlite:////tmp/x.db"
    assert storage_url("other.db") == f"sqlite:///{here / 'other.db'}"
    monkeypatch.setenv("SWEEP_STORAGE", "sqlite:////tmp/y.db")
    assert storage_url() == "sqlite:////tmp/y.db"


@pytest.mark.parametrize(("text", "rule"), [(None, "No such file"), ("\n", "first line")])
def test_a_file_without_an_address_is_an_error(here, monkeypatch, text, rule):
    """Promise 6: it never ends in the project's own ledger."""
    if text is not None:
        (here / "address").write_text(text)
    monkeypatch.setenv("SWEEP_STORAGE_FILE", "address")
    result = sweep("list")
    assert result.exit_code == 2
    assert "SWEEP_STORAGE_FILE: address" in result.stderr
    assert rule in result.stderr


def test_a_file_of_passwords_is_no_password(here):
    """Promise 6: an address that only names the driver's password file may be an option."""
    result = sweep("list", "--storage", "nothing://db/x?passfile=/home/me/.pgpass")
    assert "does not belong on the command line" not in result.stderr


def test_a_worker_says_no_password(monkeypatch):
    """Promise 6: what its model raises is recorded as a reason, so it is taken out there."""
    from sweep.workers.failure_reason import reason_of

    monkeypatch.setenv("SWEEP_STORAGE", "mysql://me:w0rker@db/x")
    error = ValueError(os.environ["SWEEP_STORAGE"])
    assert reason_of(error).startswith("ValueError: mysql://me:***@db/x")


POSTGRES = ("127.0.0.1", 5432)


def postgres():
    """Skip unless there are a driver and a server that takes any password."""
    import socket

    pytest.importorskip("psycopg", reason="no PostgreSQL driver is installed")
    try:
        socket.create_connection(POSTGRES, timeout=1).close()
    except OSError:
        pytest.skip("no PostgreSQL server on 127.0.0.1:5432")


def test_a_password_of_a_real_server_is_in_no_output(here, monkeypatch):
    """Promise 6: a study in PostgreSQL is listed, shown, reported and deleted without it."""
    postgres()
    address = f"postgresql+psycopg://postgres:{CANARY}%40%25@127.0.0.1:5432/test"
    monkeypatch.setenv("SWEEP_STORAGE", address)
    name = f"safety-{os.getpid()}"
    build(None, name, winner=True, url=address)
    for words in (["list"], ["show", name], ["report", name], ["show", "none"], ["delete", name]):
        result = sweep("-v", "--log-file", "log", *words, input="y\n")
        assert result.exit_code == (2 if "none" in words else 0), result.output
        assert CANARY not in result.output
    texts = [path.read_text("utf-8", "replace") for path in here.rglob("*") if path.is_file()]
    assert not [text for text in texts if CANARY in text]
