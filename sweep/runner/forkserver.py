"""The run's side of the forkserver: start it, ask it for workers, learn how they ended."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sweep.runner.forkserver_process import MESSAGE_BYTES, NEEDED, SPARE
from sweep.runner.worker_command import worker_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.datasets import Dataset


WATCH_SECONDS = 0.1


class ForkServer:
    """Where workers come from: a process that has loaded TensorFlow, another if that one dies.

    It needs nothing but time, so it is started first of all, before the study is read. Several
    runs may share one: each keeps its own :class:`SharedData`.
    """

    def __init__(self) -> None:
        self._server = ForkServerProcess()
        self._spares: list[ForkedProcess] = []
        self._lock = threading.Lock()

    def fork(self, log: Path, device: str | None = None) -> ForkedProcess:
        """Ask for a worker that sees a device: a spare one, or one that begins when all is loaded.

        Its job names its log: a spare one was made before anybody knew.
        """
        with self._lock:
            while device is None and self._spares:
                spare = self._spares.pop()
                if spare.poll() is None:
                    return spare
            return self._alive().fork(log, device)

    def prepare(self, count: int, log: Path) -> None:
        """Have so many spare workers ready: their first fit does not wait for TensorFlow to begin.

        Parameters
        ----------
        count : int
            How many.
        log : Path
            What they print before they have a job.
        """
        with self._lock:
            self._spares = [each for each in self._spares if each.poll() is None]
            log.parent.mkdir(parents=True, exist_ok=True)
            for _ in range(count - len(self._spares)):
                self._spares.append(self._alive().fork(log, spare=True))

    def close(self) -> None:
        """End the process and its spare workers; those that are at work are on their own."""
        for spare in self._spares:
            spare.kill()
            spare.close()
        self._server.close()

    def _alive(self) -> ForkServerProcess:
        if not self._server.alive:
            self._server.close()
            self._server = ForkServerProcess()
        return self._server


class SharedData:
    """A dataset in memory that all workers of a run map; each loads its own where it is empty."""

    def __init__(self) -> None:
        self.fd: int | None = None

    @property
    def path(self) -> str:
        """Where workers find it; empty where they load their own."""
        from sweep.workers.shared_dataset import shared_path

        return "" if self.fd is None else shared_path(self.fd)

    def put(self, dataset: Dataset) -> None:
        """Write the dataset, once; without memory for that, nothing."""
        from sweep.workers.shared_dataset import share_dataset

        if self.fd is None:
            with contextlib.suppress(OSError):
                self.fd = share_dataset(dataset)

    def close(self) -> None:
        """Give the memory back, when the last worker has ended."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


class ForkServerProcess:
    """The run's side of one forkserver process."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process is
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "sweep.runner.forkserver_process",
                    str(theirs.fileno()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                env=worker_environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._tokens = count(1)
        self._children: dict[int, ForkedProcess] = {}
        self._gone, self._reading = False, threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether workers can still be asked for."""
        return not self._gone

    def fork(self, log: Path, device: str | None = None, *, spare: bool = False) -> ForkedProcess:
        """Ask for a worker that sees a device."""
        token = next(self._tokens)
        child_in, our_in = os.pipe()
        our_out, child_out = os.pipe()
        child = ForkedProcess(os.fdopen(our_in, "w"), os.fdopen(our_out), log)
        self._children[token] = child
        with log.open("ab") as errors:
            fds = [child_in, child_out, errors.fileno()]
            message = f"{token} {SPARE if spare else NEEDED} {device or ''}".encode()
            with contextlib.suppress(OSError):  # a dead forkserver is noticed by its silence
                socket.send_fds(self._socket, [message], fds)
        os.close(child_in)
        os.close(child_out)
        if self._gone:
            child.never_began(self.output())
        return child

    def output(self) -> bytes:
        """Return what an ended forkserver has printed; nothing of one that was closed."""
        self._process.wait()
        with contextlib.suppress(ValueError), self._reading:
            self._output.seek(0)
            return self._output.read()
        return b""

    def close(self) -> None:
        """End it, once."""
        if self._output.closed:
            return
        self._output.close()
        self._process.kill()  # it holds nothing, and leaving would take it half a second
        self._process.wait()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while message := self._socket.recv(MESSAGE_BYTES):
                self._take(json.loads(message))
        self._gone = True
        for child in list(self._children.values()):
            if child.pid is None:
                child.never_began(self.output())
            else:
                threading.Thread(target=child.watch, daemon=True).start()

    def _take(self, message: dict[str, int]) -> None:
        if "status" in message:
            for token, child in list(self._children.items()):
                if child.pid == message["pid"]:
                    child.ended(message["status"])
                    del self._children[token]
        else:
            self._children[message["token"]].pid = message["pid"]


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@contextmanager
def forkserver_started() -> Iterator[ForkServer | None]:
    """Start a forkserver for a run that is still to be prepared; None where nothing can fork."""
    forkserver = ForkServer() if sys.platform == "linux" else None
    try:
        yield forkserver
    finally:
        if forkserver:
            forkserver.close()


class ForkedProcess:
    """A forked worker, with the part of ``subprocess.Popen`` that a run uses."""

    def __init__(self, stdin: IO[str], stdout: IO[str], log: Path) -> None:
        self.stdin, self.stdout, self._log = stdin, stdout, log
        self.pid: int | None = None
        self._status: int | None = None
        self._over = threading.Event()

    def ended(self, status: int) -> None:
        """Take note of its end, once."""
        if self._status is None:
            self._status = status
        self._over.set()

    def never_began(self, output: bytes) -> None:
        """Take it as ended before it began; what the forkserver said last goes into its log."""
        if self._status is None:
            with contextlib.suppress(OSError), self._log.open("ab") as log:
                log.write(output)
        self.ended(1)

    def watch(self) -> None:
        """Look until it has ended, where nobody tells; its status is then not known."""
        while self.pid is not None and self._status is None and _is_alive(self.pid):
            time.sleep(WATCH_SECONDS)
        self.ended(1)

    def close(self) -> None:
        """Close the pipes to it."""
        for pipe in (self.stdin, self.stdout):
            with contextlib.suppress(OSError):
                pipe.close()

    def poll(self) -> int | None:
        """Return the exit status, negative for a signal; None while it lives."""
        return self._status

    def wait(self, timeout: float | None = None) -> int | None:
        """Wait for the end.

        Raises
        ------
        subprocess.TimeoutExpired
            If it has not ended by then.
        """
        if not self._over.wait(timeout):
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self._status

    def kill(self) -> None:
        """End it at once."""
        if self.pid is None:
            self.ended(1)
        elif self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, 9)
