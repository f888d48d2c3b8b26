"""Rules between parameters hold wherever each of them stands."""

import pytest

from sweep.errors import StudyFileError
from sweep.spaces.combinations import combinations
from sweep.spec import estimator_parameters, load_study
from sweep.spec.dimensions import parse_space
from sweep.spec.model_words import MEANT


def study(model=None, space=None, factory="mlp", **search):
    """Return the sections of a study of digits."""
    return {
        "data": {"dataset": "digits"},
        "model": {"factory": factory, **(model or {})},
        "search": {"method": "random", "trials": 4, **search},
        "space": {"hidden_size": [8, 16], **(space or {})} if factory == "mlp" else space,
    }


def problems(*args, set_=(), **kwargs):
    """Return what is wrong with it."""
    try:
        load_study(study(*args, **kwargs), set_=set_)
    except StudyFileError as error:
        return error.problems
    return []


NO_MOMENTUM = "adam takes no momentum, got 0.9; it applies to sgd, rmsprop"


@pytest.mark.parametrize(
    ("place", "given"),
    [
        ("model", {"model": {"momentum": 0.9}}),
        ("model", {"model": {"momentum": 0.9, "optimizer": "adam"}}),
        ("model", {"model": {"momentum": 0.9}, "space": {"optimizer": ["sgd", "adam"]}}),
        ("space", {"space": {"momentum": [0.0, 0.9]}}),
        ("space", {"space": {"momentum": {"float": [0.0, 0.9]}, "optimizer": ["sgd", "Adam"]}}),
        (
            "space",
            {
                "space": {
                    "optimizer": ["sgd", "adam"],
                    "momentum": {"choices": [0.9], "when": {"optimizer": ["adam", "sgd"]}},
                }
            },
        ),
    ],
)
def test_momentum_that_an_optimizer_would_ignore_is_refused(place, given):
    """Fixed, searched, or the optimizer by default; the remedy is a condition."""
    (problem,) = problems(**given)
    assert problem.startswith(f"{place}.momentum: {NO_MOMENTUM}")
    assert 'when = { optimizer = "sgd" }' in problem


def test_momentum_under_its_condition_is_accepted():
    """Also where a space has other conditions, and zero, which changes nothing."""
    when = {"float": [0.0, 0.9], "when": {"optimizer": "SGD"}}
    assert problems(space={"optimizer": ["SGD", "adam"], "momentum": when}) == []
    assert problems({"momentum": 0.0}) == []
    assert problems({"momentum": 0.9, "optimizer": "RMSprop"}) == []


@pytest.mark.parametrize(
    "given",
    [
        {"model": {"early_stopping": True}},
        {"space": {"early_stopping": [True]}},
        {"space": {"early_stopping": [False, True]}},
        {"set_": ["model.early_stopping=true"]},
        {"set_": ["space.early_stopping=[true]"]},
        {
            "space": {"early_stopping": [True, False]},
            "start": [{"early_stopping": True}],
        },
    ],
)
@pytest.mark.parametrize("pruner", ["hyperband", "median"])
def test_a_pruner_and_early_stopping_are_refused_wherever_it_stands(given, pruner):
    """Two rules cannot both decide when a fit ends."""
    (problem,) = problems(pruner=pruner, **given)
    assert "a pruner decides after each epoch, so early_stopping must be left out" in problem


def test_a_pruner_accepts_early_stopping_that_is_off():
    """In [model] and in [space] alike."""
    assert problems({"early_stopping": False, "callbacks": []}, pruner="hyperband") == []
    space = {"early_stopping": [False], "callbacks": [[]]}
    assert problems(space=space, pruner="hyperband") == []
    (problem,) = problems(space={"callbacks": [[], ["TerminateOnNaN"]]}, pruner="hyperband")
    assert "so callbacks must be left out" in problem


def test_a_searched_parameter_that_acts_on_no_candidate_is_refused():
    """Its values would be rows that differ in nothing."""
    (problem,) = problems(space={"n_iter_no_change": [2, 5]})
    assert problem == (
        "space.n_iter_no_change: acts only with early_stopping, which no candidate has; leave it "
        "out"
    )
    assert problems({"early_stopping": True}, {"n_iter_no_change": [2, 5]}) == []
    assert problems(space={"n_iter_no_change": [2, 5], "early_stopping": [False, True]}) == []
    assert problems({"callbacks": ["ReduceLROnPlateau"]}, {"validation_fraction": [0.1]}) == []


@pytest.mark.parametrize(
    ("model", "space", "pruner", "problem"),
    [
        (
            {"epochs": 10}, {}, {"name": "hyperband", "max_epochs": 9},
            (
                "search.pruner.max_epochs: must be the epochs of the longest trial, 10, got 9; "
                "leave it out, or let epochs end at 9"
            ),
        ),
        (
            {}, {"epochs": [3, 27]}, {"name": "successive_halving", "max_epochs": 81},
            (
                "search.pruner.max_epochs: must be the epochs of the longest trial, 27, got 81; "
                "leave it out, or let epochs end at 81"
            ),
        ),
        (
            {}, {}, {"name": "hyperband", "min_epochs": 20},
            (
                "search.pruner.min_epochs: must not be above the epochs of the longest trial, 10, "
                "or nothing is given up, got 20"
            ),
        ),
        (
            {"epochs": 4}, {}, {"name": "patient", "wrapped": {"name": "median", "min_epochs": 9}},
            (
                "search.pruner.wrapped.min_epochs: must not be above the epochs of the longest "
                "trial, 4, or nothing is given up, got 9"
            ),
        ),
        (
            {}, {}, {"name": "threshold", "lower": 95},
            (
                "search.pruner.lower: must be a score that accuracy can reach, 1 at most, got 95"
            ),
        ),
        (
            {}, {}, {"name": "threshold", "upper": -1},
            (
                "search.pruner.upper: must be a score that accuracy can have, 0 or more, got -1"
            ),
        ),
    ],
)  # fmt: skip
def test_a_pruner_that_would_end_every_trial_or_none_is_refused(model, space, pruner, problem):
    """Its epochs are those of the study, its bounds scores that there can be."""
    assert problems(model, space, pruner=pruner) == [problem]


@pytest.mark.parametrize(
    ("model", "space", "epochs"),
    [
        ({}, {}, 9),
        ({"epochs": 9}, {}, 9),
        ({}, {"epochs": [3, 9]}, 9),
        ({}, {"epochs": {"choices": [3], "when": {"hidden_size": 8}}}, 9),
    ],
)
def test_the_longest_trial_follows_from_max_epochs_or_agrees(model, space, epochs):
    """A study that says no epochs runs those of its pruner."""
    spec = load_study(study(model, space, pruner={"name": "hyperband", "max_epochs": 9}))
    assert spec.largest_epochs == epochs


def test_epochs_under_a_condition_may_be_the_default_too():
    """A candidate without the condition runs ten."""
    spec = load_study(study(space={"epochs": {"choices": [3], "when": {"hidden_size": 8}}}))
    assert spec.largest_epochs == 10


def test_one_spelling_of_an_optimizer():
    """In [model], [space], conditions and first trials; the same twice is refused."""
    spec = load_study(
        study(
            space={
                "optimizer": ["SGD", "RMSprop"],
                "momentum": {"choices": [0.5], "when": {"optimizer": ["SGD"]}},
            },
            start=[{"optimizer": "Sgd", "momentum": 0.5}],
        )
    )
    assert spec.space.dimensions["optimizer"].values == ("sgd", "rmsprop")
    assert spec.space.dimensions["momentum"].when == {"optimizer": ("sgd",)}
    assert spec.search.start[0]["optimizer"] == "sgd"
    assert load_study(study({"optimizer": "AdamW"})).model.params["optimizer"] == "adamw"
    assert problems(space={"optimizer": ["SGD", "sgd"]}) == [
        'space.optimizer: choices must differ, got "sgd" twice'
    ]
    assert problems(space={"activation": ["relu", "swish", "silu"]}) == [
        'space.activation: choices must differ, got "swish" and "silu", which are one'
    ]
    assert problems(space={"kernel_initializer": ["zero", "zeros"]}) == [
        'space.kernel_initializer: choices must differ, got "zero" and "zeros", which are one'
    ]
    assert "must be one of: sgd, adam" in problems(space={"optimizer": ["SGDW"]})[0]


def test_a_factory_of_ones_own_gets_what_is_written():
    """The parameter may be its own; what it does not take is checked once it is loaded."""
    own = {"factory": "mine:build", "space": {"optimizer": ["SGD", "mine"], "momentum": [0.9]}}
    assert problems(**own) == []
    assert load_study(study(**own)).space.dimensions["optimizer"].values == ("SGD", "mine")
    own["space"] |= {"optimizer": ["SGD", "sgd"], "activation": ["swish", "silu"]}
    assert problems(**own) == []


def test_combinations_follow_conditions_and_stand_for_ranges():
    """Parents come along; a range is its ends and what conditions name."""
    space, _ = parse_space(
        {
            "layers": {"int": [1, 5]},
            "optimizer": ["sgd", "adam"],
            "momentum": {"float": [0.0, 0.9], "when": {"layers": 3}},
            "unrelated": [1, 2, 3],
        },
        {},
    )
    assert list(combinations(space, ["momentum"])) == [
        {"layers": 1}, {"layers": 1}, {"layers": 5}, {"layers": 5},
        {"layers": 3, "momentum": 0.0}, {"layers": 3, "momentum": 0.9},
    ]  # fmt: skip
    assert list(combinations(space, ["nothing"])) == [{}]


def test_a_parameter_of_keras_that_no_built_in_model_has():
    """Names what there is, no name that is alike by chance, and who may have it."""
    (problem,) = problems({"recurrent_units": 2})
    assert "did you mean" not in problem
    assert problem.startswith('model.recurrent_units: unknown parameter of model "mlp"; there ')
    line = (
        ' (a factory of your own may have it: factory = "mine:build", and in mine.py '
        "def build(input_shape, n_classes, {}))"
    )
    assert problem.endswith(line.format("recurrent_units"))
    assert problems({"weight_decai": 0.1}) == [
        'model.weight_decai: unknown parameter of model "mlp", did you mean weight_decay?'
        + line.format("weight_decai")
    ]
    assert problems({"a b": 2})[0].endswith(line.format("..."))


@pytest.mark.parametrize(
    ("name", "mlp", "cnn"),
    [
        ("weight_constraint", "max_norm", "max_norm"),
        ("init", "kernel_initializer", "kernel_initializer"),
        ("neurons", "hidden_size", "dense_width"),
        ("dropout", "dropout_rate", "dense_dropout_rate"),
        ("lr", "learning_rate", "learning_rate"),
    ],
)
def test_words_of_tutorials_are_answered_with_ours(name, mlp, cnn):
    """By the parameter that the model has for it."""
    for factory, ours, space in (("mlp", mlp, None), ("cnn", cnn, {"filters": [4, 8]})):
        (problem,) = problems({name: 1}, space, factory=factory)
        assert f", did you mean {ours}? (a factory" in problem


def test_every_word_of_tutorials_is_no_word_of_ours():
    """And each leads to a parameter of every model that has one for it."""
    for name, ours in MEANT.items():
        for factory in ("mlp", "cnn"):
            known = estimator_parameters(factory)
            assert name not in known
            assert any(each in known for each in ours)
