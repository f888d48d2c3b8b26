"""A dataset in memory that processes share: written once by the run, mapped by each worker."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import joblib
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.datasets import Dataset

_held: list[Dataset] = []


def share_dataset(dataset: Dataset) -> int:
    """Write a dataset into anonymous memory (Linux).

    Returns
    -------
    int
        A file descriptor that another process may be handed; the caller closes it.

    Raises
    ------
    OSError
        If there is not enough memory.
    """
    fd = os.memfd_create("sweep-data")
    try:
        joblib.dump(dataset, _path(fd))
    except BaseException:
        os.close(fd)
        raise
    return fd


def hold(fd: int) -> None:
    """Map what :func:`share_dataset` wrote, for this process and those forked from it."""
    mapped = joblib.load(_path(fd), mmap_mode="r")
    names = ("x_train", "y_train", "x_test", "y_test", "groups")
    given = {name: value for name in names if (value := getattr(mapped, name)) is not None}
    _held[:] = [replace(mapped, **{name: np.asarray(value) for name, value in given.items()})]


def held(load: Callable[[], Dataset]) -> Dataset:
    """Return the dataset that this process holds; load it where it holds none."""
    return _held[0] if _held else load()


def _path(fd: int) -> str:
    return f"/proc/self/fd/{fd}"
