"""The built-in factories by name, and the parameters in any factory's signature."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sweep.errors import ModelError
from sweep.models._all_conv import all_conv
from sweep.models._cnn import cnn
from sweep.models._mlp import mlp
from sweep.models._two_stage import two_stage
from sweep.models.signature import (
    CLASSES,
    COMPILE,
    META,
    PASSED,
    REQUIRED,
    SHAPE,
    Factory,
    Signature,
    name_of,
    read_signature,
)
from sweep.spec.keras_words import keras_word
from sweep.spec.model_words import unknown_parameter
from sweep.spec.parameters import TRAINING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PARAMS = "params"
"""What SciKeras gives a factory beside ``meta`` and ``compile_kwargs``."""

TUNERS = {"hp": "Int", "trial": "suggest_int"}
"""What KerasTuner and Optuna call the object that a factory draws its values from."""

BUILT = (
    "must be the function that builds the model, got a model that is built, and each fit needs its "
    "own; put the lines that build it into a function: def build(): ..., return model"
)
HYPER_MODEL = (
    "{} builds its model with build(hp), as KerasTuner's do; write a function that returns the "
    "model, with a parameter for each value that hp draws, and put what it may be into [space]"
)

FACTORIES: dict[str, Factory] = {
    "all_conv": all_conv,
    "cnn": cnn,
    "mlp": mlp,
    "two_stage": two_stage,
}


def get_factory(factory: str | Factory) -> Factory:
    """Return a built-in factory by name; a callable is returned unchanged.

    Raises
    ------
    ModelError
        If there is no factory of that name.
    """
    if callable(factory):
        return factory
    if factory not in FACTORIES:
        raise ModelError(
            f'model.factory: no model named "{factory}"; there are: {", ".join(FACTORIES)}'
        )
    return FACTORIES[factory]


def factory_parameters(factory: str | Factory) -> dict[str, Any]:
    """Return a factory's own parameters and defaults, without what sweep passes to it.

    Parameters
    ----------
    factory : str or callable
        A built-in's name, or the user's own function: see :mod:`sweep.models.signature`.

    Returns
    -------
    dict of str to value
        In the order of the signature; ``REQUIRED`` for a parameter without default.

    Raises
    ------
    ModelError
        If there is no such factory, or its parameters cannot be told.
    """
    return dict(read_signature(get_factory(factory)).own)


def check_parameters(factory: str | Factory, params: Mapping[str, Any]) -> None:
    """Check that a factory takes these parameters, and that no required one is missing.

    Raises
    ------
    ModelError
        With one line for each unknown parameter, with a similar name, and each missing one.
    """
    if problems := parameter_problems(factory, params):
        raise ModelError("\n".join(f"model.{name}: {why}" for name, why in problems.items()))


def parameter_problems(factory: str | Factory, names: Iterable[str]) -> dict[str, str]:
    """Return what is wrong with the parameters that a factory is to be given, by name.

    Parameters
    ----------
    factory : str or callable
        The factory.
    names : iterable of str
        Parameters that are set or searched.
    """
    if hasattr(factory, "get_weights") and not isinstance(factory, type):
        return {"factory": BUILT}
    if _is_hyper_model(factory):
        return {"factory": HYPER_MODEL.format(name_of(factory))}
    signature, names = read_signature(get_factory(factory)), list(names)
    found = {}
    for name in names:
        if name in signature.passed or name in signature.first:
            found[name] = _passed(name, signature, factory)
        elif name not in signature.own and (why := _unknown(name, signature, factory)):
            found[name] = why
    for name, value in signature.own.items():
        if name not in names and (value is REQUIRED or _of_scikeras(name, signature)):
            found[name] = _missing(name, factory)
    return found


def one_line(factory: str | Factory) -> str:
    """Return the first line of a factory's docstring, or the empty string."""
    documentation = inspect.getdoc(get_factory(factory)) or ""
    return documentation.partition("\n")[0]


def _passed(name: str, signature: Signature, factory: str | Factory) -> str:
    given = dict(zip(signature.first, (SHAPE, CLASSES), strict=False)).get(name, name)
    return (
        f"sweep passes it to {name_of(factory)}: {PASSED[given]}; leave it out, or give the "
        "factory's own parameter another name"
    )


def _unknown(name: str, signature: Signature, factory: str | Factory) -> str | None:
    """Say why a name is no parameter of a factory; one with ``**parameters`` takes most."""
    known = signature.own
    if word := keras_word(name, {*known, *TRAINING}):
        if not signature.takes_any:
            return word
        own = f"or name {name} in the signature of {name_of(factory)}, if it is its own"
        return f"{word}; {own}"
    if signature.takes_any:
        return None
    if get_factory(factory) in FACTORIES.values():
        return unknown_parameter(name, name_of(factory), {*known, *TRAINING})
    close = get_close_matches(name, {*known, *TRAINING}, n=1)
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known) or 'none'}"
    return f"unknown parameter of {name_of(factory)}; {hint}"


def _is_hyper_model(factory: str | Factory) -> bool:
    """Whether a factory is KerasTuner's class or object: ``build(hp)`` makes its model."""
    build = getattr(factory, "build", None)
    try:
        return callable(build) and bool(TUNERS.keys() & inspect.signature(build).parameters.keys())
    except (TypeError, ValueError):
        return False


def _of_scikeras(name: str, signature: Signature) -> bool:
    """Whether a parameter is the one that SciKeras gives all of its estimator's parameters."""
    return name == PARAMS and bool(signature.passed & {META, COMPILE})


def _missing(name: str, factory: str | Factory) -> str:
    text = f"{name_of(factory)} needs a value for it; add one"
    if name == PARAMS:
        return (
            "SciKeras passes all parameters of its estimator in it, sweep does not; name those "
            f"that {name_of(factory)} reads in its signature, in place of params"
        )
    if name in TUNERS:
        return (
            f"{text}; or, if it draws values ({name}.{TUNERS[name]}), name a parameter for each in "
            "the factory's signature and put what it may be into [space]"
        )
    for word, passed in (("shape", SHAPE), ("class", CLASSES)):
        if word in name.lower():
            return f"{text}, or call the parameter {passed} to be given {PASSED[passed]}"
    return text
