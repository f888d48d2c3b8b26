"""The order of the candidates: by score, and by cost."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from sweep.ledger.scores import mean_score
from sweep.spaces import candidate_identity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.records import Candidate, StudyRecord


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
    scored = [(mean_score(c), c) for c in record.candidates]
    return [c for _, c in sorted(((s, c) for s, c in scored if s is not None), key=_merit)]


def distinct(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates without those whose parameters another one before them has.

    A sampler may suggest the same again: its result is taken over, not measured a second time.
    """
    found: dict[str, Candidate] = {}
    for candidate in candidates:
        found.setdefault(candidate_identity(candidate.params), candidate)
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
    seconds = [s.seconds.get(candidate.epoch, inf) for s in candidate.trial.splits]
    return float(np.mean(seconds)) if seconds else inf


def cost(candidate: Candidate) -> tuple[float, float, int]:
    """Return what candidates are ordered by, cheapest first: seconds, then weights, then index."""
    return fit_seconds(candidate), _weights(candidate), candidate.index


def _merit(scored: tuple[float, Candidate]) -> tuple[float, float, int]:
    score, candidate = scored
    return -score, _weights(candidate), candidate.index


def _weights(candidate: Candidate) -> float:
    weights = candidate.trial.parameters
    return inf if weights is None else weights
