"""What only Python can hand in to a study: functions, arrays, NumPy's numbers, paths."""

import sys
from functools import partial
from pathlib import Path

import numpy as np
import own_models
import pytest

from sweep import Dataset, load_study
from sweep.errors import StudyFileError

STUDY = {
    "study": {"name": "handed"},
    "data": {"dataset": "digits"},
    "model": {"factory": "mlp"},
    "search": {"method": "grid"},
    "space": {"hidden_size": [4]},
}
ROWS = np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1])
SAVE = (
    'numpy.savez("mine.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test), '
    'then write "dataset": "mine.npz"'
)


def problem(section, key, value):
    """Return the message about a value."""
    with pytest.raises(StudyFileError) as caught:
        load_study({**STUDY, section: {**STUDY.get(section, {}), key: value}})
    (said,) = caught.value.problems
    return said


def of_this_session(input_shape, n_classes):
    """A factory as one writes it in a notebook."""


of_this_session.__module__ = "__main__"


@pytest.mark.parametrize(
    ("factory", "remedy"),
    [
        (own_models.plain, 'write "factory": "own_models:plain" and run_study(..., allow=["own_'),
        (of_this_session, 'file mine.py, write "factory": "mine:of_this_session" and run_study('),
        (lambda *_: None, 'put the function into a file mine.py, write "factory": "mine:build" an'),
        (partial(own_models.plain, width=3), 'a file mine.py, write "factory": "mine:plain" and'),
    ],
)
def test_a_function_as_factory_says_what_to_write(factory, remedy):
    """Its own name where it has one that workers can import, else a file to put it into."""
    said = problem("model", "factory", factory)
    assert said.startswith("model.factory: must be a name that workers can load, got a function; ")
    assert remedy in said


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        (ROWS, ROWS),
        dict(zip("xy", ROWS, strict=True)),
        ROWS[0],
        Dataset("d", *ROWS, *ROWS, ()),
    ],
)
def test_arrays_as_dataset_say_what_to_write(rows):
    """An .npz: in one message, without a word of each array's own."""
    said = problem("data", "dataset", rows)
    kind = type(rows).__name__
    assert said == f"data.dataset: must be a name that workers can load, got {kind}; {SAVE}"


def test_functions_as_dataset_and_section_say_what_to_write():
    """The same rule, wherever a study names code."""
    assert 'write "dataset": "own_models:dataset"' in problem("data", "dataset", own_models.dataset)
    said = problem("report", "sections", ["summary", own_models.plain])
    assert 'add "own_models:plain" to "sections"' in said


def test_numpys_numbers_and_ranges_are_choices():
    """As anybody writes a space who comes from scikit-learn."""
    space = {
        "learning_rate": np.logspace(-3, -1, 3),
        "hidden_size": (np.int64(4), np.int64(8)),
        "epochs": range(1, 3),
        "optimizer": np.array(["adam", "sgd"]),
    }
    plain = load_study({**STUDY, "space": space}).sections()["space"]
    assert plain == {
        "learning_rate": [0.001, 0.01, 0.1],
        "hidden_size": [4, 8],
        "epochs": [1, 2],
        "optimizer": ["adam", "sgd"],
    }


def test_a_path_is_its_text(tmp_path):
    """For a dataset in a file."""
    np.savez(tmp_path / "d.npz", x=1)
    spec = load_study({**STUDY, "data": {"dataset": tmp_path / "d.npz"}})
    assert spec.data.dataset == str(tmp_path / "d.npz")


def test_a_study_in_python_stands_where_one_stands_or_where_its_script_is(tmp_path, monkeypatch):
    """Workers find the module beside a script that is run from elsewhere."""
    script = tmp_path / "script"
    script.mkdir()
    (script / "mine.py").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(script), *sys.path])
    own = {**STUDY, "model": {"factory": "mine:build"}, "space": {"width": [1]}}
    assert load_study(own).folder == script
    assert load_study(STUDY).folder == Path.cwd()
    (tmp_path / "mine.py").write_text("")
    assert load_study(own).folder == Path.cwd()
