"""What a nested cross-validation says about the chosen score: how much the choice flattered it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.analysis import no_interval, resampled

if TYPE_CHECKING:
    from sweep.analysis import Interval
    from sweep.ledger.outcomes import NestedRecord
    from sweep.ledger.records import StudyRecord


LOST = "an older version wrote them, and the trials of an outer fold no longer tell"
"""Why there is no inner score."""


def nested_score(nested: NestedRecord) -> float:
    """Return the mean score of the outer folds: an unbiased estimate of search and refit."""
    return float(np.mean(_scores(nested)))


def other_scores(nested: NestedRecord) -> dict[str, float | None]:
    """Return the mean scores of the outer folds by each further scorer; None where one lacks it."""
    found: dict[str, float | None] = {}
    for name in nested.folds[0].other_scores if nested.folds else ():
        scores = [fold.other_scores.get(name) for fold in nested.folds]
        known = [score for score in scores if score is not None]
        found[name] = float(np.mean(known)) if len(known) == len(scores) else None
    return found


def inner_score(nested: NestedRecord) -> float | None:
    """Return the mean score that the choices were made by: flattered by the choice.

    None where that of an outer fold is not known.
    """
    scores = [fold.inner_score for fold in nested.folds if fold.inner_score is not None]
    return float(np.mean(scores)) if len(scores) == len(nested.folds) else None


def nested_interval(record: StudyRecord, level: float = 0.95) -> Interval | None:
    """Return the interval of the nested estimate.

    Parameters
    ----------
    record : StudyRecord
        The study.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    Interval or None
        :func:`sweep.analysis.resampled` over the outer folds, which share training rows; None
        without a nested cross-validation, and where :func:`no_nested_interval` says why.
    """
    nested = record.nested
    if nested is None:
        return None
    held_out = [fold.test_rows for fold in nested.folds]
    train = float(np.mean([fold.train_rows for fold in nested.folds]))
    over = f"{len(nested.folds)} outer folds"
    return resampled(record, _scores(nested), (held_out, train), over, level)


def no_nested_interval(record: StudyRecord) -> str:
    """Return why there is no interval; empty without a nested cross-validation."""
    return no_interval(record, _scores(record.nested)) if record.nested else ""


def _scores(nested: NestedRecord) -> list[float]:
    return [fold.score for fold in nested.folds]


def is_current(record: StudyRecord) -> bool:
    """Return whether the nested estimate is of the search as the study file has it now."""
    asked, nested = record.settings.search.nested, record.nested
    if nested is None:
        return asked is None
    return nested.planned == record.planned and asked in (None, len(nested.folds))


def plain_nested(record: StudyRecord) -> dict[str, Any] | None:
    """Return the nested estimate as JSON-able values, None where there is none.

    Returns
    -------
    dict or None
        ``score``, ``interval`` (``low``, ``high``, ``level``, ``method``; or None),
        ``inner_score`` (None where it is not known), ``folds`` (a list: ``score``,
        ``inner_score``, ``params``, ``train_rows``, ``test_rows``, ``candidate``, and
        ``other_scores`` in a study with several scorers), ``current`` (False where the study has
        grown since), with several scorers ``other_scores`` (means over the outer folds).
    """
    from dataclasses import asdict

    from sweep.ledger.codec import fold_to_plain

    nested, found = record.nested, nested_interval(record)
    if nested is None:
        return None
    return {
        "score": nested_score(nested),
        "interval": asdict(found) if found else None,
        "inner_score": inner_score(nested),
        "folds": [fold_to_plain(fold) for fold in nested.folds],
        "current": is_current(record),
        **({"other_scores": others} if (others := other_scores(nested)) else {}),
    }
