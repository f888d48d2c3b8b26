"""Check the share of rows to hold out: each class needs a row on both sides."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray


def share_problem(
    y: NDArray[Any], share: float, name: str, names: Mapping[Any, str] | None = None
) -> str:
    """Return why a stratified share of the rows cannot be held out; empty where it can.

    Parameters
    ----------
    y : ndarray of shape (rows,)
        Labels.
    share : float
        Share of the rows, between 0 and 1; rounded up to whole rows, as scikit-learn does.
    name : str
        Name of the setting, for the message.
    names : mapping of label to str, optional
        Names of the classes; default: their labels.
    """
    rows, (labels, counts) = len(y), np.unique(y, return_counts=True)
    classes, held_out = len(counts), ceil(share * rows)
    if classes <= held_out <= rows - classes and counts.min() > 1:
        return ""
    what = (
        f"{held_out} of {rows} rows at {name} = {share:g}, and each of the {classes} classes needs "
        "a row there and another to train on"
    )
    if counts.min() == 1:
        lone = labels[counts.argmin()]
        shown = names[lone] if names else lone
        return f"{what}, but class {shown} has a single row; give more rows of it"
    low, high = ceil(classes * 1000 / rows) / 1000, (rows - classes) * 1000 // rows / 1000
    if low > high:
        return f"{what}; give more rows"
    return f"{what}; take {name} = {low:g} to {high:g}, or more rows"
