"""How sure a score is: intervals and standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from sweep.errors import ResultError
from sweep.ledger.scores import scores_by_split, split_scores
from sweep.selection.scorers import in_unit_interval, scoring

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.records import Candidate, StudyRecord


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
    check_level(level)
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
    check_level(level)
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
        Several splits: corrected resampled t over the splits, each the mean over its seeds:
        seeds make a split's score steadier, they are no further draw of the rows. One split
        scored by accuracy: Wilson on its rows, which covers the draw of those rows and, with
        several seeds, nothing of theirs. One split of another scorer: t over its seeds, which
        covers the seeds alone; None with one seed. Scores that live between 0 and 1 are clipped
        to that.
    """
    scores, held_out = split_scores(candidate), held_out_rows(candidate)
    if not scores or held_out < 1:
        return None
    if len(scores) > 1:
        ends = interval(scores, fitted_rows(record, held_out), held_out, level)
        return Interval(*_within(record, ends), level, _resampled(candidate))
    if scoring(record) == "accuracy":
        rows = round(held_out)
        return Interval(*wilson(scores[0] * rows, rows, level), level, _on_rows(candidate, rows))
    return _over_seeds(record, candidate, level)


def standard_error(record: StudyRecord, candidate: Candidate) -> float:
    """Return the standard error of a candidate's mean score, as the one-standard-error rule has it.

    Parameters
    ----------
    record : StudyRecord
        The study.
    candidate : Candidate
        A row of it.

    Returns
    -------
    float
        Of the mean over splits, without a correction for shared training rows (Breiman et al.
        1984, section 3.4.3, use it so); on one split scored by accuracy the binomial one of its
        rows; otherwise 0.
    """
    scores, rows = split_scores(candidate), held_out_rows(candidate)
    if len(scores) > 1:
        return float(np.std(scores, ddof=1)) / sqrt(len(scores))
    if scores and rows >= 1 and scoring(record) == "accuracy":
        return sqrt(scores[0] * (1 - scores[0]) / rows)
    return 0.0


def held_out_rows(candidate: Candidate) -> float:
    """Return the rows held out in a split, on average."""
    return float(np.mean([s.n_test for s in candidate.trial.splits] or [0]))


def fitted_rows(record: StudyRecord, held_out: float) -> float:
    """Return the rows fitted on in a split."""
    return max(record.data.train_rows - held_out, 1)


def check_level(level: float) -> None:
    """Refuse a confidence that is none.

    Raises
    ------
    ResultError
        If it does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ResultError(f"level: must lie between 0 and 1, got {level}")


def _over_seeds(record: StudyRecord, candidate: Candidate, level: float) -> Interval | None:
    """Return what seeds alone can tell: how a fit on these very rows varies."""
    from scipy.special import stdtrit

    (scores,) = scores_by_split(candidate).values()
    if len(scores) < 2:
        return None
    mean, spread = float(np.mean(scores)), float(np.std(scores, ddof=1)) / sqrt(len(scores))
    half = float(stdtrit(len(scores) - 1, (1 + level) / 2)) * spread
    method = (
        f"t over {len(scores)} seeds on one split; it covers the seeds alone, neither the rows "
        "held out nor those fitted on"
    )
    return Interval(*_within(record, (mean - half, mean + half)), level, method)


def _resampled(candidate: Candidate) -> str:
    by_split = scores_by_split(candidate)
    seeds = len(next(iter(by_split.values())))
    each = f", each the mean of {seeds} seeds" if seeds > 1 else ""
    return f"corrected resampled t over {len(by_split)} splits{each} (Nadeau and Bengio 2003)"


def _on_rows(candidate: Candidate, rows: int) -> str:
    seeds = len(candidate.trial.splits)
    each = f", mean of {seeds} seeds; it covers the rows alone" if seeds > 1 else ""
    return f"Wilson on {rows:,} held-out rows{each}"


def _within(record: StudyRecord, ends: tuple[float, float]) -> tuple[float, float]:
    """Clip what lives between 0 and 1 to that."""
    if not in_unit_interval(record):
        return ends
    return max(ends[0], 0.0), min(ends[1], 1.0)
