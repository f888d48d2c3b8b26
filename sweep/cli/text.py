"""Text for a terminal: without control characters, numbers and durations as people write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.support import text as shared
from sweep.support.redaction import redacted
from sweep.support.text import MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.outcomes import DataRecord


def clean(text: object) -> str:
    """Return text on one line without control or direction characters."""
    return "".join(c if c.isprintable() else "?" for c in str(text))


def clean_lines(text: object) -> str:
    """Return text with its line ends, without other control or direction characters."""
    return "\n".join(clean(line) for line in str(text).split("\n"))


def complain(message: str) -> None:
    """Write a message to standard error, passwords taken out."""
    click.echo(clean_lines(redacted(message)).rstrip(), err=True)


duration = shared.duration


def spoken(seconds: float) -> str:
    """Return ``about 20 s``, ``about 3 min``, ``about 2 h 10 min``."""
    if seconds < 1.5 * MINUTE:
        return f"about {max(5, 5 * round(seconds / 5))} s"
    minutes = round(seconds / MINUTE)
    if minutes < 2 * MINUTE:
        return f"about {minutes} min"
    return f"about {minutes // MINUTE} h {minutes % MINUTE} min"


def score(value: float | None) -> str:
    """Return a score with four decimals, or four digits from ten upwards."""
    return shared.score(value, "-")


def other_scores(others: Mapping[str, float | None]) -> str:
    """Return the scores by further scorers, to stand behind the first; empty for none."""
    return "".join(f"; {clean(name)} {score(value)}" for name, value in others.items())


def setting(value: Any) -> str:
    """Return a parameter's value: floats with four significant digits."""
    return clean(shared.setting(value))


def settings(params: Mapping[str, Any], separator: str = ", ") -> str:
    """Return ``hidden_size=64, epochs=10``."""
    return separator.join(f"{clean(name)}={setting(value)}" for name, value in params.items())


def classes_of(data: DataRecord) -> str:
    """Return ``10 classes``, ``2 classes (positive: ill)``."""
    said = f"{len(data.classes)} classes"
    return f"{said} (positive: {clean(data.positive)})" if data.positive else said


def moment(stamp: str) -> str:
    """Return an ISO time as date and clock time."""
    return clean(shared.moment(stamp))
