"""The table of search methods, and what stands beside it."""

import tomllib
from pathlib import Path

import pytest
from pretend import study

from sweep.errors import StudyFileError
from sweep.search.plan import make_plan
from sweep.search.precomputed import DRAWN_BEFOREHAND
from sweep.search.samplers import MAKERS, make_sampler
from sweep.spec import load_study
from sweep.spec.methods import METHODS

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def accepted(method):
    """Return the method of a study file that names it; an error where it may not."""
    if METHODS[method].is_grid:
        return study(method, space={"epochs": [1, 2]}).search.method
    return study(method, trials=3).search.method


def test_study_files_take_the_methods_of_the_table():
    """Each row is a word that a study file may use, and the message for another lists them all."""
    assert [accepted(method) for method in METHODS] == list(METHODS)
    with pytest.raises(StudyFileError) as error:
        load_study(
            {
                "study": {"name": "a"},
                "data": {"dataset": "digits"},
                "search": {"method": "annealing"},
                "space": {"epochs": [1, 2]},
            }
        )
    assert error.value.problems == [
        f'search.method: must be one of: {", ".join(METHODS)}, got "annealing"'
    ]


def test_every_method_but_a_grid_has_a_sampler():
    """The samplers that can be made are those of the table: none is missing, none is extra."""
    assert set(MAKERS) == {name for name, method in METHODS.items() if not method.is_grid}


def test_points_drawn_beforehand_have_a_function_that_draws_them():
    """The functions are those of the rows that say so."""
    drawn = {name for name, method in METHODS.items() if method.drawn_beforehand}
    assert set(DRAWN_BEFOREHAND) == drawn


def test_a_sampler_that_is_not_registered_is_an_error(monkeypatch):
    """It is not replaced by random search."""
    left = {name: maker for name, maker in MAKERS.items() if name != "tpe"}
    monkeypatch.setattr("sweep.search.samplers.MAKERS", left)
    with pytest.raises(KeyError):
        make_sampler(study("tpe", trials=3), 0)


def test_every_extra_is_an_optional_dependency_of_the_project():
    """What a message tells people to install can be installed."""
    optional = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"]
    for method in METHODS.values():
        if method.extra is not None:
            assert any(each.startswith(method.extra.module) for each in optional[method.extra.name])


@pytest.mark.parametrize("name", [n for n, method in METHODS.items() if not method.is_grid])
def test_a_plan_holds_points_unless_a_sampler_learns(name):
    """What the table says of a method is what its plan does."""
    plan = make_plan(study(name, trials=3))
    assert plan.sampled == METHODS[name].learns


def test_a_method_that_refuses_warm_starts_learns_nothing():
    """Every sampler that learns says what a warm start needs, and no other method does."""
    told = {name for name, method in METHODS.items() if method.warm_start != "none"}
    assert told == {name for name, method in METHODS.items() if method.learns}
