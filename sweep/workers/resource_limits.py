"""What one cell may take: time, and memory."""

from __future__ import annotations

import faulthandler
import os
import resource
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sweep.errors import SweepError
from sweep.workers.job import RECYCLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECONDS = 5.0
"""How long a cell that is over its time may take to notice; then its process ends."""

OUT_OF_MEMORY = ("MemoryError", "ResourceExhaustedError")


class TrialTimeoutError(SweepError, TimeoutError):
    """A cell that ran over its time limit."""


@contextmanager
def time_limit(seconds: float | None, record: Callable[[str], None]) -> Iterator[None]:
    """End what runs inside after so many seconds.

    An exception is raised first. Where nothing reacts to it (a call into a library that does not
    come back, code that catches everything) a thread records it and ends the process; where
    even that cannot run, the operating system's clock ends it without a word. Whatever comes of it
    after the first, the limit is the reason: TensorFlow makes other errors of what is raised in it.

    Parameters
    ----------
    seconds : float or None
        None for no limit.
    record : callable
        ``record(reason)`` writes the failure down when the process is about to end.
    """
    if seconds is None:
        yield
        return
    reason = f"took longer than trial_timeout = {seconds:g} s"
    passed = False

    def over(_number: int, _frame: Any) -> None:
        nonlocal passed
        passed = True
        raise TrialTimeoutError(reason)

    def end() -> None:
        try:
            record(reason)
        finally:
            os._exit(RECYCLE)

    last = threading.Timer(seconds + PATIENCE_SECONDS, end)
    last.daemon = True
    signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + 3 * PATIENCE_SECONDS, exit=True)
    last.start()
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:  # also where the time is up within the line above
        last.cancel()
        faulthandler.cancel_dump_traceback_later()
        if passed:
            raise TrialTimeoutError(reason)


def limit_memory(size: int | None) -> None:
    """Let this process hold so many bytes of data, its libraries' code not counted (Linux)."""
    if size is not None and sys.platform == "linux":
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (size, hard))


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether Python or TensorFlow found no memory."""
    return any(kind.__name__ in OUT_OF_MEMORY for kind in type(error).__mro__)


def memory_reason(size: int) -> str:
    """Return why a cell that found no memory under a limit failed."""
    return f"needed more memory than memory_limit = {size / 2**30:.3g} GB"
