"""Find a Keras model inside another fitted object."""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any

DEEPEST = 8
"""How many objects around it are looked into."""

LEAVES = (str, bytes, int, float, type, FunctionType, ModuleType)
"""What is not looked into."""


def keras_model_inside(value: Any) -> str:
    """Return the class of what holds a Keras model, at any depth; empty where nothing does.

    Parameters
    ----------
    value : object
        A fitted estimator, or a list of named steps.
    """
    return _holder(value, "", 0, set())


def _holder(value: Any, holder: str, depth: int, seen: set[int]) -> str:
    if depth > DEEPEST or id(value) in seen or isinstance(value, LEAVES):
        return ""
    seen.add(id(value))
    if hasattr(value, "get_weights") and hasattr(value, "layers"):
        return holder or type(value).__name__
    if isinstance(value, dict):
        inside, name = list(value.values()), holder
    elif isinstance(value, list | tuple):
        inside, name = list(value), holder
    else:
        inside, name = list(getattr(value, "__dict__", {}).values()), type(value).__name__
    return next((found for each in inside if (found := _holder(each, name, depth + 1, seen))), "")
