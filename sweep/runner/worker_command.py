"""How a worker process is started: its command and its environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import sweep
from sweep.support.keras_configuration import settle
from sweep.training.threads import single_threaded

COMMAND = [sys.executable, "-P", "-m", "sweep.workers"]
"""``-P``: a folder that happens to hold a ``keras.py`` does not stand in the way."""


def worker_environment() -> dict[str, str]:
    """Return this process's environment with one thread, our Keras backend, sweep importable."""
    found = dict(os.environ)
    single_threaded(found)
    settle(found)
    home = str(Path(sweep.__file__).resolve().parent.parent)
    paths = [home, found.get("PYTHONPATH", "")]
    found["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    return found
