"""Two studies side by side: the paired difference of what they have chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.analysis.binomial import are_independent, gap_ends, rows_behind
from sweep.analysis.choice import chosen
from sweep.analysis.intervals import TINY, interval, rows_by_split, split_sizes
from sweep.analysis.scorers import identity
from sweep.ledger.scores import split_scores

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


@dataclass(frozen=True)
class Pair:
    """One study against another.

    Attributes
    ----------
    name, against : str
        The studies.
    difference : float or None
        Mean held-out score of what the first has chosen less that of the second, over the same
        splits; None where they cannot be compared.
    low, high : float or None
        Ends of the corrected resampled t interval (Nadeau and Bengio 2003) of the paired
        differences, where the scores are shares of right rows no narrower than these rows allow
        (:func:`sweep.analysis.binomial.gap_ends`); None with one split, or where all splits differ
        by the same and no rows tell more.
    reason : str
        Why there is no difference, or no interval.
    """

    name: str
    against: str
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""


def paired(one: StudyRecord, other: StudyRecord, level: float = 0.95) -> Pair:
    """Compare what two studies have chosen, split by split.

    Parameters
    ----------
    one, other : StudyRecord
        The studies.
    level : float, default 0.95
        Confidence.

    Returns
    -------
    Pair
        Without a difference, and with the reason, where data, scorer or splits differ.
    """
    names = (one.name, other.name)
    if refusal := _refusal(one, other):
        return Pair(*names, reason=refusal)
    first, second = chosen(one), chosen(other)
    if first is None or second is None:
        return Pair(*names, reason="nothing is complete yet")
    a, b = split_scores(first), split_scores(second)
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    difference = float(np.mean(gaps))
    if len(gaps) < 2:
        return Pair(*names, difference, reason="one split: no interval")
    if (sizes := split_sizes(one, first)) is None:
        return Pair(*names, difference, reason="the rows of a split are not known: no interval")
    held_out, train = sizes
    behind = rows_behind(one, rows_by_split(first))
    if np.ptp(gaps) <= TINY and (behind is None or not are_independent(one)):
        return Pair(*names, difference, reason="all splits differ by the same: no interval")
    ends = [interval(gaps, train, held_out, level)]
    if behind is not None:
        ends.append(gap_ends(difference, behind, level))
    lows, highs = zip(*ends, strict=True)
    return Pair(*names, difference, min(lows), max(highs))


def _refusal(one: StudyRecord, other: StudyRecord) -> str:
    if not one.data.fingerprint or not other.data.fingerprint:
        return "the data of an imported study are not known"
    if one.data.fingerprint != other.data.fingerprint:
        return "other data"
    if identity(one) != identity(other):
        return f"other scorers: {identity(one)} and {identity(other)}"
    mine, theirs = _splits(one), _splits(other)
    if mine != theirs:
        unlike = [name for name in mine if mine[name] != theirs[name]]
        return f"other splits ({', '.join(unlike)})"
    return ""


def _splits(record: StudyRecord) -> dict[str, Any]:
    """Return what decides the splits of a study's rows."""
    settings = record.settings
    search = settings.search
    drawn = search.validation is not None or search.repeats > 1
    return {
        "cv": search.cv,
        "validation": search.validation,
        "repeats": search.repeats,
        "groups": settings.data.groups,
        "seed": settings.study.seed if drawn else None,
    }
