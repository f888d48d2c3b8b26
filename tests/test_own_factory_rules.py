"""Rules about parameters where the factory is the person's own: what it takes itself is its own."""

import pytest

from sweep.errors import StudyFileError
from sweep.evaluation.estimator import check_user_code, make_estimator
from sweep.spec import load_study

CODE = """
from sweep.models import mlp
def plain(shape, n_classes, width=8):
    return mlp(shape, n_classes, hidden_size=width)
def compiles(shape, n_classes, optimizer="sgd", learning_rate=0.5, momentum=0.9, batch_size=64):
    return mlp(shape, n_classes)
def anything(shape, n_classes, **more):
    return mlp(shape, n_classes)
def scheduled(shape, n_classes, epochs=10):
    return mlp(shape, n_classes)
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return a function that reads a study of one of these factories."""
    (tmp_path / "own_rules.py").write_text(CODE)
    monkeypatch.syspath_prepend(str(tmp_path))

    def read(factory, space, **model):
        sections = {
            "data": {"dataset": "digits"},
            "model": {"factory": f"own_rules:{factory}", **model},
            "search": {"method": "random", "trials": 3},
            "space": space,
        }
        return load_study(sections).model_copy(update={"folder": tmp_path})

    return read


def refused(spec):
    """Return what is wrong once the factory is loaded."""
    try:
        check_user_code(spec, ["own_rules"])
    except StudyFileError as error:
        return error.problems
    return []


def test_what_a_factory_does_not_take_is_the_estimators(own):
    """Values and combinations are those of training, in [model] and in [space]."""
    (problem,) = refused(own("plain", {"optimizer": ["SGD", "mine"]}))
    assert problem.startswith("space.optimizer: must be one of: sgd, adam")
    (problem,) = refused(own("plain", {"width": [4]}, momentum=0.9))
    assert problem.startswith("model.momentum: adam takes no momentum, got 0.9")
    (problem,) = refused(own("plain", {"momentum": [0.9]}, optimizer="Adam"))
    assert problem.startswith("space.momentum: adam takes no momentum, got 0.9")
    assert refused(own("plain", {"optimizer": ["SGD", "sgd"]})) == [
        'space.optimizer: choices must differ, got "SGD" and "sgd", which are one'
    ]
    assert refused(own("plain", {"optimizer": ["SGD", "RMSprop"], "width": [4, 8]})) == []


def test_what_a_factory_takes_may_be_what_it_likes(own):
    """It alone knows; its own defaults hold where the study says nothing."""
    spec = own("compiles", {"optimizer": ["mine", "other"], "momentum": [2.0]})
    assert refused(spec) == []
    built = make_estimator(spec, {"momentum": 2.0}, ["own_rules"])
    assert (built.momentum, built.batch_size) == (2.0, 64)
    assert {"optimizer", "learning_rate"}.isdisjoint(built._model_params())
    fixed = make_estimator(own("compiles", {"momentum": [2.0]}, batch_size=8), {}, ["own_rules"])
    assert (fixed.batch_size, fixed.epochs) == (8, 10)


@pytest.mark.parametrize("name", ["model", "warm_start", "checkpoint_epochs"])
def test_what_a_study_sets_itself_is_refused(own, name):
    """Also where a factory takes any name."""
    (problem,) = refused(own("anything", {name: [1, 2]}))
    assert problem.startswith(f"space.{name}: a study sets it itself for every fit")
    (problem,) = refused(own("anything", {"width": [1]}, **{name: 1}))
    assert problem.startswith(f"model.{name}: a study sets it itself for every fit")


def test_a_factory_that_takes_epochs_shares_no_fit(own):
    """Its model for few epochs is another than for many; fixed epochs are welcome."""
    (problem,) = refused(own("scheduled", {"epochs": [2, 5]}))
    assert problem.startswith("space.epochs: the factory takes epochs itself, so a short fit is no")
    assert refused(own("scheduled", {"learning_rate": [0.1, 0.2]}, epochs=5)) == []


@pytest.mark.parametrize(
    ("model", "space", "says"),
    [
        ({"factory": "create_model"}, {}, 'named with its module: "mine:create_model"'),
        (
            {"factory": "mine.py:build"},
            {},
            'and not its file, got "mine.py:build"; write "mine:',
        ),
        ({"model": "mine:build"}, {}, 'is given as [model] factory = "module:f"'),
        ({}, {"units": {"min": 32, "max": 512}}, "a range is { int = [32, 512], step = 32 }"),
    ],
)
def test_what_people_write_first_is_told_what_to_write(model, space, says):
    """A function without its module, a file, SciKeras's word, KerasTuner's ranges."""
    sections = {"data": {"dataset": "digits"}, "search": {"method": "grid"}}
    with pytest.raises(StudyFileError) as error:
        load_study({**sections, "model": model, "space": space})
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("data", "search", "says"),
    [
        ({"scaling": "unit"}, {}, "put a scaler before the classifier, as make_pipeline("),
        ({}, {"max_parameters": 9}, 'weigh them: objectives = ["score", "parameters"]'),
    ],
)
def test_what_an_estimator_cannot_say_is_told_what_to_write(data, search, says):
    """Its rows are scaled by its own steps, and its weights known after a fit."""
    sections = {
        "data": {"dataset": "digits", **data}, "model": {"estimator": "mine:make"},
        "search": {"method": "grid", **search},
    }  # fmt: skip
    with pytest.raises(StudyFileError) as error:
        load_study(sections)
    assert says in str(error.value)
