"""A factory is called once before the first fit: check, submit and run refuse what cannot be."""

import json
import re

import pytest
from click.testing import CliRunner

from sweep import run_study
from sweep.cli.main import cli
from sweep.errors import StudyFileError
from sweep.study.submit import submit_study

pytestmark = pytest.mark.tensorflow

FACTORY = """
import os
import keras


def create_model(optimizer="adam", init="uniform", dropout_rate=0.0):
    model = keras.Sequential([
        keras.Input({shape}),
        keras.layers.Flatten(),
        keras.layers.Dense(16, "relu", kernel_initializer=init),
        keras.layers.Dropout(dropout_rate),
        keras.layers.Dense({units}, "softmax", kernel_initializer=init),
    ])
    model.compile(
        loss="sparse_categorical_crossentropy", optimizer={compiled}, metrics=["accuracy"]
    )
    return model


def told(meta, compile_kwargs, optimizer_name="x"):
    model = keras.Sequential([
        keras.Input(meta["X_shape_"][1:]),
        keras.layers.Flatten(),
        keras.layers.Dense(meta["n_classes_"], "softmax"),
    ])
    model.compile(**compile_kwargs)
    return model


def forgets(width=3):
    create_model()


def convolves(input_shape, n_classes, filters=3):
    return keras.Sequential([
        keras.Input(input_shape),
        keras.layers.Conv2D(filters, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(n_classes, "softmax"),
    ])


class Subclass(keras.Model):
    def __init__(self, units=3):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.hidden = keras.layers.Dense(units, "relu")
        self.out = keras.layers.Dense(10, "softmax")

    def call(self, rows):
        return self.out(self.hidden(self.flat(rows)))


def leaves(width=3):
    os._exit(7)
"""

PLAIN = {"shape": (8, 8), "units": 10, "compiled": "optimizer"}


def study(folder, module, factory="create_model", model=None, space=None, **changes):
    """Write such a factory beside a study over it; return the study."""
    text = FACTORY.format(**{**PLAIN, **changes})
    (folder / f"{module}.py").write_text(text, "utf-8")
    return {
        "study": {"name": module},
        "data": {"dataset": "digits", "train_rows": 120, "test_rows": 60},
        "model": {"factory": f"{module}:{factory}", "epochs": 1, **(model or {})},
        "search": {"method": "grid", "cv": 2, "refit": False},
        "space": space or {"dropout_rate": [0.0, 0.5]},
    }


def run(folder, sections, monkeypatch):
    """Run a study from the folder of its module."""
    monkeypatch.chdir(folder)
    module = sections["study"]["name"]
    return run_study(sections, storage=str(folder / "l.db"), n_jobs=1, allow=[module])


def test_a_factory_as_tutorials_write_it_runs(tmp_path, monkeypatch):
    """No shape, no classes in its signature: all that it names is its own."""
    space = {"optimizer": ["SGD", "Adam"], "init": ["uniform", "he_normal"]}
    frame = run(tmp_path, study(tmp_path, "as_it_is", space=space), monkeypatch).frame
    assert len(frame) == 4
    assert frame["mean_test_score"].notna().all()


@pytest.mark.parametrize(
    ("module", "changes", "has"),
    [
        ("other_rows", {"shape": (28, 28)}, "rows of shape (28, 28) and has 10 outputs"),
        ("other_classes", {"units": 3}, "rows of shape (8, 8) and has 3 outputs"),
    ],
)
def test_a_model_for_other_data_is_refused(tmp_path, monkeypatch, module, changes, has):
    """Before a ledger holds the study, with both and with what to write."""
    with pytest.raises(StudyFileError) as error:
        run(tmp_path, study(tmp_path, module, **changes), monkeypatch)
    assert has in str(error.value)
    assert "the data have rows of shape (8, 8) and 10 classes" in str(error.value)
    assert "def create_model(input_shape, n_classes, optimizer, init, dropout" in str(error.value)


def test_a_factory_that_returns_no_model_is_refused(tmp_path, monkeypatch):
    """Once, and not by every cell of a study."""
    sections = study(tmp_path, "returns_none", "forgets", space={"width": [3, 4]})
    with pytest.raises(StudyFileError, match=r"model\.factory: .*got nothing; end it with return"):
        run(tmp_path, sections, monkeypatch)


def test_a_layer_that_takes_channels_is_told_how_rows_get_them(tmp_path, monkeypatch):
    """Digits and MNIST have none; with the line that is asked for the study runs."""
    sections = study(tmp_path, "lacks_channels", "convolves", space={"filters": [2]})
    with pytest.raises(StudyFileError, match=r"say image_shape = \[8, 8, 1\] in \[model\]"):
        run(tmp_path, sections, monkeypatch)
    sections["model"]["image_shape"] = [8, 8, 1]
    assert run(tmp_path, sections, monkeypatch).frame["mean_test_score"].notna().all()


def test_a_class_of_keras_models_is_a_factory(tmp_path, monkeypatch):
    """What it takes is searched, and it is trained by sweep's optimizer."""
    space = {"units": [2, 30], "optimizer": ["Adam"]}
    frame = run(tmp_path, study(tmp_path, "a_class", "Subclass", space=space), monkeypatch).frame
    assert frame["mean_test_score"].notna().all()


def refused_everywhere(folder, sections, monkeypatch, capsys):
    """Return the problems that run, submit and check name: the same."""
    monkeypatch.chdir(folder)
    module, ledger = sections["study"]["name"], str(folder / "l.db")
    found = []
    for act in (run_study, submit_study):
        with pytest.raises(StudyFileError) as error:
            act(sections, storage=ledger, allow=[module])
        found.append(error.value.problems)
    path = folder / "s.json.toml"
    tables = {
        name: "\n".join(f"{key} = {json.dumps(value)}" for key, value in table.items())
        for name, table in sections.items()
    }
    path.write_text("\n".join(f"[{name}]\n{text}" for name, text in tables.items()), "utf-8")
    for more in ([], ["--no-probe"]):
        words = ["check", str(path), "--allow", module, "--storage", ledger, *more]
        done = CliRunner().invoke(cli, words)
        assert done.exit_code == 2
        said = re.sub(r" \(line \d+\)", "", " ".join(done.output.split()))
        assert f"{path.name}: {len(found[0])} problem" in said
        assert all(problem in said for problem in found[0])
    assert found[0] == found[1]
    return found[0]


def test_what_cannot_reach_the_optimizer_is_refused_by_name(tmp_path, monkeypatch, capsys):
    """Searched or fixed: by run, submit and check, before anything trains."""
    sections = study(
        tmp_path, "compiles", model={"weight_decay": 0.1}, space={"momentum": [0.0, 0.9]}
    )
    problems = refused_everywhere(tmp_path, sections, monkeypatch, capsys)
    names = [problem.partition(":")[0] for problem in problems]
    assert names == ["space.momentum", "model.weight_decay"]
    assert all("the factory compiles its own optimizer" in problem for problem in problems)


def test_compile_kwargs_carry_the_optimizer_to_the_factory(tmp_path, monkeypatch):
    """As SciKeras does: the study's optimizer and rate reach the model."""
    space = {"optimizer": ["sgd", "adam"], "learning_rate": [0.001, 0.5]}
    frame = run(tmp_path, study(tmp_path, "carried", "told", space=space), monkeypatch).frame
    assert frame["mean_test_loss" if "mean_test_loss" in frame else "mean_test_score"].nunique() > 2


def test_a_factory_that_ends_its_process_costs_its_cells_alone(tmp_path, monkeypatch):
    """The process that calls it once is not the run's."""
    sections = study(tmp_path, "deadly_once", "leaves", space={"width": [3]})
    result = run(tmp_path, sections, monkeypatch)
    assert {t.state for t in result.record.trials} <= {"FAIL", "CUT"}
