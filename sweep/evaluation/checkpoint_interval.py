"""When a long fit is written down: after about a minute, and never for long."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_SECONDS = 60.0
"""A fit is written at the end of the first epoch after so long: as much may be lost."""

SHARE = 20
"""Writing takes one part in so many of the time at most."""


class CheckpointInterval:
    """Says when it is time to write; a slow disk makes it wait longer."""

    def __init__(self) -> None:
        self._spent = 0.0
        self.begin()

    def begin(self) -> None:
        """Count from now."""
        self._last = time.monotonic()

    def due(self, share: float = 1.0) -> bool:
        """Return whether that share of the time between two writes is over."""
        waited = time.monotonic() - self._last
        return waited >= max(share * EVERY_SECONDS, SHARE * self._spent)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure a write, and count from its end."""
        began = time.monotonic()
        yield
        self.begin()
        self._spent = self._last - began
