"""How values read on the page: text only, escaping is the template's work."""

from __future__ import annotations

from datetime import datetime
from math import isfinite
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = "–"  # noqa: RUF001 - an en dash is what a reader expects in an empty cell
MINUTE, HOUR = 60, 3600
TEN = 10


def clean(text: object) -> str:
    """Return text without control and direction characters."""
    return "".join(c for c in str(text) if c.isprintable())


def visible(text: str) -> str:
    """Return many lines of text with control and direction characters spelled out."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in text)


def score(value: Any) -> str:
    """Return a score with four decimals, or four digits from ten upwards."""
    if value is None or not isfinite(value):
        return NOTHING
    return f"{value:.4f}" if abs(value) < TEN else f"{value:.4g}"


def whole(value: Any) -> str:
    """Return a count with thousands set off."""
    return NOTHING if value is None or value != value else f"{int(value):,}"  # noqa: PLR0124 - NaN


def seconds(value: float) -> str:
    """Return a duration in the units that a person would say."""
    if not isfinite(value):
        return NOTHING
    if value < MINUTE:
        return f"{value:.2f} s" if value < TEN else f"{value:.0f} s"
    minutes, rest = divmod(round(value), MINUTE)
    if value < HOUR:
        return f"{minutes} min {rest} s"
    return f"{minutes // MINUTE} h {minutes % MINUTE} min"


def value(held: Any) -> str:
    """Return a parameter value: floats with four significant digits."""
    if isinstance(held, Real) and not isinstance(held, Integral):
        return f"{float(held):.4g}"
    return clean(held)


def settings(params: Mapping[str, Any], order: list[str]) -> list[tuple[str, str]]:
    """Return names and values of the parameters that apply, in the order of the space."""
    names = [name for name in order if name in params]
    names += [name for name in params if name not in names]
    return [(clean(name), value(params[name])) for name in names]


def sentence(params: Mapping[str, Any], order: list[str]) -> str:
    """Return ``hidden_size = 256, epochs = 10``."""
    return ", ".join(f"{name} = {held}" for name, held in settings(params, order))


def moment(stamp: str) -> str:
    """Return an ISO time as a date and a clock time; anything else as it stands."""
    try:
        return f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M}"
    except ValueError:
        return clean(stamp)


def many(count: int, noun: str) -> str:
    """Return a count with its noun in the right number."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def times(count: int) -> str:
    """Return how often."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
