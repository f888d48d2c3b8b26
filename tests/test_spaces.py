"""Search spaces: grids as scikit-learn orders them, cells, Optuna, growth."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import ParameterGrid

from sweep.errors import StudyFileError
from sweep.spaces import (
    Choices,
    FloatRange,
    IntRange,
    applies,
    canonical,
    cells,
    decode,
    distributions,
    encode,
    grid_candidates,
    grid_problems,
    grid_values,
    grown,
    ordered,
    suggest,
)

optuna.logging.set_verbosity(optuna.logging.WARNING)

scalars = st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=4)
values = scalars | st.lists(scalars, max_size=3)
choices = st.lists(values, min_size=1, max_size=4, unique_by=json.dumps).map(
    lambda each: Choices(tuple(each))
)
int_ranges = st.builds(
    lambda low, length, step: IntRange(low, low + length, step),
    st.integers(-20, 20),
    st.integers(1, 20),
    st.integers(1, 7),
)
float_ranges = st.builds(
    lambda low, length, step: FloatRange(low / 10, (low + length) / 10, step / 10),
    st.integers(-20, 20),
    st.integers(1, 20),
    st.integers(1, 20),
)
names = st.text("abcdef_", min_size=1, max_size=4)
spaces = st.dictionaries(names, choices | int_ranges | float_ranges, max_size=3)
conditional = {
    "momentum": FloatRange(0.0, 0.9, when={"optimizer": ("sgd",)}),
    "optimizer": Choices(("sgd", "adam")),
}


@settings(deadline=None)
@given(spaces)
def test_order_is_scikit_learns(space):
    """A grid without conditions is scikit-learn's ``ParameterGrid``, in its order."""
    expected = list(ParameterGrid({n: list(grid_values(d)) for n, d in space.items()}))
    found = grid_candidates(space)
    assert [list(map(repr, sorted(c.items()))) for c in found] == [
        list(map(repr, sorted(c.items()))) for c in expected
    ]


def test_values_keep_their_type():
    """3, 3.0, True and "3" stay what they are, through a grid and through cells."""
    found = [c["a"] for c in grid_candidates({"a": Choices((3, 3.5, True, "3", [3, 4]))})]
    assert [type(value) for value in found] == [int, float, bool, str, list]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        (IntRange(3, 7, 2), (3, 5, 7)),
        (IntRange(3, 6, 2), (3, 5)),
        (FloatRange(0.0, 0.3, 0.1), (0.0, 0.1, 0.2, 0.3)),
        (FloatRange(0.1, 0.35, 0.1), (0.1, 0.2, 0.3)),
    ],
)
def test_steps(dimension, expected):
    """Steps count from ``low`` without rounding noise."""
    assert grid_values(dimension) == expected


@pytest.mark.parametrize("dimension", [FloatRange(0.0, 1.0), IntRange(1, 9, log=True)])
def test_grid_needs_steps(dimension):
    """A range without step, and a log range, is no grid."""
    with pytest.raises(StudyFileError, match=r"space\.a: a grid needs a list or a step, got \{"):
        grid_candidates({"a": dimension})


def test_grid_has_a_limit():
    """A grid of millions is refused before anything is built."""
    said = grid_problems({"a": IntRange(1, 10**12), "b": Choices((1, 2))})
    assert said["a"].startswith("a grid must have at most 100000 candidates, got 2000000000000")


def test_condition_in_a_grid():
    """Where a condition is not met the parameter is absent, and duplicates are gone."""
    space = {"m": Choices((0.0, 0.9), when={"o": ("sgd",)}), "o": Choices(("sgd", "adam"))}
    assert grid_candidates(space) == [
        {"m": 0.0, "o": "sgd"},
        {"o": "adam"},
        {"m": 0.9, "o": "sgd"},
    ]


def test_chained_conditions():
    """A child of an absent parent is absent."""
    space = {
        "c": Choices((1, 2), when={"b": (1, 2)}),
        "b": Choices((1, 2), when={"a": (1,)}),
        "a": Choices((1, 2)),
    }
    assert {"a": 2} in grid_candidates(space)
    assert len(grid_candidates(space)) == 5
    assert ordered(space) == ["a", "b", "c"]


def test_true_is_not_one():
    """A condition on ``true`` is not met by 1."""
    assert not applies(Choices((1,), when={"a": (True,)}), {"a": 1})
    assert applies(Choices((1,), when={"a": (1,)}), {"a": 1})


def test_circle():
    """Conditions that wait for each other are refused."""
    space = {"a": Choices((1,), when={"b": (1,)}), "b": Choices((1,), when={"a": (1,)})}
    with pytest.raises(StudyFileError, match="circle"):
        ordered(space)


def test_cells_share_a_fit():
    """Candidates that differ in epochs alone are one cell, epochs ascending, indexes beside."""
    space = {"epochs": Choices((10, 1, 5)), "width": Choices((32, 64))}
    found = cells(grid_candidates(space))
    assert [(c.key, c.params, c.epochs, c.candidates) for c in found] == [
        ('{"width":32}', {"width": 32}, (1, 5, 10), (2, 4, 0)),
        ('{"width":64}', {"width": 64}, (1, 5, 10), (3, 5, 1)),
    ]


def test_cells_with_fixed_epochs():
    """Without ``epochs`` in the space every candidate is a cell of its own."""
    found = cells([{"w": 1}, {"w": 2}], epochs=7)
    assert [(c.epochs, c.candidates) for c in found] == [((7,), (0,)), ((7,), (1,))]


@settings(deadline=None)
@given(spaces, st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
def test_cells_lose_no_candidate(space, epochs):
    """Every candidate is in exactly one cell, at its own epochs, with its own parameters."""
    candidates = grid_candidates({**space, "epochs": Choices(tuple(epochs))})
    found = cells(candidates)
    pairs = [(i, e, c.params) for c in found for i, e in zip(c.candidates, c.epochs, strict=True)]
    assert sorted(i for i, _, _ in pairs) == list(range(len(candidates)))
    assert all(canonical({**p, "epochs": e}) == canonical(candidates[i]) for i, e, p in pairs)
    assert len({c.key for c in found}) == len(found)


@given(st.lists(values, min_size=1, max_size=4, unique_by=lambda v: repr(encode(v))))
def test_encoding_comes_back(each):
    """What Optuna stores for a choice decodes to that choice, type included."""
    dimension = Choices(tuple(each))
    unambiguous = [v for v in each if [encode(w) for w in each].count(encode(v)) == 1]
    assert [repr(decode(dimension, encode(v))) for v in unambiguous] == list(map(repr, unambiguous))


def test_distributions_warn_of_nothing():
    """An upper end between two steps is moved to the last step, so Optuna has no complaint."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = distributions(
            {
                "i": IntRange(3, 8, 2),
                "f": FloatRange(0.0, 0.35, 0.1),
                "l": FloatRange(1e-4, 0.1, log=True),
                "c": Choices((1, [2, 3])),
            }
        )
    assert found == {
        "i": optuna.distributions.IntDistribution(3, 7, step=2),
        "f": optuna.distributions.FloatDistribution(0.0, 0.3, step=0.1),
        "l": optuna.distributions.FloatDistribution(1e-4, 0.1, log=True),
        "c": optuna.distributions.CategoricalDistribution((1, "[2,3]")),
    }


@settings(deadline=None, max_examples=25)
@given(spaces)
def test_suggested_values_lie_in_the_space(space):
    """What a sampler suggests is one of the grid's values, type included, as announced."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = {n: d for n, d in space.items() if not _ambiguous(d)}
    trial = study.ask()
    found = suggest(trial, space)
    assert set(found) == set(space)
    for name, value in found.items():
        assert repr(value) in map(repr, grid_values(space[name]))
    assert trial.distributions == distributions(space)


def _ambiguous(dimension):
    return isinstance(dimension, Choices) and len(set(map(encode, dimension.values))) < len(
        dimension.values
    )


@pytest.mark.parametrize(("optimizer", "has"), [("sgd", True), ("adam", False)])
def test_suggest_honours_conditions(optimizer, has):
    """A parent is asked first, the child only where its condition is met."""
    trial = optuna.trial.FixedTrial({"optimizer": optimizer, "momentum": 0.5})
    assert ("momentum" in suggest(trial, conditional)) is has


def test_suggest_decodes_lists():
    """A choice that is a list comes back as a list."""
    trial = optuna.trial.FixedTrial({"widths": "[64,32]"})
    assert suggest(trial, {"widths": Choices(([64, 32], [128]))}) == {"widths": [64, 32]}


GROWTH = [
    (Choices((1, 2)), Choices((3, 2, 1)), True),
    (Choices((1, 2)), Choices((1, 3)), False),
    (Choices((1,)), Choices((True,)), False),
    (IntRange(3, 7, 2), IntRange(1, 9, 2), True),
    (IntRange(3, 7, 2), IntRange(2, 9, 2), False),
    (IntRange(3, 7, 2), IntRange(3, 5, 2), False),
    (IntRange(3, 7), Choices((3, 4, 5, 6, 7)), False),
    (FloatRange(0.0, 0.4, 0.2), FloatRange(0.0, 0.4, 0.1), True),
    (FloatRange(0.0, 0.4), FloatRange(0.0, 0.5), False),
    (Choices((1,), when={"a": (1,)}), Choices((1,), when={"a": (1, 2)}), False),
    (Choices((1,), when={"a": (2, 1)}), Choices((1, 2), when={"a": (1, 2)}), True),
]


@pytest.mark.parametrize(("old", "new", "is_growth"), GROWTH)
def test_growth(old, new, is_growth):
    """More values are growth; fewer, others, or another condition are not."""
    assert (grown({"p": old}, {"p": new}) == []) is is_growth


@pytest.mark.parametrize(("old", "new", "_"), GROWTH)
def test_a_samplers_space_stays(old, new, _):
    """Outside a grid nothing may change, and the same space is no change."""
    assert len(grown({"p": old}, {"p": new}, grid=False)) == 1
    assert grown({"p": old}, {"p": old}, grid=False) == []


def test_differences_are_readable():
    """Each difference names the parameter, what it was and what it is now."""
    old = {"a": Choices((1, 2)), "b": Choices((1,))}
    new = {"a": Choices((1,)), "c": Choices((1,))}
    assert grown(old, new) == [
        "space.b: was [1], now left out",
        "space.c: was left out, now [1]",
        "space.a: was [1, 2], now [1]",
    ]


def test_import_is_light():
    """Neither spaces nor spec load Optuna, scikit-learn or Keras."""
    code = (
        "import sys, sweep.spaces, sweep.spec, sweep.support.code_references as r\n"
        "heavy = {'optuna', 'sklearn', 'keras', 'tensorflow', 'pandas'} & set(sys.modules)\n"
        "print(sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
