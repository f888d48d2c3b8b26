"""Decide when a long fit writes a checkpoint: about once a minute, more rarely on a slow disk."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY_SECONDS = 60.0
"""A checkpoint is due at the end of the first epoch after so long; a kill loses about as much."""

SHARE = 20
"""Writing takes at most 1 / SHARE of the time."""


class CheckpointInterval:
    """Tell when the next checkpoint is due; after a slow write it waits longer."""

    def __init__(self) -> None:
        self._spent = 0.0
        self.begin()

    def begin(self) -> None:
        """Start counting now."""
        self._last = time.monotonic()

    def due(self, share: float = 1.0) -> bool:
        """Return whether that share of the interval is over."""
        waited = time.monotonic() - self._last
        return waited >= max(share * EVERY_SECONDS, SHARE * self._spent)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Measure the duration of a write, and start counting at its end."""
        began = time.monotonic()
        yield
        self.begin()
        self._spent = self._last - began
