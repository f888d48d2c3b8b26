"""Which candidate to take, and how sure one may be: intervals and rivals."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import ResultError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.records import Candidate, StudyRecord

UNIT_SCORERS = ("accuracy", "balanced_accuracy", "f1", "roc_auc")


@dataclass(frozen=True)
class Interval:
    """A confidence interval and how it was made.

    Attributes
    ----------
    low, high : float
        Its ends, in the unit of the score.
    level : float
        Its confidence, 0.95 for 95 %.
    method : str
        The method in words.
    """

    low: float
    high: float
    level: float
    method: str


def split_scores(candidate: Candidate) -> list[float]:
    """Return the held-out scores of a candidate, one a split, at its epoch.

    Parameters
    ----------
    candidate : Candidate
        A row of the table of candidates.

    Returns
    -------
    list of float
        Empty for a candidate that is not complete.
    """
    if candidate.trial.state != "COMPLETE":
        return []
    return [s.test[candidate.epoch] for s in candidate.trial.splits if candidate.epoch in s.test]


def mean_score(candidate: Candidate) -> float | None:
    """Return the mean held-out score over splits, None for a candidate without one."""
    scores = split_scores(candidate)
    return float(np.mean(scores)) if scores and isfinite(sum(scores)) else None


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


def best(record: StudyRecord) -> Candidate | None:
    """Return the first of :func:`ranked`, None where nothing is complete."""
    return next(iter(ranked(record)), None)


def interval(
    scores: Sequence[float], n_train: float, n_test: float, level: float = 0.95
) -> tuple[float, float]:
    """Corrected resampled t interval for the mean of split scores.

    Splits share training rows, so the plain t interval is too narrow; the variance of the
    mean takes the factor ``1/k + n_test/n_train`` instead of ``1/k`` (C. Nadeau and Y. Bengio,
    "Inference for the generalization error", Machine Learning 52:239-281, 2003).

    Parameters
    ----------
    scores : sequence of float
        One score, or difference of scores, a split; at least two.
    n_train, n_test : float
        Rows fitted on and rows held out in a split.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    tuple of float
        Low and high end.

    Raises
    ------
    ResultError
        If there are fewer than two scores or a row count is not positive.
    """
    from scipy.special import stdtrit

    k = len(scores)
    if k < 2 or n_train <= 0 or n_test <= 0:
        raise ResultError(
            "interval: needs at least 2 scores and positive row counts, got "
            f"{k} scores, n_train={n_train}, n_test={n_test}"
        )
    _check_level(level)
    spread = sqrt((1 / k + n_test / n_train) * float(np.var(scores, ddof=1)))
    half = float(stdtrit(k - 1, (1 + level) / 2)) * spread
    mean = float(np.mean(scores))
    return mean - half, mean + half


def wilson(successes: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval for a proportion (E. B. Wilson, JASA 22:209-212, 1927).

    Parameters
    ----------
    successes : float
        Rows that were right.
    n : int
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
        If ``n`` is below one or ``successes`` lies outside 0 to ``n``.
    """
    if n < 1 or not 0 <= successes <= n:
        raise ResultError(f"wilson: needs 0 <= successes <= n and n >= 1, got {successes} of {n}")
    _check_level(level)
    z2, share = NormalDist().inv_cdf((1 + level) / 2) ** 2, successes / n
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def score_interval(
    record: StudyRecord, candidate: Candidate, level: float = 0.95
) -> Interval | None:
    """Return the interval that the splits of a candidate allow.

    Parameters
    ----------
    record : StudyRecord
        The study: its scorer and rows decide the method.
    candidate : Candidate
        A row of it.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    Interval or None
        Several splits: corrected resampled t. One split scored by accuracy: Wilson on its
        rows. Otherwise None. Scores that live between 0 and 1 are clipped to that.
    """
    scores, held_out = split_scores(candidate), _held_out(candidate)
    scoring = _scoring(record)
    if not scores or held_out < 1:
        return None
    if len(scores) > 1:
        low, high = interval(scores, _fitted_rows(record, held_out), held_out, level)
        low, high = (max(low, 0.0), min(high, 1.0)) if _in_unit(scoring) else (low, high)
        name = f"corrected resampled t over {len(scores)} splits (Nadeau and Bengio 2003)"
        return Interval(low, high, level, name)
    if scoring != "accuracy":
        return None
    rows = round(held_out)
    return Interval(
        *wilson(scores[0] * rows, rows, level), level, f"Wilson on {rows:,} held-out rows"
    )


def indistinguishable(record: StudyRecord, level: float = 0.95) -> list[Candidate]:
    """Return the candidates that the data cannot tell from the best, cheapest first.

    Parameters
    ----------
    record : StudyRecord
        The study.
    level : float, default 0.95
        Confidence of each single comparison; there is no correction for their number.

    Returns
    -------
    list of Candidate
        Without the best one, by seconds of fitting, then index. With several splits: those
        whose paired difference to the best has a corrected resampled t interval that reaches
        0. With one split scored by accuracy: those whose difference to the best has a
        Newcombe interval (Statistics in Medicine 17:873-890, 1998, method 10) that reaches 0;
        it takes the rows as independent, which errs on the side of more rivals. Otherwise
        empty.
    """
    order = ranked(record)
    rivals = [c for c in order[1:] if _reaches(record, order[0], c, level)]
    return sorted(rivals, key=lambda c: (fit_seconds(c), c.index))


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


def _merit(scored: tuple[float, Candidate]) -> tuple[float, float, int]:
    score, candidate = scored
    weights = candidate.trial.parameters
    return -score, inf if weights is None else weights, candidate.index


def _reaches(record: StudyRecord, top: Candidate, other: Candidate, level: float) -> bool:
    first, second, held_out = split_scores(top), split_scores(other), _held_out(top)
    if len(first) != len(second) or held_out < 1:
        return False
    if len(first) > 1:
        differences = [a - b for a, b in zip(first, second, strict=True)]
        low, _ = interval(differences, _fitted_rows(record, held_out), held_out, level)
        return low <= 0
    return (
        _scoring(record) == "accuracy" and _newcombe_low(first[0], second[0], held_out, level) <= 0
    )


def _newcombe_low(first: float, second: float, rows: float, level: float) -> float:
    """Return the low end of Newcombe's interval for the difference of two proportions."""
    n = round(rows)
    low, _ = wilson(first * n, n, level)
    _, high = wilson(second * n, n, level)
    return first - second - sqrt((first - low) ** 2 + (high - second) ** 2)


def _held_out(candidate: Candidate) -> float:
    return float(np.mean([s.n_test for s in candidate.trial.splits] or [0]))


def _fitted_rows(record: StudyRecord, held_out: float) -> float:
    return max(record.data.train_rows - held_out, 1)


def _scoring(record: StudyRecord) -> str:
    return str(record.spec.get("search", {}).get("scoring", "accuracy"))


def _in_unit(scoring: str) -> bool:
    return scoring.startswith(UNIT_SCORERS)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ResultError(f"level: must lie between 0 and 1, got {level}")


def is_current(record: StudyRecord, chosen: Candidate) -> bool:
    """Return whether the recorded winner is still the choice."""
    return record.winner is not None and dict(record.winner.params) == dict(chosen.params)
