"""Continuing a study never mixes two questions."""

import pytest

from sweep.errors import StudyChangedError
from sweep.spec import load_study
from sweep.study.compatibility import check_same, check_same_data

GRID = {
    "study": {"name": "s"},
    "data": {"dataset": "digits"},
    "model": {"factory": "mlp", "optimizer": "adam"},
    "search": {"method": "grid", "cv": 3},
    "space": {"hidden_size": [8, 16]},
}
TPE = {**GRID, "search": {"method": "tpe", "trials": 5, "validation": 0.2}}


def changed(study, place, value):
    """Return the study with one setting changed."""
    section, key = place.split(".")
    return {**study, section: {**study[section], key: value}}


@pytest.mark.parametrize(
    ("study", "place", "value"),
    [
        (GRID, "space.hidden_size", [32, 16, 8]),
        (GRID, "study.description", "again"),
        (TPE, "search.trials", 9),
        (GRID, "search.choose", "cheapest"),
        (TPE, "search.timeout", "2h"),
    ],
)
def test_growth_continues(study, place, value):
    """More values, more trials, more time."""
    before = changed(study, "search.timeout", "1h") if "timeout" in place else study
    check_same(load_study(before), load_study(changed(study, place, value)))


@pytest.mark.parametrize(
    ("study", "place", "value", "shown"),
    [
        (GRID, "space.hidden_size", [8], "space.hidden_size: was [8, 16], now [8]"),
        (GRID, "search.cv", 5, "search.cv: was 3, now 5"),
        (GRID, "search.seeds", 3, "search.seeds: was 1, now 3"),
        (
            GRID,
            "search.split_pruner",
            True,
            "search.split_pruner: was left out, now {'p': 0.1, 'min_splits': 2}",
        ),
        (
            TPE,
            "search.pruner",
            {"name": "threshold", "lower": 0.5},
            "search.pruner: was left out, now {'name': 'threshold', 'min_epochs': 1, 'lower': 0.5}",
        ),
        (GRID, "study.seed", 1, "study.seed: was 0, now 1"),
        (GRID, "model.optimizer", "sgd", "model.optimizer: was 'adam', now 'sgd'"),
        (GRID, "data.train_rows", 99, "data.train_rows: was left out, now 99"),
        (TPE, "search.trials", 4, "search.trials: was 5, now 4"),
        (TPE, "space.hidden_size", [8, 9], "space.hidden_size: was [8, 16], now [8, 9]"),
        (TPE, "space.epochs", [1, 2], "space.epochs: was left out, now [1, 2]"),
        (GRID, "space.epochs", [1, 2], "space.epochs: was left out, now [1, 2]"),
        (GRID, "search.method", "random", "search.method: was 'grid', now 'random'"),
    ],
)
def test_another_question_is_refused_with_the_difference(study, place, value, shown):
    """The message shows what differs and the command that keeps both."""
    other = changed(study, place, value)
    if value == "random":
        other = changed(other, "search.trials", 3)
    with pytest.raises(StudyChangedError) as error:
        check_same(load_study(study), load_study(other))
    assert shown in str(error.value)
    assert "--name s-2" in str(error.value)


@pytest.mark.parametrize("study", [GRID, TPE])
def test_a_parameter_that_is_gone_is_said_to_be_left_out(study):
    """What was there and is no more reads like every other difference."""
    before = changed(study, "space.epochs", [1, 2])
    with pytest.raises(StudyChangedError, match=r"space\.epochs: was \[1, 2\], now left out"):
        check_same(load_study(before), load_study(study))


def test_other_data_is_refused():
    """The fingerprint decides."""
    check_same_data("s", {"fingerprint": "a" * 64}, "a" * 64)
    with pytest.raises(StudyChangedError, match=r"ran on other data: fingerprint a{12}, now b{12}"):
        check_same_data("s", {"fingerprint": "a" * 64}, "b" * 64)
