"""Rows that a fit holds out of its own, to see when to stop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from sweep.datasets.holdout_sizes import share_problem
from sweep.errors import ModelError

Rows = NDArray[np.intp]


def hold_out(labels: NDArray[Any], share: float, seed: int) -> tuple[Rows, Rows]:
    """Hold a stratified part of a fit's own rows out; never the rows that score it.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels of the fit's rows, as a person knows them.
    share : float
        Of the rows, between 0 and 1; rounded up to whole rows.
    seed : int
        Decides which.

    Returns
    -------
    fit, held : ndarray
        Row numbers, rising.

    Raises
    ------
    ModelError
        If a class would be missing on a side.
    """
    check_share(labels, share)
    everything = np.arange(len(labels))
    fit, held = train_test_split(everything, test_size=share, stratify=labels, random_state=seed)
    return np.sort(fit), np.sort(held)


def check_share(labels: NDArray[Any], share: float) -> None:
    """Refuse a part that leaves a side without a row of each class.

    Raises
    ------
    ModelError
        With the rows, the classes and the shares that would do.
    """
    if problem := share_problem(labels, share, "validation_fraction"):
        raise ModelError(f"validation_fraction: early stopping holds out {problem}")
