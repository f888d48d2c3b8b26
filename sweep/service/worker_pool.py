"""The workers of this machine: one process that takes cells, started again when it dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweep.service.settings import Settings
    from sweep.service.snapshot import Snapshot

LEAVE_SECONDS = 10.0
RESTART_SECONDS = 1.0


class WorkerPool:
    """``sweep worker --all --wait`` as a process of its own, watched.

    Parameters
    ----------
    settings : Settings
        The ledger, how many workers, what they may load.
    snapshot : Snapshot
        Told when something that it shows has changed.
    """

    def __init__(self, settings: Settings, snapshot: Snapshot) -> None:
        self._settings, self._snapshot = settings, snapshot
        self._process: subprocess.Popen[bytes] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def start(self) -> None:
        """Start the process, and watch it."""
        self._process = self._started()
        self._thread.start()

    def stop(self) -> None:
        """Have the process leave: its running cells are given back."""
        self._over.set()
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            process.wait(LEAVE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _watch(self) -> None:
        while not self._over.is_set():
            if self._process is not None:
                self._process.wait()
            if not self._over.wait(RESTART_SECONDS):
                self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        settings = self._settings
        words = ["worker", "--all", "--wait", "--n-jobs", str(settings.workers)]
        for module in settings.allow:
            words += ["--allow", module]
        if settings.data_home:
            words += ["--data-home", settings.data_home]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "sweep", *words],
            env={**os.environ, "SWEEP_STORAGE": settings.storage},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
