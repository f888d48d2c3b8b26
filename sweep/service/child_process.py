"""Work that the server leaves to a process of its own, few of them at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from sweep.service.problems import RefusedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

_at_work: set[subprocess.Popen[str]] = set()


def run_child(
    words: Sequence[str], places: threading.Semaphore, *, patience: float, seconds: float,
    busy: str, late: str, env: Mapping[str, str] | None = None, told: str = "",
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run this Python in a process of its own; return how it ended and what it wrote.

    Parameters
    ----------
    words : sequence of str
        What follows ``python`` on its command line.
    places : threading.Semaphore
        Has a place for each process that may run at once.
    patience : float
        Seconds to wait for a place.
    seconds : float
        How long the process may take; it is killed then.
    busy, late : str
        What the person is told where no place becomes free, and where it takes too long.
    env : mapping of str to str, optional
        Its environment, beside the path on which this process finds modules; default: this one's.
    told : str
        What it reads from its standard input.

    Raises
    ------
    RefusedError
        503 where others are under way, or it takes too long.
    """
    path = os.pathsep.join(filter(None, sys.path))
    if not places.acquire(timeout=patience):
        raise RefusedError(503, busy)
    try:
        child = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True,  # Ctrl-C at the server's terminal is for the server
            env={**(os.environ if env is None else env), "PYTHONPATH": path},
        )  # fmt: skip
        return _finished(child, told, seconds)
    except subprocess.TimeoutExpired:
        raise RefusedError(503, late) from None
    finally:
        places.release()


def end_children() -> None:
    """Kill the processes that are at work: the server stops, and nobody waits for them."""
    for child in tuple(_at_work):
        child.kill()


def _finished(
    child: subprocess.Popen[str], told: str, seconds: float
) -> subprocess.CompletedProcess[str]:
    _at_work.add(child)
    try:
        with child:
            try:
                said, errors = child.communicate(told, seconds)
            except BaseException:
                child.kill()
                raise
        return subprocess.CompletedProcess(child.args, child.returncode, said, errors)
    finally:
        _at_work.discard(child)
