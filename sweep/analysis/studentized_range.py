"""The studentized range, without the seconds that importing ``scipy.stats`` takes."""

from __future__ import annotations

from functools import cache
from math import isinf, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NODES = 96
PRECISE = 1e-4
"""Relative precision of a quantile."""
REACH = 9.0
"""Standard deviations within which normal deviates are integrated."""


def range_exceeds(q: float, n: int, freedom: float) -> float:
    """Return how probable a studentized range above ``q`` is among equal means.

    The distribution of J. W. Tukey's "honestly significant difference" (1953), integrated by
    Gauss and Legendre: over the highest of the means, and over the standard error.

    Parameters
    ----------
    q : float
        Highest mean less lowest, in standard errors of a mean.
    n : int
        Means, at least two.
    freedom : float
        Degrees of freedom of the standard error; infinite where it is known.
    """
    if isinf(q):
        return 0.0
    if isinf(freedom):
        return float(1 - _within(np.array([q]), n)[0])
    error, weight = _errors(freedom)
    within = float(np.sum(weight * _within(q * error, n)))
    return max(0.0, 1 - within)


def range_quantile(level: float, n: int, freedom: float) -> float:
    """Return the studentized range that is exceeded with probability ``1 - level``.

    Parameters
    ----------
    level : float
        0.95 for 95 %.
    n, freedom
        As for :func:`range_exceeds`.
    """
    low, high = 0.0, 1.0
    while range_exceeds(high, n, freedom) > 1 - level:
        low, high = high, 2 * high
    while high - low > PRECISE * high:
        middle = (low + high) / 2
        low, high = (
            (low, middle) if range_exceeds(middle, n, freedom) <= 1 - level else (middle, high)
        )
    return high


def _within(widths: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return how probable it is that n standard normal deviates lie within each width."""
    from scipy.special import ndtr

    z, weight = _nodes(-REACH, REACH)
    density = weight * np.exp(-(z**2) / 2) / sqrt(2 * np.pi)
    others = (ndtr(z) - ndtr(z - widths[:, None])) ** (n - 1)
    found: NDArray[np.float64] = np.minimum(n * (others @ density), 1.0)
    return found


def _errors(freedom: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return estimates of a standard error of 1, and how probable each is."""
    from scipy.special import gammainccinv, gammaincinv, gammaln

    half = freedom / 2
    ends = gammaincinv(half, 1e-13), gammainccinv(half, 1e-13)
    error, weight = _nodes(*(sqrt(end / half) for end in ends))
    scale = log(2) + half * log(half) - gammaln(half)
    density = np.exp(scale + (freedom - 1) * np.log(error) - half * error**2)
    return error, weight * density


def _nodes(low: float, high: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points, weights = _unit_nodes()
    return (high - low) / 2 * points + (high + low) / 2, (high - low) / 2 * weights


@cache
def _unit_nodes() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return np.polynomial.legendre.leggauss(NODES)
