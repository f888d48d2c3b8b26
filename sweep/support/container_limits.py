"""Limits of a container: CPUs and memory of this process; processes killed for lack of memory."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = Path("/proc/self/cgroup")
GROUPS = Path("/sys/fs/cgroup")
"""Linux's files on the control groups of this process, and on their limits."""


def share_of_cpus() -> float | None:
    """Return how many CPUs this process and its control group may use; None for no limit."""
    return min((share for folder in _folders("cpu") if (share := _share(folder))), default=None)


def memory_limit() -> int | None:
    """Return how many bytes this process and its control group may use; None for no limit."""
    names = ("memory.max", "memory.limit_in_bytes")
    files = (folder / name for folder in _folders("memory") for name in names)
    limits = [int(line) for file in files for line in _read(file) if line.isdigit()]
    return min(limits, default=None)


def ended_for_memory() -> int:
    """Return how many processes of this control group Linux has killed for lack of memory."""
    for folder in _folders("memory"):
        for file in ("memory.events", "memory.oom_control"):
            for name, _, count in (line.partition(" ") for line in _read(folder / file)):
                if name == "oom_kill":
                    return int(count)
    return 0


def _folders(controller: str) -> Iterator[Path]:
    """Yield the folders of this process's control groups (versions 1 and 2), its own first."""
    for line in _read(OWN):
        _, names, place = line.split(":", 2)
        if names and controller not in names.split(","):
            continue
        root = GROUPS / controller if names else GROUPS
        own = root / place.lstrip("/")
        yield from (each for each in (own, *own.parents) if each.is_relative_to(root))


def _share(folder: Path) -> float | None:
    """Return a group's share of CPUs; version 2 has quota and period in one line."""
    numbers = " ".join(_read(folder / "cpu.max")).split() or [
        *_read(folder / "cpu.cfs_quota_us"), *_read(folder / "cpu.cfs_period_us")
    ]  # fmt: skip
    with suppress(ValueError):  # "max": no limit
        quota, period = map(int, numbers)
        return quota / period if quota > 0 else None
    return None


def _read(file: Path) -> list[str]:
    """Return the lines of a file; empty if it cannot be read."""
    with suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace").splitlines()
    return []
