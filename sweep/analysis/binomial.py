"""What held-out rows tell of a share of right rows, however well the splits agree."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.scorers import is_share, scoring
from sweep.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweep.ledger.records import StudyRecord

OF_CLASSES = ("balanced_accuracy", "recall_macro")
"""Scorers that are the mean over the classes of the share of right rows."""


def rows_behind(record: StudyRecord, held_out: Sequence[int]) -> float | None:
    """Return how many rows the mean score over splits is a share of.

    Parameters
    ----------
    record : StudyRecord
        The study.
    held_out : sequence of int
        Rows held out in each split.

    Returns
    -------
    float or None
        A row that several repeats hold out is one row. Splits of unlike sizes count as so many
        rows as give the mean of their scores its variance. A mean over classes counts as the
        rows of the rarest class times the classes, a recall as the rows of its class; both are
        known only where the splits hold out every training row. None for every other scorer,
        which is no share of rows.
    """
    total, train = float(np.sum(held_out)), record.data.train_rows
    if min(held_out, default=0) < 1:
        return None
    rows = len(held_out) ** 2 / float(np.sum(1 / np.asarray(held_out))) * min(1.0, train / total)
    if is_share(record):
        return rows
    of_score = _rows_of_classes(record)
    return rows * of_score / train if of_score and total >= train else None


def are_independent(record: StudyRecord) -> bool:
    """Return whether rows are single draws: those of one group may be right or wrong together."""
    return record.settings.data.groups is None


def clopper_pearson(right: float, rows: float, level: float = 0.95) -> tuple[float, float]:
    """Exact interval for a share (C. J. Clopper, E. S. Pearson, Biometrika 26:404-413, 1934).

    It holds the true share of independent rows at least as often as ``level`` says, however close
    to 0 or 1 that is. Wilson's interval (1927) does not: where 1 row in 600 is wrong and 100 are
    held out, it holds in 85 % (L. D. Brown, T. T. Cai, A. DasGupta, Statistical Science
    16:101-133, 2001, tell why).

    Parameters
    ----------
    right : float
        Rows that were right; no whole number where a score is a mean over seeds or repeats.
    rows : float
        Rows in all, at least one.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    tuple of float
        Low and high end, within 0 and 1.

    Raises
    ------
    ResultError
        If ``rows`` is below one or ``right`` lies outside 0 to ``rows``.
    """
    from scipy.special import betaincinv

    slack = 1e-9 * rows
    if rows < 1 or not -slack <= right <= rows + slack:
        raise ResultError(
            f"clopper_pearson: needs 0 <= right <= rows and rows >= 1, got {right} of {rows}"
        )
    check_level(level)
    tail, wrong = (1 - level) / 2, rows - right
    low = 0.0 if right <= slack else float(betaincinv(right, wrong + 1, tail))
    high = 1.0 if wrong <= slack else float(betaincinv(right + 1, wrong, 1 - tail))
    return low, high


def share_interval(share: float, rows: float, level: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of a share of rows; a score past 0 or 1 counts as 0 or 1.

    Parameters
    ----------
    share : float
        Share of rows that were right, as the ledger holds it.
    rows, level : float
        As for :func:`clopper_pearson`.
    """
    return clopper_pearson(min(max(share, 0.0), 1.0) * rows, rows, level)


def share_error(share: float, rows: float) -> float:
    """Return the binomial standard error of a share.

    The share is moved off 0 and 1 by two right and two wrong rows (A. Agresti, B. A. Coull, The
    American Statistician 52:119-126, 1998): no row wrong of a hundred is not certainty.
    """
    moved = (share * rows + 2) / (rows + 4)
    return sqrt(moved * (1 - moved) / rows)


def gap_ends(gap: float, rows: float, level: float = 0.95) -> tuple[float, float]:
    """Return the narrowest interval that rows allow a difference of two shares of the same rows.

    A difference of 3 rows comes from at least 3 rows on which the two disagree. The interval is
    that of D. G. Bonett and R. M. Price (Journal of Educational and Behavioral Statistics
    37:479-488, 2012) at that least disagreement: one more row is taken to be right in the one
    alone, one more in the other alone. From 6 rows on the interval does not hold 0, as in the
    exact test of McNemar.

    Parameters
    ----------
    gap : float
        The one share less the other.
    rows : float
        Rows that both are of.
    level : float, default 0.95
        Confidence.
    """
    middle = gap * rows / (rows + 2)
    spread = sqrt(max((abs(gap) * rows + 2) / (rows + 2) - middle**2, 0.0) / (rows + 2))
    half = NormalDist().inv_cdf((1 + level) / 2) * spread
    return middle - half, middle + half


def least_noise(
    means: NDArray[np.float64], rows: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smallest standard error of a mean that the means themselves allow.

    Shares that differ come from rows on which candidates disagree: at least from those where
    every candidate is wrong on the rows of the better one and on some more. The variance of such
    rows, pooled over the candidates, is that of W. G. Cochran's Q test (Biometrika 37:256-266,
    1950), for two candidates McNemar's; each candidate is taken to be wrong on one more row
    alone, as Bonett and Price (2012) do for two.

    Parameters
    ----------
    means : ndarray of shape (n,)
        Falling.
    rows : float
        Rows that they are shares of.

    Returns
    -------
    errors, freedom : ndarray of shape (n,)
        As the first 1, 2, ... n candidates tell them; degrees of freedom are infinite.
    """
    counts, wrong = np.arange(1, len(means) + 1), (means[0] - means) * rows
    together = np.cumsum(wrong)
    shared = np.cumsum(2 * (together - wrong) + wrong) / counts
    squares = np.maximum(together - shared, 0.0) + (counts - 1)
    return np.sqrt(squares / np.maximum(counts - 1, 1)) / rows, np.full(len(means), np.inf)


def check_level(level: float) -> None:
    """Refuse a confidence that is none.

    Raises
    ------
    ResultError
        If it does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ResultError(f"level: must lie between 0 and 1, got {level}")


def _rows_of_classes(record: StudyRecord) -> float:
    """Return how many training rows a score that goes by classes is a share of; 0 if unknown."""
    counts = dict(zip(record.data.classes, record.data.class_counts, strict=False))
    if scoring(record) in OF_CLASSES:
        return len(counts) * min(counts.values(), default=0)
    return counts.get(record.data.positive, 0) if scoring(record) == "recall" else 0
