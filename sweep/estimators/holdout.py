"""Rows that a fit holds out of its training rows, for early stopping."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from sweep.datasets.holdout_sizes import share_problem
from sweep.errors import ModelError

Rows = NDArray[np.intp]


def hold_out(labels: NDArray[Any], share: float, seed: int) -> tuple[Rows, Rows]:
    """Hold out a stratified share of a fit's training rows; never the rows that score it.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Labels of the fit's rows, as in ``y``: messages name them.
    share : float
        Share of the rows, between 0 and 1; rounded up to whole rows.
    seed : int
        Decides which rows.

    Returns
    -------
    fit, held_out : ndarray
        Row numbers, sorted.

    Raises
    ------
    ModelError
        If a class would be missing in one of them.
    """
    check_share(labels, share)
    everything = np.arange(len(labels))
    fit, held_out = train_test_split(
        everything, test_size=share, stratify=labels, random_state=seed
    )
    return np.sort(fit), np.sort(held_out)


def check_share(labels: NDArray[Any], share: float) -> None:
    """Refuse a share with which the fit or the held-out rows would lack a class.

    Raises
    ------
    ModelError
        With the rows, the classes and the shares that are possible.
    """
    if problem := share_problem(labels, share, "validation_fraction"):
        raise ModelError(f"validation_fraction: early stopping holds out {problem}")
