"""Numbers, counts and times as text: what the command line and the reports have in common."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE, HOUR = 60, 3600
"""Seconds."""

TEN = 10


def score(value: Any, missing: str) -> str:
    """Return a score with four decimals, or four digits from ten upwards; ``missing`` for none."""
    if value is None or not isfinite(value):
        return missing
    return f"{value:.4f}" if abs(value) < TEN else f"{value:.4g}"


def duration(seconds: float | None) -> str:
    """Return ``1:20``, ``1:02:03``; a dash where it is not known."""
    if seconds is None or not isfinite(seconds):
        return "-"
    minutes, rest = divmod(round(seconds), MINUTE)
    hours, minutes = divmod(minutes, MINUTE)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def difference(low: float, found: float, high: float) -> str:
    """Return a difference with its interval, without one where nothing bounds it."""
    measured = score(found, "")
    return f"{measured} ({score(low, '')} to {score(high, '')})" if isfinite(low) else measured


def setting(value: Any) -> str:
    """Return a parameter's value: floats with four significant digits."""
    if isinstance(value, Real) and not isinstance(value, Integral):
        return f"{float(value):.4g}"
    return str(value)


def counted(number: int, word: str, plural: str | None = None) -> str:
    """Return ``1 fit``, ``1,200 fits``."""
    return f"{number:,} {word if number == 1 else plural or word + 's'}"


def epochs(number: float) -> str:
    """Return ``1 epoch``, ``20 epochs``, ``0.19 epochs``."""
    return counted(int(number), "epoch") if number == int(number) else f"{number:.3g} epochs"


def two_digits(number: float) -> float:
    """Return a share of an epoch with two significant digits; whole numbers unchanged."""
    return number if number >= 1 else float(f"{number:.2g}")


def trained(number: float, rows: int | None) -> str:
    """Return how long a fit was trained: ``2 epochs``, ``1,024 rows (0.19 epochs)``."""
    return epochs(number) if rows is None else f"{counted(rows, 'row')} ({epochs(number)})"


def times(number: int) -> str:
    """Return ``once``, ``twice``, ``3 times``."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")


def places(hosts: Iterable[str]) -> str:
    """Return where workers are: ``vm x 2, node1`` for one entry each."""
    counts = Counter(hosts)
    return ", ".join(host + (f" x {n}" if n > 1 else "") for host, n in counts.items())


def moment(stamp: str) -> str:
    """Return an ISO time as a date and a clock time; anything else unchanged."""
    try:
        return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M}"
    except ValueError:
        return stamp
