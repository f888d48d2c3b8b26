"""Hand-ins take turns.

Each writes to the ledger many times. A hundred at once would hold each other up there, and would
keep every thread of the server waiting, so that no page is answered either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
AT_ONCE = 4
"""Studies that are put into the ledger at the same time; others wait, first come first served."""
_turns = CapacityLimiter(AT_ONCE)


async def in_turn(act: Callable[[], T]) -> T:
    """Put a study into the ledger when its turn has come; no thread waits for it."""
    return await run_sync(act, limiter=_turns)
