"""One row per trial, split and epoch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.scores import fit_score, several_scorers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.ledger.records import Candidate, StudyRecord, TrialRecord

FOLD_COLUMNS = (
    "candidate",
    "trial",
    "split",
    "seed",
    "epoch",
    "test_score",
    "train_score",
    "test_loss",
    "loss",
    "accuracy",
    "seconds",
    "state",
)


ROW_COLUMNS: tuple[tuple[str, ...], tuple[str, ...]] = ((), ("rows",))
"""Further ones: where trials pause after epochs, and where they pause after training rows."""


def folds_frame(record: StudyRecord) -> pd.DataFrame:
    """Return every measured epoch of every split, with those of pruned trials.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``candidate`` (the trial's first row in the table of candidates), ``trial``,
        ``split``, ``seed`` (its number, from 0), ``epoch`` (1 = after the first; below 1, the share
        of its rows after which a trial paused),
        ``test_score``, ``train_score``, ``test_loss`` (cross-entropy of the held-out rows),
        ``loss`` and ``accuracy`` (on the training rows, during the epoch), ``seconds`` (of
        fitting, from the start), ``state``; ``rows`` where trials pause after rows (trained so far,
        those of an epoch again in each, before they are rounded up to whole batches); in a study
        with several scorers ``test_<scorer>`` and ``train_<scorer>`` of each of them. Missing
        measurements are NaN.
    """
    scorers = several_scorers(record)
    first: dict[int, Candidate] = {}
    for candidate in record.candidates:
        first.setdefault(candidate.trial.number, candidate)
    rows = [
        {"candidate": candidate.index, **row}
        for candidate in first.values()
        for row in trial_rows(candidate.trial, scorers)
    ]
    more = [f"{kind}_{name}" for name in scorers for kind in ("test", "train")]
    return pd.DataFrame(rows, columns=[*FOLD_COLUMNS, *ROW_COLUMNS[record.in_rows], *more])


def trial_rows(trial: TrialRecord, scorers: Sequence[str]) -> Iterable[dict[str, Any]]:
    """Yield the measured epochs of a trial's splits, as rows of :func:`folds_frame`."""
    for split in trial.splits:
        length = max((len(values) for values in split.history.values()), default=0)
        for epoch in sorted({*split.test, *split.train, *range(1, length + 1)}):
            yield {
                "trial": trial.number,
                "split": split.split,
                "seed": split.seed,
                "epoch": epoch,
                "test_score": split.test.get(epoch, np.nan),
                "train_score": split.train.get(epoch, np.nan),
                "test_loss": split.losses.get(epoch, np.nan),
                "loss": _at(split.history, "loss", epoch),
                "accuracy": _at(split.history, "accuracy", epoch),
                "seconds": split.seconds.get(epoch, np.nan),
                "state": trial.state,
                "rows": trial.rows_at(epoch),
                **{
                    f"{kind}_{name}": _number(
                        fit_score(split, kind, name if place else None, epoch)
                    )
                    for place, name in enumerate(scorers)
                    for kind in ("test", "train")
                },
            }


def _number(score: float | None) -> float:
    return np.nan if score is None else score


def _at(history: Mapping[str, Sequence[float]], name: str, epoch: float) -> float:
    values = history.get(name, ())
    return values[int(epoch) - 1] if 1 <= epoch <= len(values) else np.nan
