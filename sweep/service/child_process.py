"""Work that the server leaves to a process of its own, few of them at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from sweep.service.problems import RefusedError

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence


def run_child(
    words: Sequence[str], places: threading.Semaphore, *, patience: float, seconds: float,
    busy: str, late: str, env: Mapping[str, str] | None = None, **options: Any,
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
    **options
        As for :func:`subprocess.run`.

    Raises
    ------
    RefusedError
        503 where others are under way, or it takes too long.
    """
    path = os.pathsep.join(filter(None, sys.path))
    if not places.acquire(timeout=patience):
        raise RefusedError(503, busy)
    try:
        return subprocess.run(  # noqa: S603 - our own interpreter
            [sys.executable, *words], capture_output=True, text=True, errors="replace",
            timeout=seconds, check=False,
            env={**(os.environ if env is None else env), "PYTHONPATH": path}, **options,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise RefusedError(503, late) from None
    finally:
        places.release()
