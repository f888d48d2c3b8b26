"""One worker process as the run sees it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.runner.gpus import see_only
from sweep.runner.worker_command import COMMAND, worker_environment
from sweep.support.redaction import redacted

if TYPE_CHECKING:
    import queue
    from collections.abc import Callable
    from pathlib import Path

    from sweep.runner.forkserver import ForkedProcess
    from sweep.workers.job import Job

Event = dict[str, Any]

READ_SECONDS = 2.0
"""How long the last events of a worker that has ended may take."""


class WorkerProcess:
    """Start a worker, hand it its job, collect what it says.

    Parameters
    ----------
    number : int
        Its place among the run's workers, from 0.
    events : queue of (int, Event)
        Where its events go, beside ``number``; ``{"event": "gone"}`` comes last.
    log : Path
        File that its standard error is appended to.
    start : callable
        ``start(log, device)`` starts the process: :func:`spawn`, or :meth:`ForkServer.fork`.
    device : str or None
        The GPU that it sees; None for what this process sees.
    """

    def __init__(
        self,
        number: int,
        events: queue.Queue[tuple[int, Event]],
        log: Path,
        start: Callable[[Path, str | None], subprocess.Popen[str] | ForkedProcess],
        device: str | None = None,
    ) -> None:
        self.number, self.log = number, log
        self.idle = self.to_recycle = False
        self.name = ""
        log.parent.mkdir(parents=True, exist_ok=True)
        self._said_before = log.stat().st_size if log.exists() else 0
        self._process = start(log, device)
        reader = threading.Thread(target=self._read, args=(events,), daemon=True)
        reader.start()
        threading.Thread(target=self._wait_for_end, args=(events, reader), daemon=True).start()

    @property
    def exit_status(self) -> int | None:
        """The exit status, negative for a signal; None while it lives."""
        return self._process.poll()

    def begin(self, job: Job) -> None:
        """Hand over the job, with the log that its process writes from now on."""
        self._write(replace(job, log=str(self.log.resolve())).line())

    def order(self, word: str) -> None:
        """Send an order: ``work``, ``finish``, ``rest``, ``stop``."""
        self.idle = False
        self._write(f"{word}\n")

    def pause(self) -> None:
        """Have it finish its cell and take no other; an idle one stays so."""
        self._write("pause\n")

    def abandon(self) -> None:
        """Wait no longer for it where it has not begun; it leaves when it does."""
        if self._process.pid is None:
            self._process.kill()

    def dismiss(self) -> None:
        """End it at once: it is idle and holds nothing."""
        self._process.kill()

    def end(self, seconds: float) -> None:
        """Wait for the process to leave; end it when it does not."""
        with contextlib.suppress(OSError):
            if self._process.stdin:
                self._process.stdin.close()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def last_words(self) -> str:
        """Return the last line that it has written to its log, passwords taken out."""
        try:
            said = self.log.read_bytes()[self._said_before :].decode(errors="replace")
        except OSError:
            return ""
        lines = said.strip().splitlines()
        return redacted(lines[-1])[:300] if lines else ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # a dead worker is noticed otherwise
            if self._process.stdin:
                self._process.stdin.write(text)
                self._process.stdin.flush()

    def _read(self, events: queue.Queue[tuple[int, Event]]) -> None:
        if self._process.stdout:
            with self._process.stdout as lines:
                for line in lines:
                    with contextlib.suppress(json.JSONDecodeError):
                        events.put((self.number, json.loads(line)))

    def _wait_for_end(
        self, events: queue.Queue[tuple[int, Event]], reader: threading.Thread
    ) -> None:
        """When it has ended, end what it has left behind, and say so."""
        self._process.wait()
        if self._process.pid:  # it leads a group of its own, and others may hold its pipes
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        reader.join(READ_SECONDS)
        events.put((self.number, {"event": "gone", "process": id(self)}))


def spawn(log: Path, device: str | None = None) -> subprocess.Popen[str]:
    """Start a worker as a fresh interpreter: where nothing can fork."""
    its_own = worker_environment()
    see_only(its_own, device)
    with log.open("ab") as errors:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=its_own,
            start_new_session=True,
            text=True,
        )
