"""Read ``recipe.json`` of an exported model, and check it: the file may come from anybody."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sweep.datasets.resizing import RESIZES
from sweep.errors import ResultError
from sweep.support.code_references import is_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FORMAT = 1
RECIPE = "recipe.json"


def _each(value: Any, holds: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(holds, value))


def _one_kind(value: Any) -> bool:
    """Return whether a list has labels of one kind: bools, 64-bit ints, floats, or texts."""
    kinds = {type(each) for each in value} if isinstance(value, list) else set()
    if len(kinds) != 1 or not kinds <= {bool, int, float, str}:
        return False
    return kinds != {int} or all(abs(each) < 2**63 for each in value)


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value < 2**31


def _is_scaling(value: Any) -> bool:
    numbers: list[Any] = (
        [value.get(key) for key in ("shift", "scale")] if isinstance(value, dict) else [None]
    )
    return all(type(each) in (int, float) and abs(each) < HUGE for each in numbers)


HUGE = 1e30
RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "model_sha256": ("text", lambda v: isinstance(v, str)),
    "input_shape": ("a list of whole numbers from 1", lambda v: _each(v, _is_side)),
    "classes": ("a list of labels of one kind", _one_kind),
    "class_names": ("a list of texts", lambda v: _each(v, lambda name: isinstance(name, str))),
    "scaling": ("a table with the numbers shift and scale", _is_scaling),
}
"""Keys that a recipe must have, with their rules."""

CODE_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "code": ('"module:function"', lambda v: isinstance(v, str) and is_reference(v)),
    "fixed": ("a table", lambda v: isinstance(v, dict)),
    "params": ("a table", lambda v: isinstance(v, dict)),
    "precision": ("text", lambda v: isinstance(v, str)),
}
"""Keys that it must have in addition if a function of the user makes the model."""


STORED_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "stored": ('"skops" or "pickle"', lambda v: v in ("skops", "pickle")),
    "files": (
        "a table of texts",
        lambda v: isinstance(v, dict) and all(map(_is_digest, v.items())),
    ),
}
"""Keys that it must have in addition for an estimator of the user's own."""


def _is_digest(item: tuple[Any, Any]) -> bool:
    name, digest = item
    return isinstance(name, str) and isinstance(digest, str) and not {"/", "\\"} & set(name)


def read_recipe(path: Path) -> dict[str, Any]:
    """Read a recipe and check the keys that loading needs.

    Raises
    ------
    ResultError
        If it cannot be read, is not a recipe of sweep, or breaks a rule.
    """
    try:
        recipe: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultError(
            f"{path}: is not there; name a folder that sweep export has written"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(
            f"{path}: cannot be read ({error}); name a folder that sweep export has written"
        ) from error
    if not isinstance(recipe, dict) or not {"format", *RULES} <= recipe.keys():
        raise ResultError(f"{path}: is no recipe of sweep; name a folder that it has exported")
    if recipe["format"] != FORMAT:
        raise ResultError(
            f"{path}: was written by another version (format {recipe['format']!r}, this one reads "
            f"{FORMAT}); upgrade sweep, or export again"
        )
    rules = {**RULES, **(CODE_RULES if "code" in recipe else {})}
    if "stored" in recipe:
        rules |= STORED_RULES
        recipe.setdefault("files", {})
    if "resize" in recipe:  # an older export has none
        rules["resize"] = (f"one of {', '.join(RESIZES)}", RESIZES.__contains__)
    wrong = [f"{k} must be {rule}" for k, (rule, ok) in rules.items() if not ok(recipe.get(k))]
    if wrong:
        raise ResultError(f"{path}: {'; '.join(wrong)}; export the study again")
    return dict(recipe)
