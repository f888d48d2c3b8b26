"""Rules between the sampler, its space, fixed first trials, warm starts and objectives."""

import pytest

from sweep.errors import StudyFileError
from sweep.spec import load_study

SPACE = {
    "optimizer": ["sgd", "adam"],
    "hidden_size": {"int": [8, 64], "step": 8},
    "momentum": {"float": [0.0, 0.9], "when": {"optimizer": "sgd"}},
}


def study(space=None, **search):
    """A study file as plain values."""
    return {
        "study": {"name": "mine"},
        "data": {"dataset": "digits"},
        "model": {"factory": "mlp"},
        "search": {"method": "tpe", "trials": 9, **search},
        "space": space or SPACE,
    }


def problems(**changes):
    """What is wrong with it."""
    with pytest.raises(StudyFileError) as error:
        load_study(study(**changes))
    return list(error.value.problems)


@pytest.mark.parametrize(
    ("search", "problem"),
    [
        (
            {"method": "cmaes", "objectives": ["score", "parameters"]},
            (
                'search.objectives: method = "cmaes" takes one objective, got '
                '["score", "parameters"]; take method = "nsga2", "tpe" or "gp"'
            ),
        ),
        (
            {"pruner": "median", "objectives": ["score", "parameters"]},
            (
                "search.pruner: a pruner compares one number, got objectives = "
                '["score", "parameters"]; leave pruner out'
            ),
        ),
        (
            {"objectives": ["parameters", "score"]},
            (
                'search.objectives: must be "score" first, then any of: parameters, fit_seconds, '
                'inference_ms, got ["parameters", "score"]'
            ),
        ),
        (
            {"method": "random", "start_from": ["other"]},
            (
                'search.start_from: method = "random" learns from no trial, so start_from must be '
                'left out, got ["other"]; or take method = "tpe"'
            ),
        ),
        (
            {"start_from": ["mine"]},
            'search.start_from: must name other studies, got this one: "mine"',
        ),
        (
            {"start_from": ["a", "a"]},
            'search.start_from: must name each study once, got ["a", "a"]',
        ),
        (
            {"trials": 1, "start": [{}, {}]},
            "search.trials: must be at least the number of [[search.start]] tables, 2, got 1",
        ),
        (
            {"start": 3},
            "search.start: must be tables of parameters, each headed [[search.start]], got 3",
        ),
        (
            {"patience": 0},
            (
                "search.patience: must be a whole number from 1 (finished trials without "
                "improvement), got 0"
            ),
        ),
        (
            {"max_fit_seconds": 0},
            "search.max_fit_seconds: must be a number of seconds above 0, got 0",
        ),
        ({"max_parameters": 1.5}, "search.max_parameters: must be a whole number from 1, got 1.5"),
    ],
)
def test_what_a_sampler_cannot_do_is_refused(search, problem):
    """Rule, value, remedy."""
    assert problems(**search) == [problem]


def test_cma_es_needs_a_range_without_condition():
    """It would otherwise be a random search by another name."""
    space = {"optimizer": ["sgd", "adam"], "momentum": SPACE["momentum"]}
    assert problems(method="cmaes", space=space) == [
        (
            'search.method: "cmaes" learns ranges without a condition, and [space] has none; '
            'take method = "tpe"'
        )
    ]
    assert load_study(study(method="cmaes")).search.method == "cmaes"


def test_fixed_trials_are_checked_against_the_space_all_at_once():
    """Every problem with its table and its parameter."""
    start = [
        {"hidden_size": 12, "width": 3},
        {"optimizer": "adam", "momentum": 0.5},
        {"hidden_size": 16},
    ]
    assert problems(start=start) == [
        "search.start[0].hidden_size: must be a value of {int = [8, 64], step = 8}, got 12",
        (
            "search.start[0].width: no parameter of that name in [space]; there are: hidden_size, "
            "momentum, optimizer"
        ),
        'search.start[1].momentum: applies when optimizer = "sgd", got "adam"; leave it out',
    ]


def test_a_fixed_trial_is_placed_by_its_own_line(tmp_path):
    """Arrays of tables are counted."""
    file = tmp_path / "mine.toml"
    file.write_text(
        '[data]\ndataset = "digits"\n[search]\nmethod = "tpe"\ntrials = 3\n'
        "[[search.start]]\nhidden_size = 8\n[[search.start]]\nhidden_size = 9\n"
        "[space]\nhidden_size = [8, 16]\n"
    )
    with pytest.raises(StudyFileError) as error:
        load_study(file)
    assert "search.start[1].hidden_size (line 9): must be a value of [8, 16], got 9" in str(
        error.value
    )


def test_a_grid_refuses_what_only_samplers_have():
    """It tries every combination, in any case."""
    grid = study({"hidden_size": [8, 16]}, method="grid", patience=3, start=[{"hidden_size": 8}])
    del grid["search"]["trials"]
    with pytest.raises(StudyFileError) as error:
        load_study(grid)
    assert [line.partition(":")[0] for line in error.value.problems] == [
        "search.patience",
        "search.start",
    ]


def test_a_study_with_all_of_it_comes_back_from_plain_values():
    """What the ledger holds reads as it was written."""
    spec = load_study(
        study(
            start=[{"hidden_size": 8}],
            start_from=["other"],
            objectives=["score", "inference_ms"],
            patience=5,
            max_parameters=1000,
            max_fit_seconds=2.5,
        )
    )
    assert type(spec).from_plain(spec.plain()) == spec
