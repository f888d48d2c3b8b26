"""What cannot be told from the best, all comparisons taken together."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.binomial import are_independent, check_level, least_noise, rows_behind
from sweep.analysis.intervals import TINY, held_out_rows, rows_by_split, split_sizes
from sweep.analysis.ranking import by_cost, distinct, ranked
from sweep.analysis.scorers import is_share
from sweep.analysis.studentized_range import range_exceeds, range_quantile
from sweep.ledger.fit_columns import ascends
from sweep.ledger.scores import mean_score, scores_by_split, split_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sweep.ledger.records import Candidate, StudyRecord

MANY = 1e8
"""Degrees of freedom that differ in nothing from infinitely many."""


@dataclass(frozen=True)
class Comparison:
    """The candidates beside the best one.

    Attributes
    ----------
    alike : tuple of Candidate
        The best, then those that the data cannot tell from it, by falling score.
    told : tuple of Candidate
        Those that score lower by more than chance explains.
    level : float
        Confidence of all comparisons together, 0.95 for 95 %: where candidates are equally good,
        any of them is found among ``told`` in 5 % of studies at most.
    method : str
        The method in words.
    margin : float
        Half the width of the intervals of the differences between any two of ``alike``, all of
        them together at ``level`` (Tukey's); infinite where nothing bounds it, 0 for one alone.
    """

    alike: tuple[Candidate, ...]
    told: tuple[Candidate, ...]
    level: float
    method: str
    margin: float = inf

    def behind(self, candidate: Candidate) -> tuple[float, float, float]:
        """Return how far one of ``alike`` is behind the best: lowest, measured, highest."""
        found = (mean_score(self.best) or 0.0) - (mean_score(candidate) or 0.0)
        return found - self.margin, found, found + self.margin

    @property
    def best(self) -> Candidate:
        """The candidate with the highest mean score."""
        return self.alike[0]

    @property
    def cheapest(self) -> Candidate:
        """The cheapest of ``alike``, as :func:`sweep.analysis.ranking.by_cost` orders them."""
        return by_cost(self.alike)[0]


def compare(record: StudyRecord, level: float = 0.95) -> Comparison | None:
    """Compare every complete candidate with the best, as a family.

    The lowest mean is set beside the highest. If the studentized range (Tukey) says that their
    distance is more than chance explains among that many equal candidates, the lowest is told
    from the best and left out, and the next one is looked at; the first that is not told ends
    it. That is a model confidence set (P. R. Hansen, A. Lunde and J. M. Nason, Econometrica
    79:453-497, 2011). The noise is what is left of the split scores after each candidate's and
    each split's mean, so the comparison is paired by split; its variance takes the factor
    ``1/k + n_test/n_train`` for splits that share training rows (C. Nadeau and Y. Bengio,
    Machine Learning 52:239-281, 2003). It is pooled over the candidates still compared.

    Candidates with the same parameters are one: what a sampler suggested again was measured once.

    Splits that agree do not make a difference more certain than its rows do: where scores are
    shares of right rows, a candidate is told only if :func:`sweep.analysis.binomial.least_noise`
    tells it too. Of other scores, those that all splits order alike to the last digit are not
    told.

    On one split scored by a share of right rows the noise is binomial, the rows of two candidates
    taken as independent, which errs on the side of more candidates that cannot be told apart.

    Parameters
    ----------
    record : StudyRecord
        The study.
    level : float, default 0.95
        Confidence of all comparisons together.

    Returns
    -------
    Comparison or None
        None where nothing is complete, or one split of another scorer allows no comparison.
    """
    check_level(level)
    order = [c for c in distinct(ranked(record)) if split_sizes(record, c) is not None]
    if not order or (sizes := split_sizes(record, order[0])) is None:
        return None
    places = _places(order[0])
    order = [c for c in order if _places(c) == places]
    if len(places) < 2 and not (is_share(record) and held_out_rows(order[0]) >= 1):
        return None
    scores = np.array([split_scores(c) for c in order])
    (rows, train), means = sizes, scores.mean(axis=1)
    if len(places) > 1:
        noise = paired_noise(scores, 1 / len(places) + rows / train)
        method = f"paired over {len(places)} splits that share training rows"
        noises = _noises(record, order[0], means, noise)
    else:
        noises = [binomial_noise(scores[:, 0], rows)]
        method = f"on {round(rows):,} held-out rows"
    alike = max(count_alike(means, *noise, level) for noise in noises)
    margin = max(_margin(alike, *noise, level) for noise in noises)
    return Comparison(tuple(order[:alike]), tuple(order[alike:]), level, method, margin)


def _places(candidate: Candidate) -> tuple[int, ...]:
    """Return the splits that have a score."""
    fits = candidate.fits
    if None not in fits.scores and ascends(fits.splits):
        return fits.splits
    return tuple(scores_by_split(candidate))


def _noises(
    record: StudyRecord,
    candidate: Candidate,
    means: NDArray[np.float64],
    noise: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the splits' noise and the least that rows allow: each must tell a candidate."""
    errors, freedom = noise
    behind = rows_behind(record, rows_by_split(candidate))
    if behind is None or not are_independent(record):
        errors = np.where(errors > TINY, errors, inf)
    noises = [(errors, freedom)]
    return noises if behind is None else [*noises, least_noise(means, behind)]


def _margin(
    alike: int, errors: NDArray[np.float64], freedom: NDArray[np.float64], level: float
) -> float:
    """Return half the width of the interval of a difference between the first of the means."""
    if alike < 2:
        return 0.0
    error, degrees = float(errors[alike - 1]), float(freedom[alike - 1])
    return error * range_quantile(level, alike, degrees) if isfinite(error) else inf


def indistinguishable(record: StudyRecord, level: float = 0.95) -> list[Candidate]:
    """Return the candidates that the data cannot tell from the best, cheapest first.

    Parameters
    ----------
    record : StudyRecord
        The study.
    level : float, default 0.95
        Confidence of all comparisons together; see :func:`compare`.

    Returns
    -------
    list of Candidate
        Without the best one, in the order of :func:`sweep.analysis.ranking.by_cost`. Empty where
        the data allow no comparison.
    """
    found = compare(record, level)
    return by_cost(found.alike[1:]) if found else []


def count_alike(
    means: NDArray[np.float64],
    errors: NDArray[np.float64],
    freedom: NDArray[np.float64],
    level: float,
) -> int:
    """Return how many of the highest means cannot be told from the first.

    Parameters
    ----------
    means : ndarray of shape (n,)
        Falling.
    errors : ndarray of shape (n,)
        Standard error of a mean as the first 1, 2, ... n candidates tell it.
    freedom : ndarray of shape (n,)
        Degrees of freedom of each.
    level : float
        Confidence of all comparisons together.
    """
    from scipy.special import stdtr

    alpha, counts = 1 - level, np.arange(1, len(means) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        span = np.where(errors > TINY, (means[0] - means) / errors, 0.0)
    span[(errors <= TINY) & (means[0] - means > TINY)] = inf
    # Most are clear beyond doubt: even the sum over all pairs (Bonferroni) is below alpha.
    pairs = counts * (counts - 1) / 2
    clear = 2 * pairs * stdtr(np.clip(freedom, 1, MANY), -span / sqrt(2)) < alpha
    for n in counts[:0:-1]:
        if not clear[n - 1] and range_exceeds(span[n - 1], n, freedom[n - 1]) >= alpha:
            return int(n)
    return 1


def paired_noise(
    scores: NDArray[np.float64], factor: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return errors and degrees of freedom from two-way residuals of the first 1, 2, ... rows."""
    counts, splits = np.arange(1, len(scores) + 1), scores.shape[1]
    centred = scores - scores.mean(axis=1, keepdims=True)
    shared = (np.cumsum(centred, axis=0) ** 2).sum(axis=1) / counts
    squares = np.maximum(np.cumsum((centred**2).sum(axis=1)) - shared, 0.0)
    freedom = (counts - 1.0) * (splits - 1)
    return np.sqrt(factor * squares / np.maximum(freedom, 1)), freedom


def binomial_noise(
    shares: Sequence[float] | NDArray[np.float64], rows: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return errors of a share of right rows, as the first 1, 2, ... candidates tell it."""
    counts = np.arange(1, len(shares) + 1)
    pooled = np.cumsum(shares) / counts
    return np.sqrt(pooled * (1 - pooled) / rows), np.full(len(counts), inf)
