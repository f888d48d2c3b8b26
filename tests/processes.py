"""What tests ask of processes: their descendants, whether they live, whether a thing happens."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path


def wait_for(condition, seconds=60):
    """Wait until a condition holds and return its value; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError("it did not happen in time")


def descendants(pid):
    """Return the processes that a process has started, and theirs, once there are workers."""
    line = ["ps", "-e", "-o", "pid=,ppid="]
    found = subprocess.run(line, capture_output=True, text=True, check=False).stdout
    parents = dict(map(int, row.split()) for row in found.splitlines())
    family = [child for child in parents if pid in _ancestors(child, parents)]
    return family if len(family) >= 2 else []


def _ancestors(pid, parents):
    while (pid := parents.get(pid, 0)) > 1:
        yield pid


def alive(pid):
    """Return whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
