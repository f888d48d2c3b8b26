"""The workers of this machine: the agent as a process of its own, started again when it dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sweep.service.worker_agent import AgentSettings
from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.service.settings import Settings
    from sweep.service.snapshot import Snapshot

LEAVE_SECONDS = 15.0
RESTART_SECONDS = 1.0
LINES = 200
"""Lines of a study's log that are kept."""
LOGS = 500
"""Studies whose log is kept."""


class WorkerPool:
    """Start the agent, watch it, hear what its workers do.

    Parameters
    ----------
    settings : Settings
        The ledger, how many workers, what they may load.
    snapshot : Snapshot
        Told when something that pages show has changed.
    """

    def __init__(self, settings: Settings, snapshot: Snapshot) -> None:
        self._settings, self._snapshot = settings, snapshot
        self._now: dict[str, Mapping[str, Any]] = {}
        self._lines: dict[str, deque[str]] = {}
        self._process: subprocess.Popen[str] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start the agent, and watch it."""
        self._process = self._started()
        self._thread.start()

    def wake(self) -> None:
        """Have the workers look for cells now."""
        self._write("look\n")

    def now(self, name: str) -> Mapping[str, Any]:
        """Return what they do for a study: phase, running trials, seconds left; empty if nothing.

        See :func:`sweep.service.worker_agent.plain_progress`.
        """
        return self._now.get(name, {})

    def lines(self, name: str) -> Sequence[str]:
        """Return the last lines about a study, oldest first."""
        return list(self._lines.get(name, ()))

    def stop(self) -> None:
        """Have the agent leave: the cells that run are given back."""
        self._over.set()
        process = self._process
        if process is None:
            return
        with suppress(OSError, ValueError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _watch(self) -> None:
        while not self._over.is_set():
            process = self._process
            if process is not None and process.stdout:
                for line in process.stdout:
                    with suppress(json.JSONDecodeError, KeyError):
                        self._take(json.loads(line))
                process.wait()
            self._now = {}
            if not self._over.wait(RESTART_SECONDS):
                self._process = self._started()

    def _take(self, event: Mapping[str, Any]) -> None:
        kind, name = event["event"], event["study"]
        if kind == "now":
            self._now[name] = event
        elif kind == "ended":
            self._now.pop(name, None)
        else:
            self._log(name).append(redacted(str(event["text"])))
        self._snapshot.touch()

    def _log(self, name: str) -> deque[str]:
        if name not in self._lines and len(self._lines) >= LOGS:
            self._lines.pop(next(iter(self._lines)))
        return self._lines.setdefault(name, deque(maxlen=LINES))

    def _write(self, text: str) -> None:
        with suppress(OSError, ValueError):  # an agent that has died is started again
            if self._process is not None and self._process.stdin:
                self._process.stdin.write(text)
                self._process.stdin.flush()

    def _started(self) -> subprocess.Popen[str]:
        settings = self._settings
        process = subprocess.Popen(
            [sys.executable, "-m", "sweep.service.worker_agent"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )  # fmt: skip
        told = AgentSettings(
            settings.storage, settings.workers, settings.at_once, settings.data_home,
            settings.allow,
        )  # fmt: skip
        self._process = process
        self._write(told.line())
        return process
