"""Everything that is wrong in what is imported, told at once."""

from __future__ import annotations

from typing import Any

from sweep.errors import ImportFileError

MOST_TOLD = 20
"""Problems that a message lists one by one."""
SHOWN = 60
"""Characters of a value that a message shows."""


class Problems:
    """Collects problems of a source.

    Parameters
    ----------
    source : str
        The file, folder or database, as messages name it.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.found: list[str] = []

    def add(self, place: str, rule: str) -> None:
        """Add a problem: where, and the rule with the value."""
        self.found.append(f"{place}: {rule}" if place else rule)

    def check(self) -> None:
        """Raise what was found.

        Raises
        ------
        ImportFileError
            If there is a problem.
        """
        if not self.found:
            return
        more = len(self.found) - MOST_TOLD
        rest = [f"... and {more} more"] if more > 0 else []
        raise ImportFileError(self.source, [*self.found[:MOST_TOLD], *rest])


def refused(source: str, rule: str) -> ImportFileError:
    """Return the error for a source that cannot be read at all."""
    return ImportFileError(source, [rule])


def shown(value: Any) -> str:
    """Return a value for a message: short, on one line, without control characters."""
    text = value if isinstance(value, str) else repr(value)
    text = "".join(c if c.isprintable() else "?" for c in text[: SHOWN + 1])
    return repr(text) if len(text) <= SHOWN else repr(text[:SHOWN] + "...")
