"""What only Python can hand in: NumPy's numbers and arrays, paths, functions."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

NAMED = {("model", "factory"), ("model", "estimator"), ("data", "dataset"), ("report", "sections")}
"""Keys under which a study names code or data."""

SAVE = 'numpy.savez("mine.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)'


def plain(value: Any) -> Any:
    """Return what a study file would say: a path as text, NumPy's numbers and arrays as Python's.

    Parameters
    ----------
    value : object
        Anything; what has no plain form comes back as it is.
    """
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, range):
        return list(value)
    return value.tolist() if callable(getattr(value, "tolist", None)) else value


def remedy(place: tuple[str, ...], value: Any) -> str | None:
    """Say what to write in place of a function, or of arrays; None for anything else.

    Workers are processes of their own, perhaps on other machines: code and data reach them by name.

    Parameters
    ----------
    place : tuple of str
        Where it stands.
    value : object
        What stands there.
    """
    if place[:2] not in NAMED:
        return None
    key = place[1]
    if callable(value):
        module, name = _home(value)
        entry = f'"{module}:{name}"'
        first = "" if _is_importable(value) else f"put the function into a file {module}.py, "
        write = f'add {entry} to "{key}"' if key == "sections" else f'write "{key}": {entry}'
        return (
            "must be a name that workers can load, got a function; "
            f'{first}{write} and run_study(..., allow=["{module}"])'
        )
    if key == "dataset" and _holds_arrays(value):
        return (
            f"must be a name that workers can load, got {type(value).__name__}; "
            f'{SAVE}, then write "dataset": "mine.npz"'
        )
    return None


def _home(function: Any) -> tuple[str, str]:
    """Return the module and the name that a function has, or could be given."""
    inner = getattr(function, "func", function)  # of a partial
    name = getattr(inner, "__name__", "build")
    if _is_importable(function):
        return function.__module__, name
    return "mine", name if name.isidentifier() else "build"


def _is_importable(function: Any) -> bool:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    found = getattr(module, getattr(function, "__name__", ""), None)
    return found is function and getattr(module, "__name__", "__main__") != "__main__"


def _holds_arrays(value: Any, depth: int = 3) -> bool:
    if hasattr(value, "x_train") or (hasattr(value, "shape") and hasattr(value, "dtype")):
        return True
    inner = value.values() if isinstance(value, Mapping) else value
    many = isinstance(value, Mapping | list | tuple) and depth > 0
    return many and any(_holds_arrays(each, depth - 1) for each in inner)
