"""What code and data make wrong in a study file is told at once, at the lines of that file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sweep import run_study
from sweep.cli.main import cli
from sweep.errors import ReferenceError_, StudyFileError, StudyReferenceError
from sweep.evaluation.estimator import check_user_code
from sweep.spec import load_study
from sweep.spec.study_file import told_at_lines

CODE = """
from sweep.models import mlp
def build(shape, n_classes, width=8, rate=0.0):
    return mlp(shape, n_classes, hidden_size=width)
def anything(shape, n_classes, **more):
    return mlp(shape, n_classes)
"""

STUDY = """
[study]
name = "other-than-the-file"
[data]
dataset = "digits"
train_rows = 100
[model]
factory = "placed:build"
verbose = 0
unitz = 3
[search]
method = "grid"
cv = 2
[space]
widht = [1, 2]
rate = [0.0, 0.1]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Return a function that writes a study file with changes, beside its factories."""
    (tmp_path / "placed.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)

    def written(*changes):
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mine.toml").write_text(text)
        return "mine.toml"

    return written


def code_problems(file, allow=("placed",)):
    """Return the error of a file's code."""
    spec = load_study(file)
    with pytest.raises((StudyFileError, ReferenceError_)) as caught, told_at_lines(spec):
        check_user_code(spec, allow)
    return caught.value


def test_every_parameter_is_told_where_it_stands(write):
    """All at once: in [model] and in [space], under the file's name."""
    error = code_problems(write())
    assert error.source == "mine.toml"
    assert [problem.partition(":")[0] for problem in error.problems] == [
        "model.verbose (line 9)", "model.unitz (line 10)", "space.widht (line 15)"
    ]  # fmt: skip
    assert error.places[2] == (
        "space.widht", 15, "unknown parameter of build; did you mean width?"
    )  # fmt: skip


def test_code_that_cannot_be_loaded_is_told_at_the_key_that_names_it(write):
    """It stays an error of a reference too."""
    error = code_problems(write(("placed:build", "placed:bild")))
    assert isinstance(error, StudyReferenceError)
    assert isinstance(error, ReferenceError_)
    assert error.problems[0].startswith('model.factory (line 8): module "placed" has no "bild"')
    assert code_problems("mine.toml", allow=()).places[0][:2] == ("model.factory", 8)


def check(*words):
    """Return the exit status of ``sweep check`` and what it says, in one line."""
    done = CliRunner().invoke(cli, ["check", "mine.toml", *words])
    return done.exit_code, " ".join(done.output.split())


def test_what_the_file_says_and_what_its_code_says_are_told_together(write):
    """Also where the code may not be loaded."""
    file = write(("cv = 2", "kv = 2"))
    status, said = check("--allow", "placed")
    assert (status, "mine.toml: 4 problems" in said) == (2, True)
    places = ("search.kv (line 13)", "model.verbose (line 9)", "space.widht (line 15)")
    assert all(place in said for place in places)
    status, said = check()
    assert (status, f"{file}: 2 problems" in said) == (2, True)
    assert 'model.factory (line 8): module "placed" may not be loaded' in said


def test_a_change_of_the_command_line_is_told_as_one(write):
    """No line of the file says it."""
    status, said = check("--allow", "placed", "--set", "space.depth=[1, 2]", "--set", "search.k=1")
    assert status == 2
    write()
    status, said = check("--allow", "placed", "--set", "space.depth=[1, 2]", "--set", "search.k=1")
    assert "space.depth (--set): unknown parameter of build" in said
    assert "search.k (--set): unknown key" in said


@pytest.mark.tensorflow
def test_code_data_and_the_model_are_told_together(write):
    """A class with too few rows, unknown parameters, and an optimizer that reaches nothing."""
    compiles = (
        "import keras\n"
        "def build(input_shape, n_classes, width=8):\n"
        "    model = keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(),\n"
        "        keras.layers.Dense(n_classes, 'softmax')])\n"
        "    model.compile('sgd', 'sparse_categorical_crossentropy')\n"
        "    return model\n"
    )
    write(
        ("placed:build", "compiles_itself:build"),
        ("cv = 2", "cv = 50"),
        ("rate = [0.0, 0.1]", "momentum = [0.1, 0.2]"),
    )
    Path("compiles_itself.py").write_text(compiles)
    status, said = check("--allow", "compiles_itself", "--no-probe")
    assert (status, "mine.toml: 5 problems" in said) == (2, True)
    for told in (
        "model.verbose (line 9): is a word", "search.cv (line 13): ",
        "space.widht (line 15): unknown", "space.momentum (line 16): the factory compiles its own",
    ):  # fmt: skip
        assert told in said


def test_a_study_given_in_python_is_told_by_its_name(write):
    """It has no file and no lines."""
    write()
    sections = {
        "study": {"name": "given"}, "data": {"dataset": "digits"},
        "model": {"factory": "placed:build", "verbose": 0},
        "search": {"method": "grid", "cv": 2}, "space": {"widht": [1]},
    }  # fmt: skip
    spec = load_study(sections)
    with pytest.raises(StudyFileError) as caught, told_at_lines(spec):
        check_user_code(spec, ["placed"])
    assert caught.value.source == "given"
    assert caught.value.problems[1].startswith("space.widht: unknown parameter of build")
    with pytest.raises(ReferenceError_, match="may not be loaded"):
        run_study(sections)
