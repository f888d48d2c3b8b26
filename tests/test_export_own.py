"""Winners with layers and functions of one's own, exported: what a fresh process makes of them."""

import json
import subprocess
import sys

import numpy as np
import pytest
from commands import process
from PIL import Image

from sweep import load_best, load_dataset, load_study, run_study
from sweep.errors import ResultError
from sweep.export.recipe import RECIPE
from sweep.support import code_digests

pytestmark = pytest.mark.tensorflow

MODULE = """
import os
import keras
from keras import ops

class Wide(keras.layers.Layer):
    def __init__(self, width):
        super().__init__()
        self.dense = keras.layers.Dense(width)

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return self.dense(x)

def tanh(x):
    return ops.cos(3 * x)

def parts(input_shape, n_classes, width=8):
    if "SWEEP_TEST_GONE" in os.environ:
        raise OSError("not here")
    half = lambda x: x / 2
    inputs = keras.Input(input_shape)
    x = keras.layers.Lambda(half)(Wide(width)(keras.layers.Flatten()(inputs)))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

def namesake(input_shape, n_classes, width=8):
    inputs = keras.Input(input_shape)
    x = keras.layers.Dense(width, activation=tanh)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))
"""
ROWS = load_dataset("digits").x_test[:20]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of mine.py, which is forgotten afterwards."""
    place = tmp_path_factory.mktemp("own")
    (place / "mine.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_digests, "_known", {})
        yield place
    sys.modules.pop("mine", None)


def ran(folder, factory):
    """Run a small study of a factory of mine.py, or read it."""
    study = {
        "study": {"name": factory},
        "data": {"dataset": "digits", "train_rows": 100, "test_rows": 40},
        "model": {"factory": f"mine:{factory}", "epochs": 1},
        "search": {"method": "grid", "validation": 0.2},
        "space": {"width": [4]},
    }
    spec = load_study(study).model_copy(update={"folder": folder})
    return run_study(spec, storage=str(folder / "l.db"), n_jobs=1, allow=["mine"])


@pytest.mark.parametrize("factory", ["parts", "namesake"])
def test_a_model_of_ones_own_parts_loads_in_a_fresh_process(factory, folder, tmp_path, monkeypatch):
    """A layer that nobody registered, a lambda, a function of the name of one of Keras's: exported
    as weights and the factory's name, and the same probabilities come back, by Python and by the
    command; without permission the refusal says what to allow.
    """
    result = ran(folder, factory)
    out = result.export(tmp_path / "out")
    assert {path.name for path in out.iterdir()} == {"weights.npz", RECIPE, "README.md"}
    assert json.loads((out / RECIPE).read_text())["code"] == f"mine:{factory}"
    assert 'sweep.load_best("this-folder", allow=["mine"])' in (out / "README.md").read_text()
    code = (
        "import sys, numpy as np, sweep\n"
        "rows = sweep.load_dataset('digits').x_test[:20]\n"
        "np.save(sys.argv[2], sweep.load_best(sys.argv[1], allow=['mine']).predict_proba(rows))\n"
    )
    there = str(tmp_path / "there.npy")
    subprocess.run([sys.executable, "-c", code, str(out), there], check=True, cwd=folder)
    assert np.load(there) == pytest.approx(result.best_estimator_.predict_proba(ROWS), abs=1e-5)
    monkeypatch.chdir(folder)
    with pytest.raises(ResultError, match=r"may not be loaded; .* allow it: --allow mine, in Pyth"):
        load_best(out)


def test_the_command_predicts_with_permission_and_not_by_edited_code(folder, tmp_path):
    """`sweep predict` finds mine.py where one stands, not once that makes another model."""
    result, place = ran(folder, "parts"), tmp_path / "elsewhere"
    out, picture = result.export(tmp_path / "out"), tmp_path / "0.png"
    place.mkdir()
    (place / "mine.py").write_text(f"# moved\n{MODULE}")
    Image.fromarray(ROWS[0]).save(picture)
    line = ["predict", str(out), str(picture), "--allow", "mine", "--format", "json"]
    done = process(*line, cwd=place)
    assert done.returncode == 0, done.stderr
    label = json.loads(done.stdout)[0]["class"]
    assert label == str(result.best_estimator_.predict(ROWS[:1])[0])
    (place / "mine.py").write_text(MODULE.replace("x / 2", "-x"))
    done = process(*line, cwd=place)
    assert done.returncode == 2
    assert "mine:parts makes another model now than the one that was exported" in done.stderr


def test_what_a_fresh_process_cannot_load_is_not_exported(folder, tmp_path, monkeypatch):
    """Refused with what that process said, and nothing is left behind."""
    from sweep.export import writing

    before = writing.worker_environment()
    monkeypatch.setattr(writing, "worker_environment", lambda: {**before, "SWEEP_TEST_GONE": "1"})
    with pytest.raises(ResultError, match=r"not exported: a fresh process cannot load it: .*not"):
        ran(folder, "parts").export(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
