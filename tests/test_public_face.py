"""The names people import."""

import pytest

import sweep


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
        "load_best",
        "load_dataset",
        "load_study",
        "open_study",
        "run_study",
    ]


def test_every_lazy_name_has_a_home():
    """The lazy table and __all__ agree."""
    assert sorted(sweep._HOMES) == sorted(sweep.__all__)
    assert set(sweep.__all__) <= set(dir(sweep))


def test_names_without_heavy_imports_resolve():
    """A lazy name is the object of its room."""
    from sweep.errors import SweepError

    assert sweep.SweepError is SweepError


def test_an_unknown_name_is_an_attribute_error():
    """A typing mistake is not an import error of something else."""
    with pytest.raises(AttributeError, match="no attribute 'run_studdy'"):
        sweep.run_studdy  # noqa: B018
