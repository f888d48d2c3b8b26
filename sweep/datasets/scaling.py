"""Pixel scaling with one shift and one scale, learned from training rows only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

SCALINGS = ("none", "standardize", "unit")
"""The kinds of scaling that :func:`fit_scaling` knows."""

_FULL_RANGE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}
_CHUNK = 1 << 16
_SURELY_BELOW = 20
"""Expected number of rows with negative pixels from which their absence cannot be chance."""
_FAR_APART = 10.0
"""Largest factor between the pixels of training and test rows, both by maximum and by mean."""


@dataclass(frozen=True)
class Scaling:
    """``(x - shift) / scale``.

    Attributes
    ----------
    shift, scale : float
        One scalar each for all pixels; ``scale`` is never 0.
    """

    shift: float
    scale: float

    def apply(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Scale rows of pixels.

        Parameters
        ----------
        x : ndarray of any shape
            Training or test rows, in any real dtype.

        Returns
        -------
        ndarray of float32
            A new array of the same shape.
        """
        # Values that float32 cannot represent are shifted in float64 and rounded after that.
        exact = np.can_cast(x.dtype, np.float32, "safe")
        work = np.dtype(np.float32 if exact else np.float64)
        out = np.empty(x.shape, dtype=np.float32)
        for part, target in zip(_chunks(x), _chunks(out), strict=True):
            shifted = np.subtract(part, work.type(self.shift), dtype=work)
            target[...] = np.divide(shifted, work.type(self.scale), out=shifted)
        return out


def fit_scaling(x: NDArray[Any], kind: str) -> Scaling:
    """Learn a scaling from training rows.

    Parameters
    ----------
    x : ndarray of shape (n, ...)
        The training rows only.
    kind : {"none", "standardize", "unit"}
        ``"none"`` leaves the values; ``"unit"`` divides ``uint8`` by 255, ``uint16`` by 65535 and
        anything else by the largest absolute value (by 1 where that is 0); ``"standardize"``
        subtracts the mean and divides by the standard deviation (by 1 where that is 0), one
        scalar each.

    Returns
    -------
    Scaling

    Raises
    ------
    DataError
        For an unknown kind, for no rows, and for values whose mean overflows.
    """
    if kind not in SCALINGS:
        raise DataError(f"scaling: must be one of {', '.join(SCALINGS)}, got {kind!r}")
    if kind == "none":
        return Scaling(0.0, 1.0)
    if x.size == 0:
        raise DataError(f"scaling: needs at least one training row, got shape {x.shape}")
    return _unit(x) if kind == "unit" else _standardize(x)


def check_same_scale(where: str, x_train: NDArray[Any], x_test: NDArray[Any]) -> None:
    """Refuse training and test rows of which one was scaled and the other was not.

    Both the largest and the mean absolute pixel must differ: a single bright pixel is not a scale,
    and rows of zeros have none.

    Raises
    ------
    DataError
        If they differ too much; the message shows both ranges.
    """
    parts = (x_train, x_test)
    ends = [(float(x.min()), float(x.max())) for x in parts]
    largest = [max(abs(low), abs(high)) for low, high in ends]
    if not _are_far_apart(largest):
        return
    means = [_mean_size(x) for x in parts]
    if _are_far_apart(means) and (means[0] < means[1]) == (largest[0] < largest[1]):
        train, test = (f"{low:g} to {high:g}" for low, high in ends)
        raise DataError(
            f"{where}: training and test rows must be scaled alike, got x_train from {train} and "
            f"x_test from {test}; scale both in the same way, or neither: scaling in [data] does it"
        )


def doubtful_scale(x_train: NDArray[Any], x_test: NDArray[Any]) -> str:
    """Return a note where only the training or only the test rows have negative pixels, else "".

    Rows of -1 to 1 beside rows of 0 to 1 may have been scaled in two ways, or have intended noise.
    """
    parts = (x_train, x_test)
    lows = [float(x.min()) for x in parts]
    if (lows[0] < 0) == (lows[1] < 0):
        return ""
    below, other = parts if lows[0] < 0 else parts[::-1]
    rows = sum(int((c.reshape(len(c), -1) < 0).any(axis=1).sum()) for c in _chunks(below))
    if rows / len(below) * len(other) < _SURELY_BELOW:
        return ""
    train, test = (f"{float(x.min()):g} to {float(x.max()):g}" for x in parts)
    return f"x_train goes from {train} and x_test from {test}: make sure that both are scaled alike"


def _are_far_apart(values: list[float]) -> bool:
    return min(values) > 0 and max(values) >= _FAR_APART * min(values)


def _mean_size(x: NDArray[Any]) -> float:
    """Return the mean of the absolute values."""
    return sum(float(np.abs(part, dtype=np.float64).sum()) for part in _chunks(x)) / x.size


def _unit(x: NDArray[Any]) -> Scaling:
    """Return a scaling by the range of the dtype, or by the largest absolute value."""
    # float() first: abs() of the smallest int8 overflows.
    largest = _FULL_RANGE.get(x.dtype) or max(abs(float(x.min())), abs(float(x.max())))
    return Scaling(0.0, largest or 1.0)


def _standardize(x: NDArray[Any]) -> Scaling:
    """Return mean and standard deviation, in two passes in float64, chunk by chunk."""
    low, high = float(x.min()), float(x.max())
    # Rounding in the mean would make the deviation of constant pixels tiny but not 0.
    if low == high:
        return Scaling(low, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = sum(float(part.sum(dtype=np.float64)) for part in _chunks(x)) / x.size
        squares = sum(_squares(part, mean) for part in _chunks(x))
    deviation = float(np.sqrt(squares / x.size))
    if not (np.isfinite(mean) and np.isfinite(deviation)):
        raise DataError(
            f"scaling: pixels are too large to standardize, from {low:g} to {high:g}; "
            f'use scaling = "unit" or store them smaller'
        )
    return Scaling(mean, deviation or 1.0)


def _squares(part: NDArray[Any], mean: float) -> float:
    """Return the sum of squared distances from the mean."""
    distance = np.subtract(part, mean, dtype=np.float64)
    # Not np.dot: its last digits depend on the number of threads.
    return float(np.square(distance, out=distance).sum())


def _chunks(x: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Return views of some rows each, with about 65,000 values at a time."""
    rows = max(1, _CHUNK * len(x) // max(1, x.size))
    return (x[start : start + rows] for start in range(0, len(x), rows))
