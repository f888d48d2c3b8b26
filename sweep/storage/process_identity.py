"""Which process of which machine a worker is, and whether it has surely ended."""

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
"""Where Linux tells one boot of one machine from all others."""


def worker_name() -> str:
    """Return ``host:pid:birth:room:boot:token`` of this process.

    The birth tells two lives of one number apart, the room containers on one machine, and the
    boot machines that share a host's name, as cloned ones do; the token is this process's alone.
    """
    number = os.getpid()
    return f"{socket.gethostname()}:{number}:{_birth(number)}:{_place()}:{_token(number)}"


def is_dead(worker: str) -> bool:
    """Return whether a worker has surely ended; False where that cannot be known.

    It can of a process that was counted where this one is, in the same boot of the same machine.
    Any other is given up by its heartbeat alone.
    """
    return _lives(worker) is False


def is_alive_here(worker: str) -> bool:
    """Return whether a worker is a living process of this machine."""
    return _lives(worker) is True


def _lives(worker: str) -> bool | None:
    """Return whether a process lives; None where it is not of here, or that cannot be told."""
    here = rf"{re.escape(socket.gethostname())}:(\d+):(\d*):{re.escape(_place())}:\w+"
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
    return found[2] == _birth(number) and _stat(number)[:1] not in (["Z"], ["X"])


def _birth(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; empty where no /proc counts as we do."""
    stat = _stat(pid)
    return stat[19] if stat else ""


def _stat(pid: int) -> list[str]:
    """Return what /proc says of a process, from its state on; empty where none counts as we do.

    The state of one that has ended, and whose parent has not asked how, is ``Z``.
    """
    with suppress(OSError):
        if Path("/proc/self").readlink().name == str(os.getpid()):
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return []


def _place() -> str:
    """Return ``room:boot``: in which space process numbers are counted, since which start."""
    try:
        room = str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        room = ""
    return f"{room}:{_boot()}"


@cache
def _boot() -> str:
    """Return what tells this start of this machine from any other; empty where nothing does."""
    with suppress(OSError):
        return BOOT.read_text().strip()
    with suppress(OSError, subprocess.SubprocessError):  # macOS
        return subprocess.check_output(["sysctl", "-n", "kern.bootsessionuuid"], text=True).strip()  # noqa: S607
    return ""


@cache
def _token(_pid: int) -> str:
    """Return what no other process has; anew in a forked one, whose number is another."""
    return secrets.token_hex(8)
