"""Keras in our processes is TensorFlow's with its own defaults, and loading it never hangs."""

import json
import os
import subprocess
import sys

import pytest
from commands import ROOT, here, process  # noqa: F401

from sweep.errors import SettingWarning, SetupError
from sweep.study import open_study
from sweep.support.keras_configuration import settle

FOREIGN = {"backend": "jax", "image_data_format": "channels_first", "floatx": "float64"}
FOUR_THREADS = """
import os, threading
from sweep.support.tensorflow_loading import load_tensorflow
threads = [threading.Thread(target=load_tensorflow) for _ in range(4)]
[each.start() for each in threads]
[each.join() for each in threads]
import keras
from keras import config
print(config.backend(), config.image_data_format(), config.floatx(), config.max_epochs())
os.write(2, b"standard error is back")
"""
FITS = """
import numpy as np
from sweep import KerasMLPClassifier
KerasMLPClassifier(epochs=1).fit(np.zeros((8, 4)), [0, 1] * 4)
"""
STUDY = """
[study]
name = "k"
[data]
dataset = "digits"
train_rows = 60
test_rows = 30
[model]
factory = "cnn"
epochs = 1
[search]
method = "grid"
cv = 2
[space]
learning_rate = [0.01]
"""


def settings(folder, **entries):
    """Write a ``keras.json`` and return the environment that names it."""
    folder.mkdir(exist_ok=True)
    (folder / "keras.json").write_text(json.dumps(entries))
    return {"KERAS_HOME": str(folder)}


def python(*words, **environment):
    """Run Python as a process of its own."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, *words], env=env, capture_output=True, text=True, check=False, timeout=120
    )


def test_foreign_settings_are_left_aside_and_named_at_once(tmp_path):
    """Each with ours, what was asked, and where; the environment names our backend from then on."""
    given = settings(tmp_path, **FOREIGN, epsilon=0.1) | {"KERAS_MAX_EPOCHS": "1"}
    with pytest.warns(SettingWarning) as said:
        settle(given)
    (text,) = [str(each.message) for each in said]
    path = tmp_path / "keras.json"
    assert text == (
        f"Keras runs here with no max_epochs, not 1 (KERAS_MAX_EPOCHS); "
        f"backend = tensorflow, not jax ({path}); "
        f"image_data_format = channels_last, not channels_first ({path}); "
        f"floatx = float32, not float64 ({path}); epsilon = 1e-07, not 0.1 ({path})"
    )
    assert given == {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "tensorflow"}
    settle(settings(tmp_path, **FOREIGN, epsilon=0.1) | {"KERAS_MAX_EPOCHS": "1"})


@pytest.mark.parametrize("held", [None, "{}", "[1]", "no json", '{"backend": "tensorflow"}'])
def test_usual_settings_are_nothing_to_speak_of(tmp_path, held):
    """No file, an empty or unreadable one, one that says what we say."""
    if held is not None:
        (tmp_path / "keras.json").write_text(held)
    settle({"KERAS_HOME": str(tmp_path)})


@pytest.mark.tensorflow
def test_four_threads_load_it_at_once_with_our_settings(tmp_path):
    """None waits for ever, the person's file stays as it is, standard error comes back."""
    environment = settings(tmp_path, **FOREIGN)
    done = python("-c", FOUR_THREADS, **environment, KERAS_MAX_EPOCHS="1")
    assert done.stdout.split() == ["tensorflow", "channels_last", "float32", "None"], done.stderr
    assert done.stderr.count("not jax") == 1
    assert done.stderr.endswith("standard error is back")
    assert json.loads((tmp_path / "keras.json").read_text()) == FOREIGN


@pytest.mark.tensorflow
@pytest.mark.parametrize("first", ["", "import tensorflow", "import keras"])
def test_a_script_that_tensorflow_s_own_loading_runs_is_told_so(tmp_path, first):
    """Named six.py, it is run again from within, whoever began to load: no hang, its name."""
    script = tmp_path / "six.py"
    script.write_text(f"{first}\n{FITS}")
    done = python(str(script))
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert f"its loading runs {script}, which asks for it again; rename the file" in last


@pytest.mark.tensorflow
def test_keras_loaded_with_other_settings_is_refused_at_once(monkeypatch):
    """In a notebook: one error with every setting and its remedy."""
    from keras import config

    from sweep.support.tensorflow_loading import load_tensorflow

    load_tensorflow()
    for name, value in {**FOREIGN, "max_steps_per_epoch": 3}.items():
        monkeypatch.setattr(config, name, lambda value=value: value)
    with pytest.raises(SetupError) as refused:
        load_tensorflow()
    for part in (
        "the backend must be tensorflow, got jax: restart Python and set KERAS_BACKEND=tensorflow",
        'got channels_first: call keras.config.set_image_data_format("channels_last")',
        'floatx must be float32, got float64: call keras.config.set_floatx("float32")',
        "max_steps_per_epoch must not be set, got 3: call",
    ):
        assert part in str(refused.value)


@pytest.mark.tensorflow
def test_a_run_has_the_scores_of_ours_and_says_what_it_leaves_aside(here):  # noqa: F811
    """One note on standard error; scores as without the person's settings."""
    (here / "s.toml").write_text(STUDY)
    scores = []
    for name, given in (("usual", {}), ("foreign", FOREIGN)):
        env = settings(here / name, **given) | {"KERAS_BACKEND": given.get("backend", "")}
        words = ("run", "s.toml", "--n-jobs", "1", "--no-report", "--storage", f"{name}.db")
        done = process(*words, env=env, cwd=here)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("note: Keras runs here with backend = tensorflow") == bool(given)
        scores.append(open_study("k", str(here / f"{name}.db")).frame["mean_test_score"].tolist())
    assert scores[0] == scores[1]


@pytest.mark.tensorflow
def test_what_stops_a_worker_before_its_first_cell_is_said(here):  # noqa: F811
    """The last line of what it has printed, also where not even the template could be loaded."""
    (here / "s.toml").write_text(STUDY)
    (here / "shadow").mkdir()
    (here / "shadow" / "keras.py").write_text("raise RuntimeError('no such luck')")
    paths = os.pathsep.join((str(ROOT), str(here / "shadow")))
    words = ("run", "s.toml", "--n-jobs", "2", "--no-report")
    done = process(*words, env={"PYTHONPATH": paths}, cwd=here)
    checked = process("check", "s.toml", env={"PYTHONPATH": paths}, cwd=here)
    assert (done.returncode, checked.returncode) == (2, 2), checked.stderr
    assert "TensorFlow cannot be loaded here: RuntimeError: no such luck" in checked.stderr
    assert f"({here / 'shadow' / 'keras.py'}, line 1)" in checked.stderr
    assert "workers cannot start (exit status 1): RuntimeError: no such luck" in done.stderr
