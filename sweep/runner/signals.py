"""SIGINT and SIGTERM as requests to end cleanly."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sweep.errors import InterruptedRunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from sweep.runner.progress import Watcher


class SignalRequests:
    """The signals that a run has been sent."""

    def __init__(self) -> None:
        self._signal = 0

    def check(self, watcher: Watcher) -> None:
        """Raise the error of a signal that has come.

        Raises
        ------
        InterruptedRunError
            With the exit status that a shell expects.
        """
        if self._signal:
            watcher.say("stopping: a running epoch may finish")
            error = InterruptedRunError("interrupted")
            error.exit_status = 128 + self._signal
            raise error

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Take note of signals, where this is the main thread."""

        def note(number: int, _frame: FrameType | None) -> None:
            self._signal = number

        with handled(note):
            yield


@contextmanager
def handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Install a handler for SIGINT and SIGTERM, in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: signal.signal(n, handler) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
