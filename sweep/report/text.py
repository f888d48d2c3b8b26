"""How values read on the page: plain text, which the template escapes."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.support import text

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTHING = "–"  # noqa: RUF001 - an en dash is what a reader expects in an empty cell


def clean(value: object) -> str:
    """Return text without control and direction characters."""
    return "".join(c for c in str(value) if c.isprintable())


def visible(lines: str) -> str:
    """Return many lines of text with control and direction characters spelled out."""
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in lines)


def score(value: Any) -> str:
    """Return a score, or a dash."""
    return text.score(value, NOTHING)


def other_scores(others: Mapping[str, float | None]) -> str:
    """Return the scores by further scorers, to stand behind the first; empty for none."""
    return "".join(f"; {clean(name)} {score(value)}" for name, value in others.items())


def whole(value: Any) -> str:
    """Return a count with thousands separated, or a dash."""
    return NOTHING if value is None or value != value else f"{int(value):,}"  # noqa: PLR0124 - NaN


def seconds(value: float) -> str:
    """Return ``2.50 s``, ``45 s``, ``3 min 20 s``, ``2 h 10 min``."""
    if not isfinite(value):
        return NOTHING
    if value < text.MINUTE:
        return f"{value:.2f} s" if value < text.TEN else f"{value:.0f} s"
    minutes, rest = divmod(round(value), text.MINUTE)
    if value < text.HOUR:
        return f"{minutes} min {rest} s"
    return f"{minutes // text.MINUTE} h {minutes % text.MINUTE} min"


def setting(value: Any) -> str:
    """Return a parameter's value: floats with four significant digits."""
    return clean(text.setting(value))


def cell(params: Mapping[str, Any], name: str) -> str:
    """Return the value of one parameter, or a dash where it does not apply."""
    return setting(params[name]) if name in params else NOTHING


def settings(params: Mapping[str, Any], order: list[str]) -> list[tuple[str, str]]:
    """Return names and values of the parameters that apply, in the order of the space."""
    names = [name for name in order if name in params]
    names += [name for name in params if name not in names]
    return [(clean(name), setting(params[name])) for name in names]


def settings_line(params: Mapping[str, Any], order: list[str]) -> str:
    """Return ``hidden_size = 256, epochs = 10``; ``the fixed model`` if nothing is searched."""
    line = ", ".join(f"{name} = {value}" for name, value in settings(params, order))
    return line or "the fixed model"


def moment(stamp: str) -> str:
    """Return an ISO time as a date and a clock time; anything else unchanged."""
    return clean(text.moment(stamp))
