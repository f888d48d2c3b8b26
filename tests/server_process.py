"""A real `sweep serve` on a free port, for tests of what asks it."""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Served:
    """A server that runs.

    ``printed`` is the address as it prints it, with its token; ``url`` and ``token`` its parts.
    """

    storage: str
    printed: str

    @property
    def url(self):
        return self.printed.partition("/?")[0]

    @property
    def token(self):
        return self.printed.partition("token=")[2]

    def add_token(self, name, role):
        """Return a new token."""
        from sweep.service.token_commands import add_token

        return add_token(self.storage, name, role)


@contextmanager
def served(storage, *words):
    """Start a server over a ledger; end it afterwards."""
    left_out = ("SWEEP_SERVER", "SWEEP_TOKEN", "SWEEP_STORAGE", "SWEEP_STORAGE_FILE")
    known = {key: value for key, value in os.environ.items() if key not in left_out}
    process = subprocess.Popen(
        [sys.executable, "-m", "sweep", "serve", "--port", "0", "--storage", storage, *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**known, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        yield Served(storage, process.stdout.readline().split()[3])
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()
