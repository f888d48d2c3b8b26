"""Ctrl-C and SIGTERM end a run with a word on how to continue, and a status of their own.

Neither is raised inside an import: an exception in its callbacks is swallowed, or leaves a lock
held for ever. It is raised a moment later. So is one that another callback has swallowed: of a
weak reference, of a finalizer.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweep.cli.group import INTERRUPTED
from sweep.runner.signals import handled

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
            _in_a_moment(number)
            return
        raise Terminated if number == signal.SIGTERM else KeyboardInterrupt

    with handled(end), _not_swallowed():
        yield


@contextmanager
def _not_swallowed() -> Iterator[None]:
    before = sys.unraisablehook

    def look(what: sys.UnraisableHookArgs) -> None:
        if issubclass(what.exc_type, KeyboardInterrupt):
            ended = issubclass(what.exc_type, Terminated)
            _in_a_moment(signal.SIGTERM if ended else signal.SIGINT)
        else:
            before(what)

    sys.unraisablehook = look
    try:
        yield
    finally:
        sys.unraisablehook = before


def _in_a_moment(number: int) -> None:
    threading.Timer(A_MOMENT, os.kill, (os.getpid(), number)).start()


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
