"""One spelling of a value: what Keras reads as the same is the same candidate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.parameters import OPTIMIZERS, is_own
from sweep.spec.problems import Problem, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from sweep.spaces import Space

KERAS_NAMES = ("optimizer", "activation", "kernel_initializer")
"""Parameters of the built-in models whose values are names that Keras reads."""

ALIASES = {
    "activation": {"swish": "silu", "hard_swish": "hard_silu"},
    "kernel_initializer": {
        "normal": "random_normal",
        "one": "ones",
        "uniform": "random_uniform",
        "variance_scaling": "lecun_normal",
        "zero": "zeros",
    },
}
"""Keras's second names, by the parameter that they are values of."""


def spelled(name: str, value: Any) -> Any:
    """Write an optimizer as sweep does (``"SGD"`` is ``"sgd"``); other values are as they are."""
    known = name == "optimizer" and isinstance(value, str) and value.lower() in OPTIMIZERS
    return value.lower() if known else value


def respelled(sections: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections of a study with one spelling in ``[model]``, ``[space]`` and starts.

    A factory of the person's own gets what is written: the parameter may be its own.
    """
    found, model = dict(sections), sections.get("model", {})
    factory = model.get("factory") if isinstance(model, dict) else None
    own = isinstance(model, dict) and "estimator" in model
    if own or (isinstance(factory, str) and is_own(factory)):
        return found
    for section, read in (("model", spelled), ("space", _dimension)):
        if isinstance(found.get(section), dict):
            found[section] = {name: read(name, value) for name, value in found[section].items()}
    search = found.get("search")
    if isinstance(search, dict) and isinstance(search.get("start"), list):
        start = [_table(each) if isinstance(each, dict) else each for each in search["start"]]
        found["search"] = {**search, "start": start}
    return found


def double_problems(space: Space, names: Collection[str]) -> Iterator[Problem]:
    """Find choices of some parameters that Keras reads as one."""
    for name in names:
        earlier: dict[str, str] = {}
        for value in getattr(space.get(name), "values", ()):
            if isinstance(value, str):
                one = spelled(name, ALIASES.get(name, {}).get(value, value))
                if one in earlier:
                    both = f"{shown(earlier[one])} and {shown(value)}, which are one"
                    yield Problem(("space", name), f"choices must differ, got {both}")
                    break
                earlier[one] = value


def _dimension(name: str, value: Any) -> Any:
    """Respell one entry of ``[space]``: choices, and what a condition names."""
    if isinstance(value, list):
        return [spelled(name, each) for each in value]
    if not isinstance(value, dict):
        return value
    found = dict(value)
    if isinstance(found.get("choices"), list):
        found["choices"] = [spelled(name, each) for each in found["choices"]]
    if isinstance(found.get("when"), dict):
        found["when"] = {parent: _any(parent, each) for parent, each in found["when"].items()}
    return found


def _any(name: str, value: Any) -> Any:
    several = isinstance(value, list)
    return [spelled(name, each) for each in value] if several else spelled(name, value)


def _table(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spelled(name, value) for name, value in table.items()}
