"""Racing: who can leave after each further repeat of the cross-validation, with a guarantee."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.binomial import check_level
from sweep.analysis.intervals import TINY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MANY, LEAST = 1e6, 1e-300
"""Degrees of freedom that are as good as infinitely many; the smallest tail that is looked at."""

LUCK = 2.0
"""Standard errors that a difference may still move by: what lies further off is not waited for."""


@dataclass(frozen=True)
class Rules:
    """What a race is held by.

    Attributes
    ----------
    shared : float
        ``n_test / n_train`` of a split: how much splits share (Nadeau and Bengio 2003).
    margin : float
        Differences up to this one do not matter, in the unit of the score.
    most : int
        Splits after the last look that there may ever be.
    rows : float or None
        Rows that scores are shares of; None where they are no shares.
    level : float
        Confidence of all that a race ever says, 0.95 for 95 %.
    """

    shared: float
    margin: float
    most: int
    rows: float | None = None
    level: float = 0.95


@dataclass(frozen=True)
class Race:
    """How a race stands.

    Attributes
    ----------
    worse : ndarray of shape (n,), bool
        Candidates that score lower than another by more than chance explains.
    as_good : ndarray of shape (n,), bool
        Those that no other one is better than by more than the margin.
    lost : ndarray of shape (n,), bool
        Those that left because a further fit of theirs failed.
    needed : ndarray of shape (n,), bool
        Those that the next look needs further splits of; none where the race is over.
    splits : ndarray of shape (n,), int
        Splits that each was compared on last.
    looks : int
        Looks that are complete.
    behind : ndarray of shape (n, 3)
        How far each was behind the highest mean at its last look: lowest, measured, highest, the
        intervals of all looks together; NaN before the first.
    """

    worse: NDArray[np.bool_]
    as_good: NDArray[np.bool_]
    lost: NDArray[np.bool_]
    needed: NDArray[np.bool_]
    splits: NDArray[np.int_]
    looks: int
    behind: NDArray[np.float64]

    @property
    def left(self) -> NDArray[np.bool_]:
        """Those that have not left as worse, or lost."""
        return ~self.worse & ~self.lost

    @property
    def settled(self) -> bool:
        """Whether all that are left are as good as the best, within the margin."""
        return bool(self.as_good[self.left].all())


def race(
    scores: NDArray[np.float64],
    looks: Sequence[int],
    rules: Rules,
    failed: NDArray[np.bool_] | None = None,
) -> Race:
    """Replay a race: after each look, candidates leave that need no further fits.

    At a look every candidate still racing has the same splits, so all differences are paired.
    A candidate is *worse* where another one is above it by more than the bound of that look, and
    *as good* where no other one that is left can be better by more than the margin (the
    differences' upper ends are below it: the one half of two one-sided tests, Schuirmann 1987,
    that says what a person loses; the other half would only forbid it to be the better one). The
    race goes on with those that are neither, and with those that they must be compared with.

    With probability ``level`` the truly best is never called worse, and none that is called as
    good is below it by more than the margin, over all looks together. For both are wrong only if
    one of the 2 (n - 1) differences from the truly best passes its bound (Bonferroni). Means over
    splits that share rows have variance ``s^2 (1/k + n_test/n_train)`` (Nadeau and Bengio 2003),
    and so the joint distribution of a group sequential trial whose information is one over that
    (Jennison and Turnbull 1999, chapter 3). It ends at a last look that is known, so a bound in
    the shape of O'Brien and Fleming (1979) is passed at any look at most twice as often as at the
    last one (reflection principle). Where the noise is estimated, a look's level is that of
    Student's t (Jennison and Turnbull, section 3.8); it is pooled over the candidates, and for a
    pair that varies more it is the pair's own. That candidates leave one after another is a race
    (Maron and Moore 1994; Birattari et al. 2002).

    Parameters
    ----------
    scores : ndarray of shape (n, splits)
        Scores of splits, higher is better; NaN where a candidate was not measured.
    looks : sequence of int
        Splits at each look, ascending; the first is what the search itself has measured.
    rules : Rules
        Margin, confidence and noise.
    failed : ndarray of shape (n,), bool, optional
        Candidates with a further fit that failed: they leave where a look lacks their score.

    Returns
    -------
    Race
        After the last look that is complete.
    """
    check_level(rules.level)
    state = _State(len(scores), rules)
    gone = np.zeros(len(scores), bool) if failed is None else failed
    for splits in looks:
        lacking = state.needed & ~np.isfinite(scores[:, :splits]).all(axis=1)
        if (lacking & ~gone).any():
            break
        state.lose(lacking)
        if not state.needed.any():
            break
        state.look(scores[:, :splits], splits)
    return state.race()


def half_width(candidates: int, splits: int, freedom: float, rules: Rules) -> float:
    """Return half the width of all intervals of differences at a look, in units of the noise.

    The unit is the standard deviation of a difference of two scores of the same split.

    Parameters
    ----------
    candidates : int
        How many there were at the first look.
    splits : int
        Splits of each at this look.
    freedom : float
        Degrees of freedom of the noise, infinite where it is known.
    rules : Rules
        Confidence, and how much splits share.
    """
    from scipy.special import ndtr, stdtrit

    variance, least = rules.shared + 1 / splits, rules.shared + 1 / rules.most
    quantile = last_quantile(candidates, rules.level) * sqrt(variance / least)
    if freedom < MANY:
        tail = max(float(ndtr(-quantile)), LEAST)
        quantile = -float(stdtrit(max(freedom, 1.0), tail))
    return quantile * sqrt(variance)


def last_quantile(candidates: int, level: float) -> float:
    """Return how many standard errors a difference must have at the last look."""
    from scipy.special import ndtri

    return -float(ndtri((1 - level) / (4 * max(candidates - 1, 1))))


def row_errors(gaps: NDArray[np.float64], rows: float) -> NDArray[np.float64]:
    """Return the least standard error that rows allow differences of shares.

    That of Bonett and Price (2012) at the least disagreement, as
    :func:`sweep.analysis.binomial.gap_ends` has it. Repeats score the same rows again, so it
    does not fall with them.
    """
    middle = gaps * rows / (rows + 2)
    squares = (np.abs(gaps) * rows + 2) / (rows + 2) - middle**2
    errors: NDArray[np.float64] = np.sqrt(np.maximum(squares, 0.0) / (rows + 2))
    return errors


class _State:
    """What is known after some looks; pairs that are settled once stay so."""

    def __init__(self, n: int, rules: Rules) -> None:
        self.rules, self.n, self.looks = rules, n, 0
        self.worse, self.lost = np.zeros(n, bool), np.zeros(n, bool)
        self.within = np.eye(n, dtype=bool)  # [i, j]: j is at most the margin above i
        self.vain = np.zeros(n, bool)
        self.splits = np.zeros(n, int)
        self.needed = np.ones(n, bool)
        self.behind = np.full((n, 3), np.nan)

    def lose(self, who: NDArray[np.bool_]) -> None:
        """Take out candidates whose further fits failed."""
        self.lost |= who
        if who.any():
            self._decide()

    def look(self, scores: NDArray[np.float64], splits: int) -> None:
        """Compare those that are needed on their common splits."""
        here = np.flatnonzero(self.needed)
        self.looks, self.splits[here] = self.looks + 1, splits
        means = scores[here].mean(axis=1)
        gaps, best = means[None, :] - means[:, None], means.argmax()
        noise, freedom = pair_noise(scores[here])
        if self.rules.rows is None:  # splits that agree to the last digit prove nothing
            noise = np.where(noise > TINY, noise, inf)
        bounds = np.maximum(
            half_width(self.n, splits, freedom, self.rules) * noise, self._rows(gaps)
        )
        np.fill_diagonal(bounds, 0.0)
        gap, bound = gaps[:, best], bounds[:, best]
        self.behind[here] = np.stack([gap - bound, gap, gap + bound], axis=1)
        self.worse[here] |= (gaps > bounds).any(axis=1)
        self.within[np.ix_(here, here)] |= gaps + bounds <= self.rules.margin
        self.vain[here] |= self._in_vain(gaps, noise, splits, freedom)
        self._decide()

    def race(self) -> Race:
        """Return the race as it stands."""
        left = ~self.worse & ~self.lost
        return Race(
            self.worse, self._as_good(left), self.lost, self.needed, self.splits, self.looks,
            self.behind,
        )  # fmt: skip

    def _rows(self, gaps: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.rules.rows is None:
            return np.zeros_like(gaps)
        return last_quantile(self.n, self.rules.level) * row_errors(gaps, self.rules.rows)

    def _in_vain(
        self, gaps: NDArray[np.float64], noise: NDArray[np.float64], splits: int, freedom: float
    ) -> NDArray[np.bool_]:
        """Return who will hardly be settled by the last look: no guarantee rests on this.

        Even if the noise is the least that its estimate allows at 95 %, and the differences move
        by two standard errors.
        """
        from scipy.special import chdtri

        rules = self.rules
        least = noise * sqrt(freedom / float(chdtri(freedom, 0.05)))
        last = np.maximum(half_width(self.n, rules.most, inf, rules) * least, self._rows(gaps))
        known = np.where(np.isfinite(noise), noise, 0.0)
        moves = LUCK * known * sqrt(max(1 / splits - 1 / rules.most, 0.0))
        np.fill_diagonal(last, 0.0)
        np.fill_diagonal(moves, 0.0)
        untold = (gaps + moves <= last).all(axis=1)
        stuck = untold & (gaps - moves > rules.margin - last).any(axis=1)
        return np.asarray(stuck)

    def _as_good(self, left: NDArray[np.bool_]) -> NDArray[np.bool_]:
        good: NDArray[np.bool_] = left & (self.within | ~left[None, :]).all(axis=1)
        return good

    def _decide(self) -> None:
        """Say who is needed at the next look: the undecided, and whom they are compared with."""
        left = ~self.worse & ~self.lost
        undecided = left & ~self._as_good(left) & ~self.vain
        rivals = (~self.within[undecided]).any(axis=0)
        self.needed &= left & (undecided | rivals)


def pair_noise(scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Return how much differences of candidates vary over splits, and the degrees of freedom.

    Parameters
    ----------
    scores : ndarray of shape (n, splits)
        Scores of the candidates on the same splits.

    Returns
    -------
    noise : ndarray of shape (n, n)
        Standard deviation of the difference of two: pooled over all, or the pair's own if larger.
    freedom : float
        Of the pooled one.
    """
    (n, splits), rest = scores.shape, scores - scores.mean(axis=1, keepdims=True)
    rest = rest - rest.mean(axis=0, keepdims=True)
    freedom = max((n - 1) * (splits - 1), 1)
    squares = (rest**2).sum(axis=1)
    own = squares * n / freedom
    pair = np.maximum(2 * squares.sum() / freedom, own[:, None] + own[None, :])
    return np.sqrt(pair), float(freedom)
