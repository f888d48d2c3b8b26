"""The order of the candidates: by score, and by cost."""

from __future__ import annotations

from math import inf, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from sweep.ledger.records import mean_of
from sweep.ledger.scores import mean_score
from sweep.support.layer import multiply_adds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.records import Candidate, StudyRecord

LEAST, ONE_SPLIT = 1.1, 1.5
"""How many times as long a fit takes at least that counts as slower: over splits, and on one."""


def ranked(record: StudyRecord) -> list[Candidate]:
    """Return the complete candidates, best first.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    list of Candidate
        By mean held-out score (higher is better, as for every scikit-learn scorer); ties by
        fewer weights, then by smaller index.
    """
    return list(record.ranked)


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates without those whose parameters another one before them has.

    A sampler may suggest the same again: its result is taken over, not measured a second time.
    """
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate.identity, candidate)
    return list(found.values())


def best(record: StudyRecord) -> Candidate | None:
    """Return the first of :func:`ranked`, None where nothing is complete."""
    return next(iter(ranked(record)), None)


def fit_seconds(candidate: Candidate) -> float:
    """Return the mean seconds of fitting one split up to the candidate's epoch.

    Parameters
    ----------
    candidate : Candidate
        A row of the table of candidates.

    Returns
    -------
    float
        Infinite where no time was recorded.
    """
    seconds = _seconds(candidate)
    return mean_of(seconds) if seconds else inf


def by_cost(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates, cheapest first, in an order that the machine's noise does not decide.

    Parameters
    ----------
    candidates : iterable of Candidate
        Rows of the table of candidates.

    Returns
    -------
    list of Candidate
        By number of weights, those without one last; then by the arithmetic of a prediction
        (:func:`sweep.support.layer.multiply_adds`); then by seconds of fitting a split, where
        :func:`is_slower` tells them apart; ties by higher score, then by smaller index.
    """
    order: list[Candidate] = []
    tied: list[Candidate] = []
    for each in sorted(candidates, key=lambda c: (*_size(c), fit_seconds(c), c.index)):
        if tied and (_size(each) > _size(tied[0]) or is_slower(each, tied[0])):
            order += sorted(tied, key=_merit_of)
            tied = []
        tied.append(each)
    return order + sorted(tied, key=_merit_of)


def is_slower(candidate: Candidate, other: Candidate) -> bool:
    """Return whether fitting a candidate takes longer than another, by more than noise.

    By a tenth at least, and by more than twice the standard error of the difference over splits.
    One split knows no spread: there it must be half as long again.
    """
    slow, fast = fit_seconds(candidate), fit_seconds(other)
    if not (isfinite(slow) and isfinite(fast)):
        return isfinite(fast)
    pairs = zip(_seconds(candidate), _seconds(other), strict=False)
    differences = [a - b for a, b in pairs]
    if len(differences) < 2:
        return slow >= ONE_SPLIT * fast
    error = float(np.std(differences, ddof=1)) / sqrt(len(differences))
    return slow >= LEAST * fast and slow - fast > 2 * error


def _seconds(candidate: Candidate) -> list[float]:
    return [inf if each is None else each for each in candidate.fits.seconds]


def _merit(scored: tuple[float, Candidate]) -> tuple[float, float, int]:
    score, candidate = scored
    return -score, _weights(candidate), candidate.index


def _merit_of(candidate: Candidate) -> tuple[float, float, int]:
    return _merit((mean_score(candidate) or 0.0, candidate))


def _size(candidate: Candidate) -> tuple[float, float]:
    count = multiply_adds(candidate.trial.layers)
    return _weights(candidate), inf if count is None else count


def _weights(candidate: Candidate) -> float:
    weights = candidate.trial.parameters
    return inf if weights is None else weights
