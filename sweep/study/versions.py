"""Versions of the packages and the machine that a study ran on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sweep import __version__

PACKAGES = ("tensorflow", "keras", "scikit-learn", "optuna", "numpy", "pandas")


def versions() -> dict[str, str]:
    """Return versions of Python and the packages, the system and the processor."""
    found = {"python": platform.python_version(), "sweep": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    found["system"] = f"{platform.system()} {platform.machine()}"
    found["processor"] = _processor()
    return found


def changed(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the packages whose versions differ, as readable strings."""
    names = [name for name in before if name in now and before[name] != now[name]]
    return [f"{name} {before[name]} -> {now[name]}" for name in names]


def _processor() -> str:
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
