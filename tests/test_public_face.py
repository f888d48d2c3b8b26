"""The names people import."""

import pytest

import sweep
import sweep.study


def test_all_is_sorted_and_pinned():
    """Adding or removing a public name is a decision, made here too."""
    assert sweep.__all__ == [
        "Dataset",
        "KerasCNNClassifier",
        "KerasClassifier",
        "KerasMLPClassifier",
        "OptunaSearchCV",
        "Section",
        "StudyResult",
        "StudySpec",
        "SweepError",
        "connect",
        "import_results",
        "load_best",
        "load_dataset",
        "load_study",
        "open_study",
        "run_study",
    ]


@pytest.mark.parametrize("package", [sweep, sweep.study], ids=lambda package: package.__name__)
def test_every_lazy_name_has_a_home(package):
    """The lazy table and __all__ agree; each name is listed, once, and found."""
    assert sorted(package._HOMES) == sorted(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    assert len(set(dir(package))) == len(dir(package))
    assert all(getattr(package, name).__name__ == name for name in package.__all__)


def test_names_without_heavy_imports_resolve():
    """A lazy name is the object of its room."""
    from sweep.errors import SweepError

    assert sweep.SweepError is SweepError


def test_an_unknown_name_is_an_attribute_error():
    """A typing mistake is not an import error of something else."""
    with pytest.raises(AttributeError, match="'sweep' has no attribute 'run_studdy'"):
        sweep.run_studdy  # noqa: B018
    with pytest.raises(AttributeError, match=r"'sweep\.study' has no attribute 'run_studdy'"):
        sweep.study.run_studdy  # noqa: B018
