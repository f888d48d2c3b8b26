"""Values of other tools as plain ones: parameters, numbers, names of scores."""

from __future__ import annotations

import ast
import re
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from sweep.spec.scorers import TAKEN

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST = 1000
"""Characters of a text that is a parameter's value."""
DEEPEST = 3
LITERAL = 10_000
"""Characters of a Python literal that is read."""
LARGEST = 2**63
OWN = "imported"
"""The module under which a score stands that is none of scikit-learn's scorers."""


def plain_value(value: Any, depth: int = 0) -> Any:
    """Return a parameter's value as a study can hold it.

    Truth values, finite numbers, text and lists of these stay; every other object becomes its
    text, None too: a study file has no None, and in a table it means that a parameter does not
    apply.
    """
    if callable(getattr(value, "tolist", None)):  # NumPy's numbers and arrays
        value = value.tolist()
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < LARGEST:
        return int(value)
    if isinstance(value, float) and isfinite(value):
        return float(value)
    if isinstance(value, list | tuple) and depth < DEEPEST:
        return [plain_value(each, depth + 1) for each in value]
    return _name(value)[:LONGEST]


def _name(value: Any) -> str:
    """Return what a person calls a value: a function by its name."""
    if isinstance(value, str):
        return value
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return str(name) if isinstance(name, str) else str(value)


def read_value(text: str) -> Any:
    """Return a cell of a CSV file as a value: a number, a truth value, None, a list or text."""
    plain = text.strip()
    if plain in ("True", "False", "true", "false"):
        return plain.lower() == "true"
    if plain == "None":
        return None
    if re.fullmatch(r"[+-]?\d{1,18}", plain):
        return int(plain)
    number = read_number(plain)
    if number is not None:
        return number if isfinite(number) else text
    if plain[:1] in ("[", "("):
        found = literal(plain)
        if isinstance(found, list | tuple):
            return found
    return text


def literal(text: str) -> Any:
    """Return a Python literal that a text holds; None where it is none. Nothing is executed."""
    if len(text) > LITERAL:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def read_number(value: Any) -> float | None:
    """Return a number, NaN for what stands for a missing one; None for anything else."""
    if value is None or value == "":
        return nan
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = isinstance(value, str) and len(value) <= 100 and "_" not in value
    if not number and not text:
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def scorer_name(metric: str, scorers: Sequence[str] = (), *, minimize: bool = False) -> str:
    """Return the name of a score as ``search.scoring`` takes it.

    Parameters
    ----------
    metric : str
        What the tool calls it.
    scorers : sequence of str
        Names that mean scikit-learn's scorers here.
    minimize : bool
        Whether the tool minimizes it: its values are negated then, and the name says so.
    """
    if metric in scorers and not minimize:
        return metric
    word = re.sub(r"\W+", "_", metric, flags=re.ASCII).strip("_") or "score"
    word = f"neg_{word}" if minimize else word
    word = f"score_{word}" if word[0].isdigit() else word
    return f"{OWN}:{word if word not in TAKEN else f'tool_{word}'}"
