"""The built-in factories by name, and the parameters in any factory's signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

from sweep.errors import ModelError
from sweep.models._all_conv import all_conv
from sweep.models._cnn import cnn
from sweep.models._mlp import mlp
from sweep.models._two_stage import two_stage

Factory = Callable[..., Any]
"""``factory(input_shape, n_classes, **parameters)``: layer descriptions or a ``keras.Model``."""

FACTORIES: dict[str, Factory] = {
    "all_conv": all_conv,
    "cnn": cnn,
    "mlp": mlp,
    "two_stage": two_stage,
}

REQUIRED = inspect.Parameter.empty
"""The default of a parameter without one."""

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


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
    """Return a factory's parameters and defaults, without ``input_shape`` and ``n_classes``.

    Parameters
    ----------
    factory : str or callable
        A built-in's name, or the user's own ``f(input_shape, n_classes, **parameters)``.

    Returns
    -------
    dict of str to value
        In the order of the signature; ``REQUIRED`` for a parameter without default.

    Raises
    ------
    ModelError
        If there is no such factory, or it does not take the two first arguments.
    """
    signature = _signature(get_factory(factory))
    named = [p for p in list(signature.parameters.values())[2:] if p.kind not in _VARIADIC]
    return {parameter.name: parameter.default for parameter in named}


def check_parameters(factory: str | Factory, params: Mapping[str, Any]) -> None:
    """Check that a factory takes these parameters, and that no required one is missing.

    Raises
    ------
    ModelError
        For the first unknown parameter, with a similar name, or the first missing one.
    """
    function = get_factory(factory)
    known = factory_parameters(function)
    kinds = {parameter.kind for parameter in _signature(function).parameters.values()}
    unknown = [name for name in params if name not in known]
    if unknown and inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ModelError(_unknown(unknown[0], known, factory))
    missing = [name for name, value in known.items() if value is REQUIRED and name not in params]
    if missing:
        raise ModelError(f"model.{missing[0]}: {_name(factory)} needs a value for it; add one")


def one_line(factory: str | Factory) -> str:
    """Return the first line of a factory's docstring, or the empty string."""
    documentation = inspect.getdoc(get_factory(factory)) or ""
    return documentation.partition("\n")[0]


def _signature(function: Factory) -> inspect.Signature:
    signature = inspect.signature(function)
    wrong = ModelError(
        f"model.factory: {_name(function)} must take (input_shape, n_classes, ...), "
        f"got {_name(function)}{signature}"
    )
    try:
        signature.bind_partial((1,), 2)
    except TypeError as error:
        raise wrong from error
    if not _begins_with_shape_and_classes(list(signature.parameters.values())[:2]):
        raise wrong
    return signature


def _begins_with_shape_and_classes(first: list[inspect.Parameter]) -> bool:
    """Return whether the first two parameters can be the shape and the number of classes.

    sweep passes both by position: a parameter with another meaning, say ``units=64``, would get the
    number of classes without an error.
    """
    named = [("shape", "class"), ("class", "shape")]
    return not any(
        other in parameter.name
        or (parameter.default is not REQUIRED and word not in parameter.name)
        for parameter, (word, other) in zip(first, named, strict=False)
        if parameter.kind not in _VARIADIC
    )


def _unknown(name: str, known: Mapping[str, Any], factory: str | Factory) -> str:
    close = get_close_matches(name, known, n=1)
    if name in _first_two(factory):
        return (
            f"model.{name}: {_name(factory)} takes it first, where sweep gives the shape of a row "
            "and the number of classes; put input_shape and n_classes before it"
        )
    hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known) or 'none'}"
    return f"model.{name}: unknown parameter of {_name(factory)}; {hint}"


def _first_two(factory: str | Factory) -> list[str]:
    """Return the names of the two arguments that sweep passes by position."""
    return list(_signature(get_factory(factory)).parameters)[:2]


def _name(factory: str | Factory) -> str:
    return factory if isinstance(factory, str) else getattr(factory, "__name__", repr(factory))
