"""How a worker hears from the run that started it, and answers."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LAST_SECONDS = 8.0
"""How long a worker may take to stop when it is ordered to; then its process ends at once."""


class StopWork(BaseException):
    """Raised inside an evaluation when the worker is ordered to stop."""


class Control:
    """Orders from standard input, events to what was standard output.

    Whatever user code prints goes to standard error. ``stop``, a closed input (the run has died)
    and SIGTERM interrupt the running evaluation and end the process. ``interrupt`` interrupts it
    and waits for other orders: ``work``, ``finish``. ``pause`` lets it come to its end first.
    """

    def __init__(self) -> None:
        self._events: IO[str] = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        self._lock = threading.Lock()
        self.orders: queue.Queue[str] = queue.Queue()
        self.stopping = False
        self.interrupting = False
        self.pausing = False
        self._interruptible = self._broken_off = False

    def first_order(self) -> str:
        """Return the first line of standard input, then listen for more in the background."""
        line = sys.stdin.readline()
        signal.signal(signal.SIGUSR1, self._interrupt)
        signal.signal(signal.SIGTERM, self._interrupt)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        threading.Thread(target=self._listen, daemon=True).start()
        return line

    def tell(self, event: str, **details: Any) -> None:
        """Send an event to the run; a run that is gone does not matter here."""
        with self._lock:
            try:
                self._events.write(json.dumps({"event": event, **details}) + "\n")
            except (BrokenPipeError, ValueError):
                self.stopping = True

    @contextmanager
    def interruptible(self) -> Iterator[None]:
        """Mark the part of the work that an order to stop may break off.

        Whatever comes of work that was broken off, it is :class:`StopWork`: TensorFlow makes an
        error of its own of what is raised while it asks an object for its type, and a person's
        code may catch everything.
        """
        self._interruptible, self._broken_off = True, False
        try:
            if self.stopping or self.interrupting:
                raise StopWork
            yield
        finally:
            self._interruptible = False
            if self._broken_off:
                raise StopWork

    def _listen(self) -> None:
        for line in sys.stdin:
            if line.strip() == "stop":
                break
            self.interrupting, self.pausing = line.strip() == "interrupt", line.strip() == "pause"
            if self.pausing:
                continue
            if self.interrupting:
                os.kill(os.getpid(), signal.SIGUSR1)
            else:
                self.orders.put(line.strip())
        self.orders.put("stop")
        self.stopping = True
        threading.Timer(LAST_SECONDS, os._exit, (1,)).start()
        os.kill(os.getpid(), signal.SIGUSR1)

    def _interrupt(self, number: int, _frame: Any) -> None:
        if number == signal.SIGTERM:
            self.stopping = True
            self.orders.put("stop")
        if self._interruptible:
            self._interruptible, self._broken_off = False, True
            raise StopWork
