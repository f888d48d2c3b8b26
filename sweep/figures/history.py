"""Scores in the order of the trials, and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.figures.canvas import ACCENT, GHOST, MUTED, paper, whole_ticks
from sweep.figures.sampling import MARKS as MOST
from sweep.figures.sampling import sampled
from sweep.ledger.counts import ENDED
from sweep.ledger.fit_columns import columns_at
from sweep.ledger.limits import within_seconds
from sweep.ledger.records import mean_of
from sweep.ledger.scores import mean_split_score, shared_epochs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from sweep.ledger.records import StudyRecord, TrialRecord

MARKS: Mapping[str, Mapping[str, Any]] = {
    "PRUNED": {"marker": "x", "color": GHOST, "markersize": 5, "mew": 1.2},
    "INFEASIBLE": {"marker": "o", "color": MUTED, "markersize": 4.5, "mew": 1, "mfc": "none"},
    "COMPLETE": {"marker": "o", "color": MUTED, "markersize": 4, "mew": 0},
}
"""How the trials that have a score are drawn, by their state."""


def history_frame(record: StudyRecord) -> pd.DataFrame:
    """Return one row per finished trial, in the order in which they ended.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``order`` (from 1), ``trial``, ``state``, ``score`` (mean over splits, see
        :func:`trial_score`), ``best`` (highest score of a complete trial so far).
    """
    limit = record.settings.search.max_fit_seconds
    trials = sorted((t for t in record.trials if t.state in ENDED), key=_ended)
    rows = [
        {"order": order, "trial": t.number, "state": t.state, "score": trial_score(t, limit)}
        for order, t in enumerate(trials, start=1)
    ]
    frame = pd.DataFrame(rows, columns=["order", "trial", "state", "score"])
    complete = frame["score"].astype(float).where(frame["state"] == "COMPLETE")
    return frame.assign(best=complete.cummax().ffill())


def draw_history(frame: pd.DataFrame, score: str = "score") -> Figure:
    """Draw :func:`history_frame`: trials as points, the best so far as a line.

    Parameters
    ----------
    frame : DataFrame
        From :func:`history_frame`.
    score : str
        Name of the scorer.

    Returns
    -------
    Figure
        For :func:`sweep.figures.to_svg`.
    """
    figure, axes = paper(score=f"held-out {score}", x="trials ended")
    line = _steps(frame)
    axes.plot(line["order"], line["best"], drawstyle="steps-post", color=ACCENT, linewidth=1.8)
    shown = sampled(frame)
    for state, mark in MARKS.items():
        own = shown[shown["state"] == state]
        axes.plot(own["order"], own["score"], linestyle="none", **mark)
    axes.set_xlim(0.5, max(len(frame), 1) + 0.5)
    whole_ticks(axes)
    return figure


def _steps(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that the line of the best needs: of many those at which it rises."""
    if len(frame) <= MOST:
        return frame
    ends = frame["order"].isin([frame["order"].iloc[0], frame["order"].iloc[-1]])
    return frame[frame["best"].ne(frame["best"].shift()) | ends]


def trial_score(trial: TrialRecord, limit: float | None = None) -> float:
    """Return the score of a trial in the history; NaN for a failed one.

    It is the mean over splits at the best of the planned epochs, or at the last epoch of a pruned
    trial.

    Parameters
    ----------
    trial : TrialRecord
        A finished trial.
    limit : float or None
        Most seconds of a fit: of a complete trial only the epochs within it count.
    """
    if trial.state == "FAIL" or not trial.splits:
        return np.nan
    if trial.state == "COMPLETE" and limit is None:
        known = [columns_at(trial.splits, epoch).scores for epoch in trial.epochs]
        means = [mean_of(scores) for scores in known if None not in scores]  # type: ignore[arg-type]
        return max((m for m in means if not np.isnan(m)), default=np.nan)
    shared = shared_epochs(trial.splits)
    reached: list[float] = [epoch for epoch in trial.epochs if epoch in shared]
    if trial.state == "PRUNED":
        reached = shared[-1:]
    elif trial.state == "COMPLETE":
        reached = [epoch for epoch in reached if within_seconds(trial, limit, epoch) is trial]
    means = [mean_split_score(trial.splits, epoch) for epoch in reached]
    return max((m for m in means if not np.isnan(m)), default=np.nan)


def _ended(trial: TrialRecord) -> tuple[float, int]:
    return (trial.finished.timestamp() if trial.finished else np.inf, trial.number)
