"""The forkserver: a process that loads TensorFlow once and forks each worker from there.

Loading takes seconds of CPU and hundreds of MB; a fork repeats none of it and shares the memory.
It is safe in this one place: the forkserver has run nothing of TensorFlow's and has a single
thread, so no lock can be held by a thread that the child lacks. Where it finds more threads it
spawns instead.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sweep.runner.gpus import see_only
from sweep.runner.worker_command import COMMAND

LOOK_SECONDS = 0.05
LEAVE_SECONDS = 8.5
"""How long workers may take to leave when the run is gone; a little more than they ask for."""
PR_SET_PDEATHSIG = 1
SPARE, NEEDED = "spare", "needed"
MESSAGE_BYTES = 256
"""A message asks for a worker: its number, whether it is a spare one, the device that it sees.
Beside it come the file descriptors of its standard streams."""


def main(fd: int) -> None:
    """Load what a worker needs, then make workers until the run closes the socket."""
    from sweep.workers.__main__ import preload

    _end_with_parent(signal.SIGKILL)  # while it loads, it reads no messages
    with socket.socket(fileno=fd) as control:
        preload()
        _end_with_parent(0)  # from here on the socket says when the run ends
        workers: set[int] = set()
        while _one_round(control, workers):
            for pid, status in _ended():
                workers.discard(pid)
                _say(control, pid=pid, status=os.waitstatus_to_exitcode(status))
        _wait_or_kill(workers)


def _wait_or_kill(workers: set[int]) -> None:
    """Give the workers of a run that is gone the time to leave; end those that do not."""
    end = time.monotonic() + LEAVE_SECONDS
    while workers and time.monotonic() < end:
        workers -= {pid for pid, _ in _ended()}
        time.sleep(LOOK_SECONDS)
    for pid in workers:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _end_with_parent(number: int) -> None:
    """Have Linux send this process a signal when the one that started it ends; 0 for none."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


def _one_round(control: socket.socket, workers: set[int]) -> bool:
    """Make a worker if one is asked for; False when the run has gone."""
    if not select.select([control], [], [], LOOK_SECONDS)[0]:
        return True
    message, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
    if not message:
        return False
    token, spare, device = message.decode().split(" ", 2)
    alone = _single_threaded()
    pid = _fork(control, fds, device, spare=spare == SPARE) if alone else _spawn(fds, device)
    for fd in fds:
        os.close(fd)
    workers.add(pid)
    _say(control, token=int(token), pid=pid)
    return True


def _fork(control: socket.socket, fds: list[int], device: str, *, spare: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        from sweep.workers.__main__ import main as work

        control.close()
        os.setsid()
        see_only(os.environ, device or None)  # CUDA reads it at TensorFlow's first use of a device
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
            os.close(fd)
        sys.stdin = os.fdopen(0)
        status = work(spare=spare)
    except BaseException:  # noqa: BLE001 - this process's last frame: said, then left
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def _spawn(fds: list[int], device: str) -> int:
    stdin, stdout, stderr = fds
    its_own = dict(os.environ)
    see_only(its_own, device or None)
    child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        COMMAND, stdin=stdin, stdout=stdout, stderr=stderr, env=its_own, start_new_session=True
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
