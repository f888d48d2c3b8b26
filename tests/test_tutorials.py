"""The tutorials of examples/tutorials run on 1,000 rows as they stand, and every setting acts."""

import shutil
from pathlib import Path

import pytest

from sweep import load_study, run_study

FOLDER = Path(__file__).parent.parent / "examples" / "tutorials"
STUDIES = sorted(path.stem for path in FOLDER.glob("*.toml"))
MODULES = ("grid_tutorial", "tuner_tutorial")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the examples to stand in."""
    copied = shutil.copytree(FOLDER, tmp_path / "tutorials")
    monkeypatch.chdir(copied)
    return copied


@pytest.mark.parametrize("name", STUDIES)
def test_every_tutorial_is_a_study_of_a_thousand_digits(name):
    """And its factory stands beside it."""
    spec = load_study(FOLDER / f"{name}.toml")
    assert (spec.data.dataset, spec.data.train_rows) == ("digits", 1000)
    module, _, function = spec.model.factory.partition(":")
    assert f"def {function}(" in (FOLDER / f"{module}.py").read_text("utf-8")


def test_no_tutorial_knows_of_sweep():
    """The functions are what people have."""
    for module in MODULES:
        code = (FOLDER / f"{module}.py").read_text("utf-8").partition('"""\n\n')[2]
        assert "sweep" not in code
        assert "n_classes" not in code


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", STUDIES)
def test_a_tutorial_runs_and_its_settings_act(name, folder):
    """With fewer epochs and splits, every candidate has a score and not all have one."""
    spec = load_study(folder / f"{name}.toml")
    changes = [] if spec.search.validation else ["search.cv=2"]
    changes += [] if spec.searched_epochs else ["model.epochs=4"]
    spec = load_study(folder / f"{name}.toml", set_=changes)
    result = run_study(spec, allow=MODULES, storage=str(folder / "ledger.db"), n_jobs=1)
    assert set(result.frame["state"]) == {"COMPLETE"}
    scores = result.frame["mean_test_score"]
    assert scores.nunique() >= 3
    assert scores.max() > 0.2
    assert result.test_score_ > 0.2
