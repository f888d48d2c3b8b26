"""Have a process of its own call a user's factory once: it may hang, or end its process."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.runner.worker_process import spawn

if TYPE_CHECKING:
    from sweep.runner.forkserver import ForkServer
    from sweep.workers.job import Job

LONGEST = 60.0
"""Seconds that it may take, TensorFlow's loading included; after that its fits will tell."""
KILLED_SECONDS = 5.0


def problems_found_apart(job: Job, forkserver: ForkServer | None = None) -> list[str]:
    """Return the problems that building one model shows; none where the process gives no answer.

    Parameters
    ----------
    job : Job
        With what to build.
    forkserver : ForkServer, optional
        Where the process is forked from; by default a new interpreter is started.
    """
    start = forkserver.fork if forkserver else spawn
    process = start(Path(os.devnull))
    answers: queue.Queue[list[str]] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, answers), daemon=True).start()
    try:
        with contextlib.suppress(OSError, ValueError):  # it has ended
            if process.stdin:
                process.stdin.write(job.line())
                process.stdin.flush()
        return answers.get(timeout=LONGEST)
    except queue.Empty:
        return []
    finally:
        with contextlib.suppress(OSError):
            if process.stdin:
                process.stdin.close()
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(KILLED_SECONDS)


def _read(lines: Any, answers: queue.Queue[list[str]]) -> None:
    with contextlib.suppress(OSError, ValueError), lines:
        for line in lines:
            with contextlib.suppress(json.JSONDecodeError):
                event = json.loads(line)
                if event.get("event") == "built":
                    answers.put(event["problems"])
    answers.put([])
