"""A template process that loads TensorFlow once and forks each worker from there.

Loading takes seconds of CPU and hundreds of MB; a fork repeats none of it and shares the memory.
It is safe in this one place: the template has run nothing of TensorFlow's and has a single thread,
so no lock can be held by a thread that the child lacks. Where it finds more threads it spawns
instead.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sweep.workers.environment import COMMAND, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

LOOK_SECONDS = 0.05
MESSAGE_BYTES = 256


class Nursery:
    """The run's side: start the template, ask it for workers, hear how they end.

    It needs nothing but time, so it is started first of all, before the study is even read.
    """

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the template is
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "sweep.workers.nursery", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._words,
                stderr=self._words,
                env=environment(),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._tokens = count(1)
        self._children: dict[int, Forked] = {}
        self._silent = False
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether workers can still be asked for."""
        return not self._silent

    def fork(self, log: Path) -> Forked:
        """Ask for a worker; it begins as soon as the template has loaded."""
        token = next(self._tokens)
        child_in, our_in = os.pipe()
        our_out, child_out = os.pipe()
        child = self._children[token] = Forked(os.fdopen(our_in, "w"), os.fdopen(our_out))
        with log.open("ab") as errors:
            fds = [child_in, child_out, errors.fileno()]
            with contextlib.suppress(OSError):  # a dead template is noticed by its silence
                socket.send_fds(self._socket, [str(token).encode()], fds)
        os.close(child_in)
        os.close(child_out)
        if self._silent:
            child.ended(1)
        return child

    def words(self) -> str:
        """Return what an ended template has printed."""
        self._process.wait()
        self._words.seek(0)
        return self._words.read().decode(errors="replace")

    def abandon(self) -> None:
        """End the template if it has not come to making the workers; they never begin."""
        if any(child.pid is None for child in self._children.values()):
            self._process.kill()

    def close(self) -> None:
        """End the template; the workers it made are on their own."""
        if self._words.closed:
            return
        self._words.close()
        self._process.kill()  # it holds nothing, and leaving would take it half a second
        self._process.wait()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while message := self._socket.recv(MESSAGE_BYTES):
                self._hear(json.loads(message))
        self._silent = True
        for child in list(self._children.values()):
            child.ended(1)

    def _hear(self, message: dict[str, int]) -> None:
        if "status" in message:
            for child in list(self._children.values()):
                if child.pid == message["pid"]:
                    child.ended(message["status"])
        else:
            self._children[message["token"]].pid = message["pid"]


@contextmanager
def started_ahead() -> Iterator[Nursery | None]:
    """Start a template for a run that is still to be prepared; None where none can be forked."""
    nursery = Nursery() if sys.platform == "linux" else None
    try:
        yield nursery
    finally:
        if nursery:
            nursery.close()


class Forked:
    """A forked worker, with the part of ``subprocess.Popen`` that a run uses."""

    def __init__(self, stdin: IO[str], stdout: IO[str]) -> None:
        self.stdin, self.stdout = stdin, stdout
        self.pid: int | None = None
        self._status: int | None = None
        self._over = threading.Event()

    def ended(self, status: int) -> None:
        """Take note of its end, once."""
        if self._status is None:
            self._status = status
        self._over.set()

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


def main(fd: int) -> None:
    """Load what a worker needs, then make workers until the run closes the socket."""
    from sweep.workers.__main__ import preload

    with socket.socket(fileno=fd) as control:
        preload()
        while _one_round(control):
            for pid, status in _ended():
                _say(control, pid=pid, status=os.waitstatus_to_exitcode(status))


def _one_round(control: socket.socket) -> bool:
    """Make a worker if one is asked for; False when the run has gone."""
    if not select.select([control], [], [], LOOK_SECONDS)[0]:
        return True
    message, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
    if not message:
        return False
    pid = _fork(control, fds) if _single_threaded() else _spawn(fds)
    for fd in fds:
        os.close(fd)
    _say(control, token=int(message), pid=pid)
    return True


def _fork(control: socket.socket, fds: list[int]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from sweep.workers.__main__ import main as work

        control.close()
        os.setsid()
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        sys.stdin = os.fdopen(0)
        status = work()
    except BaseException:  # noqa: BLE001 - this process's last frame: said, then left
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _spawn(fds: list[int]) -> int:
    stdin, stdout, stderr = fds
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        COMMAND, stdin=stdin, stdout=stdout, stderr=stderr, start_new_session=True
    )
    child.returncode = 0  # waited for below, with all others
    return child.pid


def _ended() -> list[tuple[int, int]]:
    found = []
    with contextlib.suppress(ChildProcessError):
        while (end := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            found.append(end)
    return found


def _say(control: socket.socket, **message: Any) -> None:
    with contextlib.suppress(OSError):
        control.send(json.dumps(message).encode())


def _single_threaded() -> bool:
    return len(list(Path("/proc/self/task").iterdir())) == 1


if __name__ == "__main__":
    main(int(sys.argv[1]))
