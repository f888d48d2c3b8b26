"""Name a worker process uniquely over machines and reboots; tell whether it is still alive."""

from __future__ import annotations

import os
import re
import secrets
import socket
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Linux's random identifier of the current boot."""


def worker_name() -> str:
    """Return ``host:pid:start:namespace:boot:token`` of this process.

    The start time distinguishes processes that got the same pid one after the other; the pid
    namespace distinguishes containers on one machine; the boot identifier distinguishes machines
    with the same host name, such as clones; the token is unique to this process.
    """
    number = os.getpid()
    return f"{socket.gethostname()}:{number}:{_start_time(number)}:{_scope()}:{_token(number)}"


def is_dead(worker: str) -> bool:
    """Return whether a worker has certainly ended; False where that cannot be known.

    It is known for processes of the same pid namespace and boot as this one. For any other, only
    missing heartbeats tell.
    """
    return _is_alive(worker) is False


def is_alive_here(worker: str) -> bool:
    """Return whether a worker is a living process of this machine."""
    return _is_alive(worker) is True


def _is_alive(worker: str) -> bool | None:
    """Return whether a process lives; None where it ran elsewhere, or that cannot be known."""
    here = rf"{re.escape(socket.gethostname())}:(\d+):(\d*):{re.escape(_scope())}:\w+"
    found = re.fullmatch(here, worker)
    if found is None or not _boot():
        return None
    number = int(found[1])
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return None
    # kill(pid, 0) also succeeds for a zombie, and for another process that got the same pid
    return found[2] == _start_time(number) and _stat(number)[:1] not in (["Z"], ["X"])


def _start_time(pid: int) -> str:
    """Return when a process started, in kernel ticks; empty without a /proc of our namespace."""
    stat = _stat(pid)
    return stat[19] if stat else ""


def _stat(pid: int) -> list[str]:
    """Return the fields of ``/proc/PID/stat`` from the state on.

    Empty where there is no /proc, or where it belongs to another pid namespace. The state of a
    zombie is ``Z``.
    """
    with suppress(OSError):
        if Path("/proc/self").readlink().name == str(os.getpid()):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _scope() -> str:
    """Return ``namespace:boot``, within which a pid and its start time are unique."""
    try:
        namespace = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        namespace = ""
    return f"{namespace}:{_boot()}"


@cache
def _boot() -> str:
    """Return a unique identifier of the machine's current boot; empty where there is none."""
    with suppress(OSError):
        return BOOT.read_text().strip()
    with suppress(OSError, subprocess.SubprocessError):  # macOS
        return subprocess.check_output(["sysctl", "-n", "kern.bootsessionuuid"], text=True).strip()  # noqa: S607
    return ""


@cache
def _token(_pid: int) -> str:
    """Return a random token of this process; a forked child, with another pid, gets its own."""
    return secrets.token_hex(8)
