"""Tell the user what a process waits for, once the wait takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIRST_MESSAGE_SECONDS = 2.0
"""How long a process waits before it says so."""
NEXT_MESSAGE_SECONDS = 60.0


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{redacted(line)}\n")
    sys.stderr.flush()


_outputs: list[Callable[[str], None]] = [_to_stderr]


@contextmanager
def waits_shown_by(show: Callable[[str], None]) -> Iterator[None]:
    """Pass messages about waits to ``show`` (a run's display) instead of standard error."""
    _outputs.append(show)
    try:
        yield
    finally:
        _outputs.remove(show)


class Wait:
    """One wait: shows a message after two seconds, and then once a minute."""

    def __init__(self) -> None:
        self._due = time.monotonic() + FIRST_MESSAGE_SECONDS

    def look(self, what: Callable[[], str]) -> None:
        """Show what this waits for, if a message is due."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + NEXT_MESSAGE_SECONDS
            _outputs[-1](f"waiting for {what()}")
