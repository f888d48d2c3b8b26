"""What a worker is told when it starts, and how it identifies itself."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path

RECYCLE = 3
"""Exit status of a worker that wants another in its place."""


@dataclass(frozen=True)
class Job:
    """A worker's orders, one line of JSON on its standard input.

    Attributes
    ----------
    storage : str
        The ledger's address; on standard input, so that no process list shows a password.
    study : str
        The study's name.
    data_home : str or None
        Folder with ``mnist.npz`` and the like.
    allow : tuple of str
        Modules that the person allows.
    elsewhere : bool
        Whether another machine may load other data: they are compared with the study's.
    """

    storage: str = field(repr=False)  # it may hold a password, and others log what they run
    study: str
    data_home: str | None = None
    allow: tuple[str, ...] = ()
    elsewhere: bool = False

    def line(self) -> str:
        """Return the job as one line."""
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Job:
        """Read what :meth:`line` wrote."""
        plain = json.loads(line)
        return cls(**{**plain, "allow": tuple(plain["allow"])})


def worker_name(pid: int | None = None) -> str:
    """Return ``host:pid:birth:room`` of a process.

    The birth tells two lives of one number apart, the room containers on one host.
    """
    number = pid or os.getpid()
    return f"{socket.gethostname()}:{number}:{_birth(number)}:{_room()}"


def is_dead(worker: str) -> bool:
    """Return whether a worker of this host has surely ended; False where that cannot be known."""
    host, _, rest = worker.partition(":")
    if host != socket.gethostname():
        return False
    number, _, rest = rest.partition(":")
    birth, _, room = rest.partition(":")
    if room and room != _room():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, ValueError):
        return False
    return birth != _birth(int(number))


def is_alive_here(worker: str) -> bool:
    """Return whether a worker is a living process of this machine."""
    host, _, rest = worker.partition(":")
    room = rest.rpartition(":")[2]
    return host == socket.gethostname() and room == _room() and not is_dead(worker)


def _birth(pid: int) -> str:
    """Return when a process began, in the kernel's ticks; empty where the system has no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def _room() -> str:
    """Return in which space process numbers are counted: containers share a host's name."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return ""
