"""The promises about safety that only a real run, or Keras, can show."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from commands import ROOT, process
from ledgers import build
from PIL import Image
from watched import Bomb, watching

from sweep import load_best, load_dataset, load_study, run_study
from sweep.cli.main import cli
from sweep.errors import DataError, LedgerError, ReferenceError_, ResultError
from sweep.ledger.ledger import Ledger
from sweep.spec.toml import to_toml
from sweep.storage.locations import artifacts_folder
from sweep.study import open_study

pytestmark = pytest.mark.tensorflow

STUDY = {
    "study": {"name": "tiny"},
    "data": {"dataset": "digits", "train_rows": 100, "test_rows": 40},
    "model": {"factory": "mlp", "epochs": 2},
    "search": {"method": "grid", "cv": 2},
    "space": {"hidden_size": [4, 8, 16, 24]},
}


# -- 3. models travel as weights and JSON -------------------------------------------------------


RECIPE = {
    "format": 1, "input_shape": [4], "classes": [0, 1], "class_names": ["a", "b"],
    "scaling": {"shift": 0.0, "scale": 1.0},
}  # fmt: skip


def exported(folder, model, /, **recipe):
    """Write an export whose recipe fits its model, hash and all: its writer is the attacker."""
    path = folder / "model.keras"
    if model is not None:
        model.save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    plain = {**RECIPE, "model_sha256": digest, **recipe}
    (folder / "recipe.json").write_text(json.dumps(plain))
    return folder


def small(*layers):
    """A model from four numbers to two probabilities."""
    return keras.Sequential([keras.Input((4,)), *layers, keras.layers.Dense(2, "softmax")])


def rewritten(folder, change):
    """Change what the configuration inside the model says, then the hash in the recipe."""
    small(keras.layers.Dense(4, name="target")).save(folder / "honest.keras")
    with zipfile.ZipFile(folder / "honest.keras") as held:
        parts = {name: held.read(name) for name in held.namelist()}
    config = json.loads(parts["config.json"])
    layer = next(
        each for each in config["config"]["layers"] if each["config"].get("name") == "target"
    )
    change(layer, config)
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(folder / "model.keras", "w") as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return exported(folder, None)


def refused(folder):
    """Load an export under watch; return what was said."""
    with watching(folder) as found, pytest.raises(ResultError) as caught:
        load_best(folder)
    assert found == []
    assert not (folder / "canary").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_lambda_with_code_is_refused(tmp_path):
    """Promise 3: marshalled code in a layer is not run, though the recipe vouches for the file."""
    canary = str(tmp_path / "canary")
    code = keras.layers.Lambda(lambda x: [open(canary, "w"), x][1], output_shape=(4,))  # noqa: PTH123, SIM115
    folder = exported(tmp_path, small(code))
    (tmp_path / "canary").unlink(missing_ok=True)
    assert "Keras cannot load it in safe mode" in refused(folder)


NOT_LAYERS = {
    "system": {"module": "os", "class_name": "system", "registered_name": None},
    "popen": {"module": "subprocess", "class_name": "Popen", "registered_name": "Popen"},
    "eval": {"module": "builtins", "class_name": "eval", "registered_name": None},
    "beside": {"module": "beside", "class_name": "Layer", "registered_name": "beside>Layer"},
    "fetch": {"module": "keras.utils", "class_name": "get_file", "registered_name": None},
    "saved": {"module": "keras.layers", "class_name": "TFSMLayer", "registered_name": None},
    "kerascv": {"module": "keras_cv.x", "class_name": "Layer", "registered_name": None},
}


@pytest.mark.parametrize("name", NOT_LAYERS)
def test_a_layer_that_is_any_callable_is_refused(tmp_path, monkeypatch, name):
    """Promise 3: a configuration that names a function or a module is refused, nothing loaded."""
    (tmp_path / "beside.py").write_text("open(__file__ + '.ran', 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def change(layer, _config):
        layer.update(NOT_LAYERS[name])
        layer["config"] = {"filepath": str(tmp_path), "fname": "x", "origin": "file:///etc/passwd"}

    assert "Keras cannot load it in safe mode" in refused(rewritten(tmp_path, change))
    assert not (tmp_path / "beside.py.ran").exists()


def test_an_activation_that_is_any_function_is_refused(tmp_path):
    """Promise 3: nor is a function by its module and name."""

    def change(layer, _config):
        function = {"module": "os", "class_name": "function", "config": "system"}
        layer["config"]["activation"] = {**function, "registered_name": "system"}

    assert "Keras cannot load it in safe mode" in refused(rewritten(tmp_path, change))


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 no archive", b"\x80\x04cos\nsystem\n", b"[]", b"\x89HDF\r\n\x1a\n"],
)
def test_a_model_that_is_no_archive_is_refused(tmp_path, content):
    """Promise 3: whatever the file is, the answer is one line."""
    (tmp_path / "model.keras").write_bytes(content)
    assert "Keras cannot load it in safe mode" in refused(exported(tmp_path, None))


def test_an_archive_does_not_write_outside(tmp_path):
    """Promise 3: a member whose name leads elsewhere makes no file there."""
    inner = tmp_path / "inner"
    inner.mkdir()
    small().save(inner / "model.keras")
    with zipfile.ZipFile(inner / "model.keras", "a") as held:
        held.writestr("../../canary", "x")
        held.writestr("/canary", "x")
    with pytest.warns(UserWarning, match="Skipping invalid path"):
        load_best(exported(inner, None))
    assert {path.name for path in tmp_path.iterdir()} == {"inner"}
    assert not Path("/canary").exists()


HOSTILE_RECIPES = {
    "classes": [{"a": 1}, [2]],
    "class_names": [1, 2],
    "input_shape": [10**30],
    "scaling": {"shift": "0", "scale": 10**400},
    "format": {"$ref": "mine:build"},
    "model_sha256": {"path": "../../etc/passwd"},
}


@pytest.mark.parametrize("key", HOSTILE_RECIPES)
def test_a_hostile_recipe_is_refused(tmp_path, key):
    """Promise 3: a recipe is data; what it may not say is named."""
    assert "recipe.json" in refused(exported(tmp_path, small(), **{key: HOSTILE_RECIPES[key]}))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"input_shape": [9, 9]}, "the model takes"),
        ({"classes": [10**30, 1]}, "classes must be"),
        ({"classes": [1, "a"]}, "classes must be"),
        ({"classes": []}, "classes must be"),
    ],
)
def test_a_recipe_of_another_model_is_refused(tmp_path, words, said):
    """Promise 3: rows and labels are the model's own."""
    assert said in refused(exported(tmp_path, small(), **words))


def test_a_recipe_that_nests_too_deep_is_refused(tmp_path):
    """Promise 3: it does not end the process."""
    exported(tmp_path, small())
    (tmp_path / "recipe.json").write_text("[" * 100_000)
    assert "cannot be read" in refused(tmp_path)


def test_files_that_a_recipe_names_are_not_looked_at(tmp_path):
    """Promise 3: only model.keras beside it is loaded, whatever else it names."""
    names = {"model": "../../etc/passwd", "factory": "mine:build", "study": "../x", "data": "/etc"}
    with watching(tmp_path) as found:
        assert load_best(exported(tmp_path, small(), **names)).class_names == ("a", "b")
    assert found == []


HARMS = {
    "objects": lambda held, bomb: {**held, "classes": np.array([bomb], object)},
    "lacks": lambda held, _: {name: held[name] for name in held if name != "counts"},
    "text": lambda held, _: {**held, "counts": np.array(["a", "b", "c", "d"])},
    "shape": lambda held, _: {**held, "weight_0000": np.zeros((3, 3))},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A small study that has a winner, and its ledger."""
    ledger = tmp_path_factory.mktemp("run") / "l.db"
    study = {**STUDY, "space": {"hidden_size": [4]}}
    return run_study(study, storage=str(ledger), n_jobs=1)


@pytest.mark.parametrize("harm", HARMS)
def test_hostile_weights_are_refused(run, tmp_path, harm):
    """Promise 3: the winner's weights are arrays; pickles and what does not fit are refused."""
    path = artifacts_folder(run.url, "tiny", run.record.uid) / "winner.npz"
    honest = path.read_bytes()
    with np.load(path) as held:
        arrays = HARMS[harm](dict(held), Bomb(tmp_path / "canary"))
    try:
        np.savez(path, **arrays)
        with watching() as found, pytest.raises(LedgerError, match="damaged"):
            run.export(tmp_path / "out")
    finally:
        path.write_bytes(honest)
    assert found == []
    assert not (tmp_path / "canary").exists()
    assert not (tmp_path / "out").exists()


def test_hostile_pictures_are_named(tmp_path):
    """Promise 3: a folder whose picture is a pickle or a page is refused with its name."""
    for kind in ("a", "b"):
        (tmp_path / "d" / kind).mkdir(parents=True)
        for number in range(2):
            Image.new("RGB", (8, 8)).save(tmp_path / "d" / kind / f"{number}.png")
    import pickle

    hostile = tmp_path / "d" / "a" / "<img onerror=x>$(touch canary).png"
    for content in (pickle.dumps(Bomb(tmp_path / "canary")), b"<svg onload='x'/>", b""):
        hostile.write_bytes(content)
        with watching() as found, pytest.raises(DataError, match="cannot be read as a picture"):
            load_dataset(str(tmp_path / "d"))
        assert found == []
    assert not (tmp_path / "canary").exists()


def test_an_export_loads_no_code_that_nobody_allowed(tmp_path, monkeypatch):
    """Promise 2: `sweep export` of a ledger that names a module refuses, and does not import it."""
    from click.testing import CliRunner

    (tmp_path / "mine.py").write_text("open(__file__ + '.ran', 'w').close()\n")
    build(tmp_path / "l.db", winner=True, factory="mine:build", space={"width": [1, 2]})
    ledger = Ledger(f"sqlite:///{tmp_path / 'l.db'}")
    ledger.update("tiny", spec={**ledger.header("tiny")["spec"], "folder": str(tmp_path)})
    monkeypatch.chdir(tmp_path)
    with watching(tmp_path) as found:
        done = CliRunner().invoke(cli, ["export", "tiny", "--storage", "l.db"])
    assert (done.exit_code, found) == (2, [])
    assert "allow it with --allow mine" in done.stderr
    assert not (tmp_path / "mine.py.ran").exists()


def test_own_code_that_is_allowed_is_exported(tmp_path):
    """Promise 1: with the person's word the winner of a model of one's own can be had."""
    study = load_study(
        {**STUDY, "model": {"factory": "own_models:plain", "epochs": 1}, "space": {"width": [4]}}
    ).model_copy(update={"folder": ROOT / "tests"})
    run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1, allow=["own_models"])
    with pytest.raises(ReferenceError_, match="--allow own_models"):
        _ = open_study("tiny", str(tmp_path / "l.db")).best_estimator_
    held = open_study("tiny", str(tmp_path / "l.db"), allow=["own_models"])
    assert (held.export(tmp_path / "out") / "model.keras").is_file()


# -- 6 and 7. a run: nothing listens, no password in any command line ---------------------------


CANARY = "C4n4ryRun"


def descendants(pid):
    """Return a process and all that it has started."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def sockets(pid):
    """Return the inodes of a process's sockets."""
    held = set()
    for fd in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            place = str(fd.readlink())
        except OSError:
            continue
        if place.startswith("socket:["):
            held.add(place[8:-1])
    return held


def reachable():
    """Return the inodes of sockets that another process could send to, with what they are."""
    found = {}
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" or kind.startswith("udp"):
                found[words[9]] = f"{kind} {words[1]}"
    for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
        words = line.split()
        if len(words) > 7:  # bound to a name, in the file system or abstract
            found[words[6]] = f"unix {words[7]}"
    return found


def command_lines():
    """Return the command lines of all processes, as everyone on the machine may read them."""
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return texts


def watched_run(folder, env):
    """Run a small study with two workers; return its sockets, processes, status and output."""
    (folder / "study.toml").write_text(to_toml(STUDY))
    words = ["-v", "--log-file", "log", "run", "study.toml", "-j", "2"]
    child = subprocess.Popen(
        [sys.executable, "-m", "sweep", *words], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PYTHONPATH": str(ROOT), **os.environ, **env},
    )  # fmt: skip
    found, most, lines = {}, 0, []
    while child.poll() is None:
        family = descendants(child.pid)
        held = set().union(*map(sockets, family))
        found |= {number: what for number, what in reachable().items() if number in held}
        most = max(most, len(family))
        lines += [line for line in command_lines() if CANARY in line]
        time.sleep(0.1)
    return found, most, lines, child.returncode, child.communicate()[0]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_nothing_listens_during_a_run(tmp_path):
    """Promise 7: neither the command nor any of its processes holds a socket others could reach."""
    found, most, _, status, output = watched_run(tmp_path, {})
    assert status == 0, output
    assert most >= 4  # the command, the template, two workers
    assert found == {}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_run_shows_its_password_nowhere(tmp_path):
    """Promise 6: not in a process list, a worker's log, the report or the output."""
    pytest.importorskip("psycopg", reason="no PostgreSQL driver is installed")
    address = f"postgresql+psycopg://postgres:{CANARY}%40%25@127.0.0.1:5432/test"
    env = {"PYTHONPATH": str(ROOT), **os.environ, "SWEEP_STORAGE": address}
    try:
        _, _, lines, status, output = watched_run(tmp_path, env)
    finally:
        process("delete", "tiny", "--yes", env=env, cwd=tmp_path)
    assert status == 0, output
    texts = [path.read_text("utf-8", "replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert len(texts) >= 4
    assert CANARY not in output
    assert [text for text in [*texts, *lines] if CANARY in text] == []


def test_a_broken_workers_log_holds_no_password(tmp_path):
    """Promise 6: what a worker that cannot begin writes is its reason, without the password."""
    job = {"storage": f"nothing://u:{CANARY}@db/x", "study": "tiny", "data_home": None, "allow": []}
    done = process(code=("-m", "sweep.workers"), input=json.dumps(job) + "\n", cwd=tmp_path)
    assert done.returncode == 1
    assert "LedgerAwayError" in done.stderr
    assert '"broken"' in done.stdout
    assert CANARY not in done.stdout + done.stderr
