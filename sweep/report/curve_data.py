"""Which trials a report's curves are of: of many the best, some of the others, the first listed.

A fold is a trial, split and epoch: 100,000 trials may have millions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.analysis import distinct
from sweep.report.blocks import ROWS
from sweep.tables import folds_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from sweep.ledger.records import Candidate, StudyRecord

TOP = 5
OTHERS = 300
"""Curves of other trials that are drawn."""
FEW = 2000
"""Of at most so many trials all folds are in memory."""


def curve_folds(record: StudyRecord) -> tuple[pd.DataFrame, tuple[int, ...]]:
    """Return the folds that a report shows, and the numbers of all measured trials.

    Returns
    -------
    DataFrame
        As :func:`sweep.tables.folds_frame`; of a large study only those of the best trials, of the
        others that are drawn, and of the first, which a table lists.
    tuple of int
        Ascending.
    """
    measured = tuple(sorted({c.trial.number for c in record.candidates if c.trial.splits}))
    if len(measured) <= FEW:
        folds = folds_frame(record)
        return folds, tuple(sorted(set(folds["trial"])))
    best = [candidate.trial.number for candidate in record.ranked[:1]]
    top = [candidate.trial.number for candidate in top_candidates(record)]
    shown = {*best, *top, *other_trials(measured, top), *measured[:ROWS]}
    few = tuple(c for c in record.candidates if c.trial.number in shown)
    return folds_frame(replace(record, candidates=few)), measured


def top_candidates(record: StudyRecord) -> list[Candidate]:
    """Return the best candidates of different trials; copies of one result count once."""
    first: dict[int, Candidate] = {}
    for candidate in distinct(record.ranked):
        source = candidate.trial.copied_from
        first.setdefault(candidate.trial.number if source is None else source, candidate)
    return list(first.values())[:TOP]


def other_trials(measured: Sequence[int], top: Sequence[int]) -> list[int]:
    """Return at most ``OTHERS`` of the other trials, evenly spread."""
    others = sorted(set(measured) - set(top))
    if len(others) <= OTHERS:
        return others
    return [others[i * len(others) // OTHERS] for i in range(OTHERS)]
