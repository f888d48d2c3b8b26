"""Parameter values as hashable labels for an index, in natural order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.records import StudyRecord

PREFIX = "param_"
NO_VALUE = "None"


def parameter_names(record: StudyRecord) -> list[str]:
    """Return the searched parameters: in the order of ``[space]``, then others of candidates."""
    names = dict.fromkeys(record.settings.space.dimensions)
    for candidate in record.candidates:
        names.update(dict.fromkeys(candidate.params))
    return list(names)


def is_missing(value: Any) -> bool:
    """Return whether a parameter has no value; a list is always a value."""
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def plain_label(value: Any) -> Any:
    """Return a parameter value as a hashable label: a list as text, a missing one as ``"None"``."""
    if is_missing(value):
        return NO_VALUE
    return str(value) if isinstance(value, list | tuple | dict) else value


def labelled(column: Iterable[Any]) -> dict[Any, Any]:
    """Return the distinct values by their labels, in the order of :func:`ordered_values`."""
    found: dict[Any, Any] = {}
    for value in column:
        found.setdefault(plain_label(value), value)
    return dict(sorted(found.items(), key=lambda pair: _sort_key(pair[1])))


def ordered_values(column: Iterable[Any]) -> list[Any]:
    """Return the distinct values as labels.

    Numbers by size, then lists by their elements, then text alphabetically, ``"None"`` last.
    """
    return list(labelled(column))


def _sort_key(value: Any) -> tuple[Any, ...]:
    if is_missing(value) or value == NO_VALUE:
        return (3,)
    if isinstance(value, int | float | np.number):
        return (0, float(value))
    if isinstance(value, list | tuple):
        return (1, tuple(map(_sort_key, value)))
    return (2, str(value))
