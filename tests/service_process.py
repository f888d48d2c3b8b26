"""A real ``sweep serve`` process, and a plain client of its API."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import httpx2


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class ServiceProcess:
    """``sweep serve`` in a folder; kill it, start it again on the same port."""

    def __init__(self, folder, *words, storage=None, env=None):
        self.folder, self.words, self.port = folder, words, free_port()
        self.env = {**os.environ, **(env or {})}
        if storage:
            self.env["SWEEP_STORAGE"] = storage
        self.process = self.token = None

    def start(self):
        """Start it; return when it listens."""
        line = [sys.executable, "-m", "sweep", "serve", "--port", str(self.port), *self.words]
        with (self.folder / "serve.log").open("a") as log:
            self.process = subprocess.Popen(
                line, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, stderr=log,
                text=True, start_new_session=True,
            )  # fmt: skip
        self.token = re.search(r"token=(\S+)", self.process.stdout.readline())[1]
        return self

    def kill(self):
        """End it as ``kill -9`` does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """End it as Ctrl-C does; return its status."""
        with suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        status = self.process.wait(30)
        self.process.stdout.close()
        return status

    @property
    def url(self):
        """Return where it is."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, method="GET", **options):
        """Ask its API; return the JSON."""
        answer = httpx2.request(
            method, f"{self.url}/api/v1{path}", timeout=30,
            headers={"Authorization": f"Bearer {self.token}"}, **options,
        )  # fmt: skip
        answer.raise_for_status()
        return answer.json()

    def submit(self, source):
        """Hand a study in."""
        return self.ask("/studies", "POST", json={"source": source})

    def studies(self):
        """Return the studies by name."""
        return {each["name"]: each for each in self.ask("/studies")["studies"]}


@contextmanager
def served(folder, *words, **options):
    """Yield a running service, and end it."""
    service = ServiceProcess(folder, *words, **options).start()
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.stop()


def until(condition, seconds=120):
    """Wait until something holds; return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it has not come to pass")
