"""How sure a score is: intervals and standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from sweep.analysis.binomial import (
    are_independent,
    check_level,
    rows_behind,
    share_error,
    share_interval,
)
from sweep.analysis.scorers import in_unit_interval, is_share, scoring
from sweep.errors import ResultError
from sweep.ledger.scores import scores_by_split, split_scores
from sweep.spec.scorers import column_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.records import Candidate, StudyRecord

TINY = 1e-12
"""Differences of scores below are rounding."""


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
        Several splits: :func:`resampled`, each split the mean over its seeds: seeds make a split's
        score steadier, they are no further draw of the rows. One split, scored by a share of
        right rows: Clopper and Pearson on its rows, which covers the draw of those rows and, with
        several seeds, nothing of theirs. One split of another scorer: t over its seeds, which
        covers the seeds alone; None with one seed. :func:`no_interval` says why there is none.
    """
    scores, held_out = split_scores(candidate), rows_by_split(candidate)
    if not scores:
        return None
    if min(held_out) < 1:
        return _by_folds(record, candidate, level)
    if len(scores) > 1:
        train = fitted_rows(record, held_out_rows(candidate))
        return resampled(record, scores, (held_out, train), _splits_of(candidate), level)
    if is_share(record):
        (rows,) = held_out
        ends = share_interval(scores[0], rows, level)
        return Interval(*ends, level, _on_rows(candidate, rows))
    return _over_seeds(record, candidate, level)


def resampled(
    record: StudyRecord,
    scores: Sequence[float],
    rows: tuple[Sequence[int], float],
    over: str,
    level: float = 0.95,
) -> Interval | None:
    """Return the interval of a mean over splits: as wide as splits say, and as rows say.

    Parameters
    ----------
    record : StudyRecord
        The study: its scorer decides what rows say.
    scores : sequence of float
        One a split, at least two.
    rows : tuple of (sequence of int, float)
        Rows held out in each split, and rows fitted on in a split.
    over : str
        The splits in words.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    Interval or None
        Corrected resampled t (:func:`interval`). Where the scores are shares of right rows, an
        end lies no nearer than that of Clopper and Pearson on these rows: splits that agree, by
        chance or because nearly every row is right, do not make a share more certain than its
        rows do. None where the splits agree to the last digit and no rows tell more. Scores
        that live between 0 and 1 are clipped to that.
    """
    held_out, train = rows
    low, high = interval(scores, train, float(np.mean(held_out)), level)
    method = f"corrected resampled t over {over} (Nadeau and Bengio 2003)"
    behind = rows_behind(record, held_out)
    if _agree(scores) and (behind is None or not are_independent(record)):
        return None
    if behind is not None and behind >= 1:
        least, most = share_interval(float(np.mean(scores)), behind, level)
        if least < low or most > high:
            method += f", widened to what {round(behind):,} rows allow (Clopper and Pearson 1934)"
        low, high = min(low, least), max(high, most)
    return Interval(*_within(record, (low, high)), level, method)


def no_interval(record: StudyRecord, scores: Sequence[float]) -> str:
    """Return why scores of splits have no interval."""
    if len(scores) < 2:
        return "no interval: one split"
    unlike = "rows of one group are not independent"
    why = f"{column_of(scoring(record))} is no share of rows" if are_independent(record) else unlike
    return f"no interval: all splits have the same score, and {why}"


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
        1984, section 3.4.3, use it so). Where the scores are shares of right rows, at least the
        binomial one of these rows, which is also that of one split; otherwise 0 on one split.
    """
    scores, held_out = split_scores(candidate), rows_by_split(candidate)
    error = float(np.std(scores, ddof=1)) / sqrt(len(scores)) if len(scores) > 1 else 0.0
    behind = rows_behind(record, held_out) if scores else None
    return error if behind is None else max(error, share_error(float(np.mean(scores)), behind))


def rows_by_split(candidate: Candidate) -> list[int]:
    """Return the rows held out in each split."""
    held_out = dict(zip(candidate.fits.splits, candidate.fits.rows, strict=True))
    return [held_out[split] for split in sorted(held_out)]


def held_out_rows(candidate: Candidate) -> float:
    """Return the rows held out in a split, on average."""
    rows = candidate.fits.rows
    return sum(rows) / len(rows) if rows else 0.0


def fitted_rows(record: StudyRecord, held_out: float) -> float:
    """Return the rows fitted on in a split."""
    return max(record.data.train_rows - held_out, 1)


def split_sizes(record: StudyRecord, candidate: Candidate) -> tuple[float, float] | None:
    """Return the rows held out in a split, on average, and those fitted on.

    Of an imported study that nobody knows the rows of, in units of a fold, where it has folds:
    their ratio is all that is asked of them. None where neither is known.
    """
    rows, folds = held_out_rows(candidate), record.settings.search.cv
    if rows >= 1:
        return rows, fitted_rows(record, rows)
    return (1.0, folds - 1.0) if record.imported and folds else None


def _by_folds(record: StudyRecord, candidate: Candidate, level: float) -> Interval | None:
    """Return the interval over folds of rows that nobody knows; None where they agree."""
    scores, sizes = split_scores(candidate), split_sizes(record, candidate)
    if len(scores) < 2 or sizes is None or _agree(scores):
        return None
    rows, train = sizes
    method = (
        f"corrected resampled t over {_splits_of(candidate)} (Nadeau and Bengio 2003), taken for "
        f"those of {record.settings.search.cv}-fold cross-validation"
    )
    return Interval(*_within(record, interval(scores, train, rows, level)), level, method)


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


def _agree(scores: Sequence[float]) -> bool:
    return float(np.ptp(scores)) <= TINY


def _splits_of(candidate: Candidate) -> str:
    by_split = scores_by_split(candidate)
    seeds = len(next(iter(by_split.values())))
    each = f", each the mean of {seeds} seeds" if seeds > 1 else ""
    return f"{len(by_split)} splits{each}"


def _on_rows(candidate: Candidate, rows: int) -> str:
    seeds = len(candidate.trial.splits)
    each = f", mean of {seeds} seeds; it covers the rows alone" if seeds > 1 else ""
    return f"Clopper and Pearson (1934) on {rows:,} held-out rows{each}"


def _within(record: StudyRecord, ends: tuple[float, float]) -> tuple[float, float]:
    """Clip what lives between 0 and 1 to that."""
    if not in_unit_interval(record):
        return ends
    return max(ends[0], 0.0), min(ends[1], 1.0)
