"""Code of one's own that changes: between two runs, while one goes on, after its winner."""

import sys

import pytest

from sweep import load_dataset, load_study, run_study
from sweep.errors import LedgerError, ResultError, StudyChangedError
from sweep.study.join import join_study
from sweep.study.submit import submit_study
from sweep.support import code_digests

pytestmark = pytest.mark.tensorflow

MODULE = """
from sweep.models import mlp

def build(input_shape, n_classes, width=8{more}):
    return mlp(input_shape, n_classes, hidden_size=width{wider}, activation="{activation}")
"""
STUDY = {
    "study": {"name": "first"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 100, "scaling": "unit"},
    "model": {"factory": "mine:build", "epochs": 3},
    "search": {"method": "grid", "validation": 0.2},
    "space": {"width": [16]},
}


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write mine.py anew; it is forgotten afterwards."""
    monkeypatch.setattr(code_digests, "_known", {})

    def written(more="", wider="", activation="relu"):
        text = MODULE.format(more=more, wider=wider, activation=activation)
        (tmp_path / "mine.py").write_text(text)

    yield written
    sys.modules.pop("mine", None)


def run(folder, name, watcher=None, **space):
    """Run a study beside mine.py, in this process's session."""
    study = {**STUDY, "study": {"name": name}, "space": space or STUDY["space"]}
    spec = load_study(study).model_copy(update={"folder": folder})
    storage = str(folder / "l.db")
    return run_study(spec, storage=storage, n_jobs=1, allow=["mine"], watcher=watcher)


def agrees(result):
    """Whether the winner scores what is recorded."""
    test = load_dataset("digits", train_rows=200, test_rows=100)
    return result.best_estimator_.score(test.x_test, test.y_test) == result.test_score_


def test_a_module_edited_between_two_runs_of_one_session(write, tmp_path):
    """The session's own winner is of the code that the workers ran: another activation, width, a
    new parameter. A winner of the old code is refused where the new one makes another model of it,
    and only there.
    """
    write()
    first = run(tmp_path, "first")
    assert agrees(first)
    write(activation="tanh")
    assert agrees(run(tmp_path, "second"))
    with pytest.raises(ResultError, match="the code of mine has changed since its winner"):
        _ = first.best_estimator_
    write(more=", depth=1", wider=" * 2")
    assert agrees(run(tmp_path, "third", width=[16], depth=[1]))
    with pytest.raises(ResultError, match="the code of mine has changed since its winner"):
        _ = first.best_estimator_
    write(more=", unused=1")
    said = []
    again = run(tmp_path, "first", watcher=Heard(said))
    assert agrees(again)
    assert ["note: code has changed since this study was run: mine" in line for line in said] == [1]


def test_a_study_does_not_grow_with_other_code(write, tmp_path):
    """One table is of one code: the message names both, and the name that keeps both."""
    write()
    run(tmp_path, "grows", width=[8])
    write(activation="tanh")
    with pytest.raises(StudyChangedError, match=r"results of other code: mine .* --name grows-2"):
        run(tmp_path, "grows", width=[8, 16])
    write()
    assert len(run(tmp_path, "grows", width=[8, 16]).frame) == 2


class Heard:
    """Keeps what is said."""

    def __init__(self, said):
        self.say = said.append
        self.begin = self.end = self.update = lambda *_: None
        self.ended = lambda *_: None


def test_a_worker_that_begins_after_an_edit_is_refused(tmp_path, monkeypatch):
    """A run is of one code: the worker that takes the place of one that died does not go on with
    the edited module, and says what has changed.
    """
    monkeypatch.setattr(code_digests, "_known", {})
    (tmp_path / "edited.py").write_text(
        "import os\nfrom pathlib import Path\nfrom sweep.models import mlp\n"
        "def build(input_shape, n_classes, width=8):\n"
        "    if width == 13:\n"
        "        Path(__file__).write_text(Path(__file__).read_text() + 'NEW = 1\\n')\n"
        "        os._exit(41)\n"
        "    return mlp(input_shape, n_classes, hidden_size=width)\n"
    )
    study = {**STUDY, "model": {"factory": "edited:build", "epochs": 1}}
    spec = load_study({**study, "space": {"width": [13, 4, 5]}})
    spec = spec.model_copy(update={"folder": tmp_path})
    with pytest.raises(LedgerError, match=r"this run began with other code: edited [0-9a-f]+, now"):
        run_study(spec, storage=str(tmp_path / "l.db"), n_jobs=1, allow=["edited"])


def test_a_machine_with_other_code_does_not_help(write, tmp_path):
    """A table is of one code: `sweep worker` refuses where mine.py is another than the run's; the
    run itself takes the code as it is, with a note, and helpers then with it.
    """
    write()
    storage = str(tmp_path / "l.db")
    spec = load_study(STUDY).model_copy(update={"folder": tmp_path})
    submit_study(spec, storage=storage, allow=["mine"])
    write(activation="tanh")
    with pytest.raises(StudyChangedError, match=r"runs on other code: mine .*, here mine .*; give"):
        join_study("first", storage, n_jobs=1, allow=["mine"])
    said = []
    submit_study(spec, storage=storage, allow=["mine"], watcher=Heard(said))
    assert ["versions have changed since: mine" in line for line in said] == [True]
    assert join_study("first", storage, n_jobs=1, allow=["mine"]).record.done == 1


def test_a_helper_that_a_factory_imports_when_called_is_found_by_workers(write, tmp_path):
    """It lies beside the study file, and nothing imports it when the factory's module loads."""
    write()
    text = (tmp_path / "mine.py").read_text()
    inside = "    from late_helper import double\n    width = double(width)\n    return"
    (tmp_path / "mine.py").write_text(text.replace("    return", inside))
    (tmp_path / "late_helper.py").write_text("def double(width):\n    return 2 * width\n")
    result = run(tmp_path, "late")
    assert result.best_estimator_.model_.layers[-2].units == 32
    assert agrees(result)
