"""Parameter values as labels that an index can hold, in the order of a reader."""

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
    """Return the searched parameters: in the order of ``[space]``, then any others met."""
    names = dict.fromkeys(record.spec.get("space", {}))
    for candidate in record.candidates:
        names.update(dict.fromkeys(candidate.params))
    return list(names)


def plain_label(value: Any) -> Any:
    """Return a parameter value in a form that an index can hold: missing is ``"None"``."""
    if isinstance(value, list | tuple | dict):
        return str(value)
    return NO_VALUE if value is None or pd.isna(value) else value


def ordered_values(column: Iterable[Any]) -> list[Any]:
    """Return the different values as labels: numbers by size, then words, ``"None"`` last."""
    return sorted(dict.fromkeys(plain_label(value) for value in column), key=_place)


def _place(value: Any) -> tuple[int, float, str]:
    if value == NO_VALUE:
        return (2, 0.0, "")
    number = isinstance(value, int | float | np.number)
    return (0, float(value), "") if number else (1, 0.0, str(value))
