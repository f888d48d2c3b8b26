"""Sizes of memory: ``"4GB"``, ``"512MB"``, or a number of bytes."""

from __future__ import annotations

import re
from typing import Any

_UNITS = {"MB": 2**20, "GB": 2**30, "TB": 2**40}
_WHOLE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*(MB|GB|TB)", re.ASCII)


def size(value: Any) -> int:
    """Read a size of memory.

    Parameters
    ----------
    value : str or int
        A number with its unit (1 GB = 2**30 bytes), or bytes.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ValueError
        It is no such size.
    """
    if isinstance(value, str) and (found := _WHOLE.fullmatch(value)):
        return int(float(found[1]) * _UNITS[found[2]])
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise ValueError("no size")
