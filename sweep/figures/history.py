"""Scores in the order of the trials, and the best so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.figures.canvas import ACCENT, GHOST, MUTED, paper, whole_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sweep.ledger.records import StudyRecord, TrialRecord

ENDED = ("COMPLETE", "PRUNED", "FAIL")


def history_frame(record: StudyRecord) -> pd.DataFrame:
    """One row per ended trial, in the order in which they ended.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``order`` (from 1), ``trial``, ``state``, ``score`` (mean over splits: at the
        best of the asked epochs, or the last epoch of a pruned trial), ``best`` (highest
        score of a complete trial so far).
    """
    trials = sorted((t for t in record.trials if t.state in ENDED), key=_ended)
    rows = [
        {"order": order, "trial": t.number, "state": t.state, "score": trial_score(t)}
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
    pruned, complete = (frame[frame["state"] == state] for state in ("PRUNED", "COMPLETE"))
    axes.plot(frame["order"], frame["best"], drawstyle="steps-post", color=ACCENT, linewidth=1.8)
    axes.plot(pruned["order"], pruned["score"], "x", color=GHOST, markersize=5, markeredgewidth=1.2)
    axes.plot(complete["order"], complete["score"], "o", color=MUTED, markersize=4, mew=0)
    axes.set_xlim(0.5, max(len(frame), 1) + 0.5)
    whole_ticks(axes)
    return figure


def trial_score(trial: TrialRecord) -> float:
    """Return the one score by which a trial stands in the history; NaN for a failed one."""
    if trial.state == "FAIL" or not trial.splits:
        return np.nan
    last = min(max(s.test, default=0) for s in trial.splits)
    asked = trial.epochs if trial.state == "COMPLETE" else (last,)
    means = [_mean(trial, epoch) for epoch in asked]
    return max((m for m in means if not np.isnan(m)), default=np.nan)


def _mean(trial: TrialRecord, epoch: int) -> float:
    return float(np.mean([s.test.get(epoch, np.nan) for s in trial.splits]))


def _ended(trial: TrialRecord) -> tuple[float, int]:
    return (trial.finished.timestamp() if trial.finished else np.inf, trial.number)
