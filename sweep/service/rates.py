"""How often one sender may ask: a token bucket each."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.service.settings import Limits

BURST_SECONDS = 10.0
MOST_SENDERS = 10_000


class Rates:
    """Count requests by sender.

    Parameters
    ----------
    limits : Limits
        ``requests`` a second of one token, ``refused`` a minute of an address without one.
    """

    def __init__(self, limits: Limits) -> None:
        self._known = float(limits.requests)
        self._unknown = limits.refused / 60
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def allow(self, sender: str, *, known: bool) -> bool:
        """Take one request of a sender into account; return whether it may pass."""
        rate = self._known if known else self._unknown
        most = rate * (BURST_SECONDS if known else 60)
        now = time.monotonic()
        with self._lock:
            if len(self._buckets) > MOST_SENDERS:
                self._buckets.clear()
            left, since = self._buckets.get(sender, (most, now))
            left = min(most, left + (now - since) * rate)
            self._buckets[sender] = (max(0.0, left - 1), now)
        return left >= 1
