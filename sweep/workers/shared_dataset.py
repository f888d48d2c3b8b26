"""A dataset in memory that processes share: written once by the run, mapped by each worker."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.datasets import Dataset


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


def shared_path(fd: int) -> str:
    """Return the path by which other processes of this user open what was shared."""
    return f"/proc/{os.getpid()}/fd/{fd}"


def load_shared(path: str, load: Callable[[], Dataset]) -> Dataset:
    """Map what :func:`share_dataset` wrote; load the dataset where nothing was, or it is gone.

    Parameters
    ----------
    path : str
        As :func:`shared_path` says; empty for none.
    load : callable
        Loads the dataset.
    """
    if not path:
        return load()
    try:
        mapped: Any = joblib.load(path, mmap_mode="r")
    except OSError:  # another user's process, a system without /proc
        return load()
    names = ("x_train", "y_train", "x_test", "y_test", "groups")
    held = {name: getattr(mapped, name) for name in names}
    given = {name: value for name, value in held.items() if isinstance(value, np.ndarray)}
    shared: Dataset = replace(mapped, **{n: np.asarray(value) for n, value in given.items()})
    return shared


def _path(fd: int) -> str:
    return f"/proc/self/fd/{fd}"
