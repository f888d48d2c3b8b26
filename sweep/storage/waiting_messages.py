"""Say what a process waits for, once that takes longer than a person would sit without a word."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOLD_SECONDS = 2.0
"""How long a process waits without saying so."""
TOLD_AGAIN_SECONDS = 60.0


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"{redacted(line)}\n")
    sys.stderr.flush()


_sayers: list[Callable[[str], None]] = [_to_stderr]


@contextmanager
def waits_said_by(say: Callable[[str], None]) -> Iterator[None]:
    """Have whatever this process waits for said by a run's display, or told to the run."""
    _sayers.append(say)
    try:
        yield
    finally:
        _sayers.remove(say)


class Wait:
    """One wait: says for what after two seconds, and then once a minute."""

    def __init__(self) -> None:
        self._due = time.monotonic() + TOLD_SECONDS

    def look(self, what: Callable[[], str]) -> None:
        """Say what this waits for, if that is due."""
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + TOLD_AGAIN_SECONDS
            _sayers[-1](f"waiting for {what()}")
