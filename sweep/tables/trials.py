"""All trials of a study, in every state: by trial, by split, by epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.limits import within_seconds
from sweep.ledger.records import Candidate
from sweep.ledger.scores import fit_score, last_score, several_scorers
from sweep.tables.candidates import candidates_frame, epoch_numbers
from sweep.tables.folds import FOLD_COLUMNS, ROW_COLUMNS, trial_rows
from sweep.tables.labels import PREFIX, parameter_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sweep.ledger.records import SplitResult, StudyRecord, TrialRecord

LEADING = ("trial", "candidate", "state", "reason", "epoch", "rank_test_score")
TIMES = ("worker", "started", "finished", "seconds", "fit_seconds")
BEYOND = "it ended beyond the end of the search, and does not count"
LEFT_OUT = ("mean_score_time",)


def trials_frame(record: StudyRecord) -> pd.DataFrame:
    """Return every trial at each of its asked epochs, whatever became of it.

    Parameters
    ----------
    record : StudyRecord
        The study, read whole.

    Returns
    -------
    DataFrame
        Columns ``trial``; ``candidate`` (its row in the table of candidates, missing for a trial
        that is no row: one that waits, runs, was interrupted, or was taken up by a later one);
        ``state``, ``reason``, ``epoch``; scores, times and weights as in
        :func:`sweep.tables.candidates_frame`; ``last_score`` (mean of the splits measured, after
        the last epoch that all of them reached: how far a pruned trial came); ``worker``,
        ``started``, ``finished`` (UTC), ``seconds`` between these, ``fit_seconds`` of all its
        fits; ``param_<name>``. Rank and place belong to candidates alone.
    """
    rows = list(_every(record))
    counted = {(row.trial.number, row.epoch): row.index for row in record.candidates}
    places = [counted.get((row.trial.number, row.epoch)) for row in rows]
    frame = candidates_frame(replace(record, candidates=tuple(rows), counted=None))
    ranks = candidates_frame(record).set_index("candidate")
    for name in [name for name in frame.columns if name.startswith("rank_test_")]:
        held = ranks[name].to_dict()
        frame[name] = pd.array([held.get(place, pd.NA) for place in places], dtype="Int64")
    frame["candidate"] = pd.array(places, dtype="Int64")
    frame["trial"] = [row.trial.number for row in rows]
    frame["epoch"] = [row.epoch for row in rows]
    reached = [last_score(row) for row in rows]
    frame["last_score"] = pd.array([each and each[1] for each in reached], dtype="float64")
    for name, values in _times([row.trial for row in rows]).items():
        frame[name] = values
    params = [name for name in frame.columns if name.startswith(PREFIX)]
    known = {*LEADING, *TIMES, *LEFT_OUT, *params}
    between = [name for name in frame.columns if name not in known]
    return frame[[*LEADING, *between, *TIMES, *params]]


def splits_frame(record: StudyRecord) -> pd.DataFrame:
    """Return every split of every trial, at each of its asked epochs that was measured.

    Parameters
    ----------
    record : StudyRecord
        The study, read whole.

    Returns
    -------
    DataFrame
        Columns ``trial``, ``candidate``, ``state``, ``split``, ``seed`` (its number, from 0),
        ``epoch`` (for a trial that was pruned before the first asked one, its last),
        ``test_score``, ``train_score``, ``test_loss``, the same of further scorers,
        ``test_rows``, ``fit_seconds`` to that epoch, ``score_seconds``, ``inference_ms``,
        ``rows`` where trials pause after training rows, ``param_<name>``.
    """
    scorers, names = several_scorers(record), parameter_names(record)
    counted = {(row.trial.number, row.epoch): row.index for row in record.candidates}
    rows = [
        {
            "trial": row.trial.number,
            "candidate": counted.get((row.trial.number, row.epoch)),
            "state": row.trial.state,
            **_measured(row.trial, split, min(row.epoch, max(split.test, default=0)), scorers),
            **_params(row.params, names),
        }
        for row in _every(record)
        for split in row.trial.splits
    ]
    measures = [*_measures(scorers), *ROW_COLUMNS[record.in_rows]]
    return _framed(rows, ["trial", "candidate", "state", *measures], names)


def epochs_frame(record: StudyRecord) -> pd.DataFrame:
    """Return every measured epoch of every split of every trial, candidates or not.

    Parameters
    ----------
    record : StudyRecord
        The study, read whole.

    Returns
    -------
    DataFrame
        The columns of :func:`sweep.tables.folds_frame`, and ``param_<name>``; ``candidate`` is
        missing for trials that are no row of the table of candidates.
    """
    scorers, names = several_scorers(record), parameter_names(record)
    first: dict[int, int] = {}
    for row in record.candidates:
        first.setdefault(row.trial.number, row.index)
    rows = [
        {"candidate": first.get(trial.number), **measured, **_params(trial.params, names)}
        for trial in _trials(record)
        for measured in trial_rows(trial, scorers)
    ]
    more = [f"{kind}_{name}" for name in scorers for kind in ("test", "train")]
    return _framed(rows, [*FOLD_COLUMNS, *ROW_COLUMNS[record.in_rows], *more], names)


def _trials(record: StudyRecord) -> list[TrialRecord]:
    beyond = (replace(trial, reason=trial.reason or BEYOND) for trial in record.beyond)
    return sorted([*record.trials, *beyond], key=lambda trial: trial.number)


def _every(record: StudyRecord) -> Iterator[Candidate]:
    """Yield each trial at each asked epoch: as the candidate that it is, or as one of its own."""
    known: dict[int, list[Candidate]] = {}
    for row in record.candidates:
        known.setdefault(row.trial.number, []).append(row)
    settings = record.settings
    budget = settings.budget if settings.searched_epochs else ""
    limit = settings.search.max_fit_seconds
    for trial in _trials(record):
        held = known.get(trial.number, [])
        yield from held
        for epoch in set(trial.epochs or (0,)) - {row.epoch for row in held}:
            own = {budget: epoch} if budget and epoch else {}
            yield Candidate(-1, within_seconds(trial, limit, epoch), epoch, {**own, **trial.params})


def _times(trials: Sequence[TrialRecord]) -> dict[str, Any]:
    spans = [
        (t.finished - t.started).total_seconds() if t.started and t.finished else np.nan
        for t in trials
    ]
    return {
        "worker": [trial.worker for trial in trials],
        "started": _moments([trial.started for trial in trials]),
        "finished": _moments([trial.finished for trial in trials]),
        "seconds": spans,
        "fit_seconds": [
            trial.fit_seconds if any(s.seconds for s in trial.splits) else np.nan
            for trial in trials
        ],
    }


def _moments(values: Sequence[datetime | None]) -> Any:
    return pd.array(list(values), dtype="datetime64[us, UTC]")


def _measures(scorers: Sequence[str]) -> list[str]:
    others = [f"{kind}_{name}" for name in scorers[1:] for kind in ("test", "train")]
    scores = ["test_score", "train_score", "test_loss", *others]
    return ["split", "seed", "epoch", *scores, "test_rows", "fit_seconds", "score_seconds",
            "inference_ms"]  # fmt: skip


def _measured(
    trial: TrialRecord, split: SplitResult, epoch: float, scorers: Sequence[str]
) -> dict[str, Any]:
    others = {
        f"{kind}_{name}": fit_score(split, kind, name, epoch)
        for name in scorers[1:]
        for kind in ("test", "train")
    }
    return {
        "split": split.split,
        "seed": split.seed,
        "epoch": epoch,
        "test_score": split.test.get(epoch),
        "train_score": split.train.get(epoch),
        "test_loss": split.losses.get(epoch),
        **others,
        "test_rows": split.n_test,
        "fit_seconds": split.seconds.get(epoch),
        "score_seconds": split.score_seconds,
        "inference_ms": split.inference_ms,
        "rows": trial.rows_at(epoch),
    }


def _params(params: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {PREFIX + name: params.get(name) for name in names}


def _framed(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Return rows as a frame: whole numbers with gaps, measurements as float, parameters as is."""
    params = [PREFIX + name for name in names]
    frame = pd.DataFrame(rows, columns=[*columns, *params], dtype=object)
    for name in columns:
        if name == "epoch":
            frame[name] = epoch_numbers(frame[name])
        elif name in {"trial", "candidate", "split", "seed", "rows", "test_rows"}:
            frame[name] = frame[name].astype("Int64")
        elif name != "state":
            frame[name] = frame[name].astype(float)
    return frame
