"""Durations: ``"4h"``, ``"90m"``, ``"1h30m"``, ``"30s"``, or a number of seconds."""

from __future__ import annotations

import math
import re
from typing import Any

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_WHOLE = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?[hms]\s*)+", re.ASCII)
_PART = re.compile(r"([\d.]+)([hms])")


def seconds(value: Any) -> float:
    """Read a duration.

    Parameters
    ----------
    value : str or number
        Hours, minutes and seconds by their letters, or seconds.

    Returns
    -------
    float
        Seconds, above 0.

    Raises
    ------
    ValueError
        It is no such duration.
    """
    total = _total(value)
    if not (math.isfinite(total) and total > 0):
        raise ValueError("no duration")
    return total


def _total(value: Any) -> float:
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else math.nan
