"""Ctrl-C and SIGTERM end a run with a word on how to continue, and a status of their own.

Neither is raised inside an import: an exception in its callbacks is swallowed, or leaves a lock
held for ever. It is raised a moment later.
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweep.cli.group import INTERRUPTED
from sweep.workers.interrupts import handled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

A_MOMENT = 0.05
TERMINATED = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM was received."""


@contextmanager
def heard() -> Iterator[None]:
    """Raise KeyboardInterrupt or :class:`Terminated`, where this is the main thread."""

    def end(number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            threading.Timer(A_MOMENT, os.kill, (os.getpid(), number)).start()
            return
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    with handled(end):
        yield


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def status_of(stop: BaseException) -> int:
    """Return the exit status of a run that was stopped so."""
    if isinstance(stop, Terminated):
        return TERMINATED
    return int(getattr(stop, "exit_status", INTERRUPTED))
