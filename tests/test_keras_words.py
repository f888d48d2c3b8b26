"""Words that people bring from Keras and SciKeras are answered with what to do here."""

import pytest

from sweep.errors import ModelError, StudyFileError
from sweep.estimators import KerasClassifier
from sweep.models import check_parameters
from sweep.spec import load_study
from sweep.spec.keras_words import ROUTES, WORDS, keras_word
from sweep.spec.parameters import TRAINING

ASKED = (
    "verbose", "validation_data", "validation_split", "steps_per_execution", "shuffle", "build_fn",
    "loss", "metrics", "model__units", "optimizer__learning_rate", "fit__epochs", "initial_epoch",
)  # fmt: skip


def own(units=3):
    """Stand for a factory of one's own."""
    return units


def takes_any(units=3, **more):
    """Stand for a factory that takes any parameter."""
    return units, more


def takes(loss="mse", verbose=0, model__units=1):
    """Name such words itself."""
    return loss, verbose, model__units


@pytest.mark.parametrize("name", ASKED)
def test_a_study_file_with_such_a_word_says_what_to_do(name):
    """For a built-in model at once."""
    model, search = {"factory": "mlp", name: 1}, {"method": "grid"}
    sections = {"study": {"name": "s"}, "data": {"dataset": "digits"}}
    with pytest.raises(StudyFileError) as error:
        load_study({**sections, "model": model, "search": search})
    (problem,) = error.value.problems
    assert problem.startswith(f"model.{name}: is a word of Keras or SciKeras: ")


@pytest.mark.parametrize("name", ASKED)
def test_a_factory_that_does_not_name_it_says_so_too(name):
    """In a study and in KerasClassifier: the one check of a factory's parameters."""
    with pytest.raises(ModelError, match=f"model.{name}: is a word of Keras or SciKeras: "):
        check_parameters(own, {name: 1})
    with pytest.raises(ValueError, match="it is a word of Keras or SciKeras: "):
        KerasClassifier(own).set_params(**{name: 1})


@pytest.mark.parametrize("name", ASKED)
def test_a_factory_that_takes_anything_does_not_swallow_it(name):
    """It would reach nothing in silence; a word that is the factory's own is named by it."""
    with pytest.raises(ModelError, match=f"name {name} in the signature of takes_any"):
        check_parameters(takes_any, {name: 1})
    with pytest.raises(ValueError, match="it is a word of Keras or SciKeras: "):
        KerasClassifier(takes_any).set_params(**{name: 1})
    KerasClassifier(takes_any).set_params(anything=2)


def test_a_factory_that_names_it_has_it():
    """Its own parameters stay its own."""
    check_parameters(takes, {"loss": "mae", "verbose": 1, "model__units": 2})
    KerasClassifier(takes).set_params(loss="mae", verbose=1, model__units=2)


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("model__units", "a parameter of the factory is written without model__: units"),
        ("optimizer__learning_rate", "is written without optimizer__: learning_rate"),
        ("fit__epochs", "a setting of the fit is written without fit__: epochs"),
        (
            "fit__verbose",
            "verbose: a fit prints nothing, and a run shows its progress; leave it out",
        ),
        ("optimizer__beta_1", "a setting of the optimizer is written without optimizer__"),
    ],
)
def test_a_routed_word_is_told_without_its_route(name, end):
    """With the parameter that is meant, where there is one."""
    assert keras_word(name, {"units", *TRAINING}).endswith(end)


def test_no_word_is_a_parameter_of_ours():
    """What sweep has is no foreign word; other names are none either."""
    assert not set(WORDS) & set(TRAINING)
    assert keras_word("hiden_size") is None
    assert keras_word("clf__units") is None
    assert all(keras_word(f"{route}__x") for route in ROUTES)
