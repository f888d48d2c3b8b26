"""Which GPUs the workers of a run use: found without TensorFlow, one for each worker."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from ctypes.util import find_library
from dataclasses import dataclass
from importlib.util import find_spec
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import DeviceError
from sweep.support.container_limits import share_of_cpus

if TYPE_CHECKING:
    from collections.abc import MutableMapping, Sequence

VISIBLE = "CUDA_VISIBLE_DEVICES"
HIDE_ALL = "-1"
PROC = Path("/proc/driver/nvidia/gpus")
LOOK_SECONDS = 20.0
"""How long ``nvidia-smi`` may take; with a driver that sleeps it takes some."""

GPU_LINE = re.compile(r"GPU (\d+): .*\(UUID: (GPU-[^)]+)\)")
MIG_LINE = re.compile(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)")


@dataclass(frozen=True)
class Gpus:
    """What the workers of a run compute on.

    Attributes
    ----------
    gpus : tuple of str
        GPUs by what ``CUDA_VISIBLE_DEVICES`` calls them; none for the CPU.
    hidden : bool
        Whether the workers must not see those that are there.
    note : str
        Why GPUs of this machine are not used, though nobody asked for that.
    """

    gpus: tuple[str, ...] = ()
    hidden: bool = False
    note: str = ""

    def of(self, worker: int) -> str | None:
        """Return what a worker sees, by its number; None for what it sees anyway."""
        if self.hidden:
            return HIDE_ALL
        return self.gpus[worker % len(self.gpus)] if self.gpus else None

    def default_workers(self) -> int:
        """Return one worker a GPU; on the CPU one a core."""
        return len(self.gpus) or cores()

    def line(self, workers: int) -> str:
        """Return a line for the person: which GPUs are used; empty where there is no choice."""
        if not self.gpus:
            return self.note
        used = self.gpus[:workers]
        many = "worker" if workers == 1 else "workers"
        return f"{workers} {many} on GPU {', '.join(used)}"


def cores() -> int:
    """Return the cores that this process may use: in a container its share, rounded up."""
    known = hasattr(os, "sched_getaffinity")
    seen = (len(os.sched_getaffinity(0)) if known else os.cpu_count()) or 1
    share = share_of_cpus()
    return seen if share is None else min(seen, ceil(share))


def find_gpus(asked: str | None = None) -> Gpus:
    """Find the GPUs that workers may use.

    Those that ``CUDA_VISIBLE_DEVICES`` hides are left out; a GPU that is divided counts as its
    parts (MIG). Without TensorFlow's CUDA libraries none can be used.

    Parameters
    ----------
    asked : str, optional
        ``"none"``, or the ones to use, as ``CUDA_VISIBLE_DEVICES`` would name them: ``"0,2"``.

    Raises
    ------
    DeviceError
        If one that is asked for is not there, or none can be used.
    """
    if asked is not None and asked.strip().lower() == "none":
        return Gpus(hidden=True)
    seen, why = _seen()
    if seen and not _has_libraries():
        why = (
            f"GPU {', '.join(seen)} cannot be used without TensorFlow's CUDA libraries: "
            'pip install "tensorflow[and-cuda]"'
        )
        seen = []
    if asked is None:
        return Gpus(tuple(seen), note=why)
    return Gpus(_wanted(asked, seen, why))


def see_only(environment: MutableMapping[str, str], device: str | None) -> None:
    """Have the process of this environment see one device; to be said before it uses any."""
    if device is None:
        return
    if VISIBLE not in environment:  # numbers are then those of nvidia-smi
        environment.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    environment[VISIBLE] = device


def _wanted(asked: str, seen: Sequence[str], why: str) -> tuple[str, ...]:
    names = [name.strip() for name in asked.split(",")]
    if not seen:
        reason = why or "no GPU is visible here"
        raise DeviceError(f"--gpus: {reason}; got {asked!r}; leave it out, or take none")
    unknown = [name for name in names if name not in seen]
    twice = {name for name in names if names.count(name) > 1}
    if unknown or twice:
        wrong = ", ".join(repr(name) for name in unknown or sorted(twice))
        raise DeviceError(
            f"--gpus: must be none, or some of {','.join(seen)}, each once, got {wrong}"
        )
    return tuple(names)


def _seen() -> tuple[list[str], str]:
    """Return the GPUs that CUDA would show this process; and why none, where that is a surprise."""
    mask = os.environ.get(VISIBLE)
    if mask is not None and mask.partition(",")[0].strip() in ("", HIDE_ALL):
        return [], ""
    machine, why = _machine()
    if mask is None:
        return [part for parts in machine.values() for part in parts[1:] or parts], why
    return _unmasked(mask, [*machine, *(name for parts in machine.values() for name in parts)]), why


def _unmasked(mask: str, known: Sequence[str]) -> list[str]:
    """Return the names of a mask up to the first that is no device: there CUDA stops to read."""
    found: list[str] = []
    for name in map(str.strip, mask.split(",")):
        short = name.startswith(("GPU-", "MIG-"))  # CUDA takes the beginning of such a name
        if not (name in known or (short and any(each.startswith(name) for each in known))):
            break
        found.append(name)
    return list(dict.fromkeys(found))


def _machine() -> tuple[dict[str, list[str]], str]:
    """Return the machine's GPUs, name to number and parts: ``{"GPU-1a2b": ["0", "MIG-3c4d"]}``."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return {_uuid(file): [str(n)] for n, file in enumerate(sorted(PROC.glob("*")))}, ""
    try:
        listed = subprocess.run(  # noqa: S603 - the driver's own command
            [command, "-L"], capture_output=True, text=True, timeout=LOOK_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {}, f"GPUs are not used: {error}"
    found = _listed(listed.stdout)
    if listed.returncode and not found:
        words = " ".join((listed.stdout + listed.stderr).split())
        return {}, f"GPUs are not used: nvidia-smi says {words[:200]!r}"
    return found, ""


def _listed(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if gpu := GPU_LINE.match(line):
            number, name = gpu.groups()
            found[name] = [number]
        elif (part := MIG_LINE.match(line)) and found:
            next(reversed(found.values())).append(part[1])
    return found


def _uuid(folder: Path) -> str:
    try:
        text = (folder / "information").read_text(errors="replace")
    except OSError:
        text = ""
    name = re.search(r"GPU-[0-9a-f-]+", text)
    return name[0] if name else folder.name


def _has_libraries() -> bool:
    """Return whether TensorFlow finds CUDA's libraries: of its wheels, or of the system."""
    try:
        wheel = find_spec("nvidia.cudnn")
    except ImportError:
        wheel = None
    return wheel is not None or find_library("cudnn") is not None
