"""Choose the parameters of a study's pivots: those in its file, or those that matter most."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.tables.bins import binned, ranges
from sweep.tables.labels import PREFIX, plain_label

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord

LEADING = 3
"""Parameters that are crossed with each other if the study file names no pivots."""


def study_pivots(record: StudyRecord, frame: pd.DataFrame) -> list[list[str]]:
    """Return the study's own pivots: those of ``[report] pivots``, else :func:`default_pivots`.

    Parameters
    ----------
    record : StudyRecord
        The study.
    frame : DataFrame
        Its :func:`sweep.tables.candidates_frame`.

    Returns
    -------
    list of list of str
        Names of parameters, the columns' last; empty where nothing is complete or nothing varies.
    """
    if pivots := record.settings.report.pivots:
        return [[name.strip() for name in each.split(",")] for each in pivots]
    complete = frame[(frame["state"] == "COMPLETE") & frame["mean_test_score"].notna()]
    return default_pivots(complete, ranges(record))


def default_pivots(frame: pd.DataFrame, ranged: frozenset[str] = frozenset()) -> list[list[str]]:
    """Return up to three pairs of the parameters along which scores vary most.

    Parameters
    ----------
    frame : DataFrame
        The complete rows of :func:`sweep.tables.candidates_frame`.
    ranged : frozenset of str
        Parameters that the space defines as ranges.

    Returns
    -------
    list of list of str
        Each pair in the order of the space: rows, then columns. A single parameter if only one
        varies.
    """
    names = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    quartered, _ = binned(frame, names, ranged)
    varying = [n for n in names if len(_groups(quartered, n)) > 1]
    leading = sorted(varying, key=lambda n: -variation(quartered, n))[:LEADING]
    pairs = [sorted(pair, key=names.index) for pair in combinations(leading, 2)]
    return pairs or [[name] for name in varying]


def variation(frame: pd.DataFrame, name: str) -> float:
    """Return the share of the variance of scores that a parameter's values explain.

    Parameters
    ----------
    frame : DataFrame
        The complete rows of a table of candidates.
    name : str
        A parameter, without ``param_``.

    Returns
    -------
    float
        Epsilon squared (T. L. Kelley, PNAS 21:554-559, 1935): the share, minus what as many
        values would explain by chance; negative where they explain less than that.
    """
    scores = frame["mean_test_score"].astype(float)
    groups = _groups(frame, name)
    total, rest = (
        float(scores.var()),
        sum(float(scores[rows].var(ddof=0)) * len(rows) for rows in groups),
    )
    free = len(scores) - len(groups)
    return 1 - rest / free / total if free > 0 and total > 0 else 0.0


def _groups(frame: pd.DataFrame, name: str) -> list[pd.Index[Any]]:
    """Return the rows of each value of a parameter."""
    labels = frame[PREFIX + name].map(plain_label).astype(str)
    return [pd.Index(rows) for rows in labels.groupby(labels).groups.values()]
