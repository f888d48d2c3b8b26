"""One row per candidate, with scikit-learn's column names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.scores import fit_score, several_scorers
from sweep.tables.labels import PREFIX, parameter_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.ledger.records import Candidate, SplitResult, StudyRecord


def candidates_frame(record: StudyRecord) -> pd.DataFrame:
    """Return one row per candidate, as in ``GridSearchCV.cv_results_``.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``candidate``; ``param_<name>`` (None where it does not apply);
        ``mean_test_score``, ``std_test_score`` (population standard deviation over splits, as
        scikit-learn's), ``rank_test_score`` (1 is best, ties share the smaller),
        ``split<i>_test_score``, or ``split<i>_seed<j>_test_score`` where each split is fitted
        under several seeds (mean and deviation are then over all these); the same without rank
        for ``train`` where training scores exist; in a study with several scorers all of these
        again for each of them, the scorer's name in place of ``score`` (``mean_test_f1_macro``),
        as scikit-learn has them, NaN and without rank where a score could not be computed;
        ``mean_fit_time``, ``std_fit_time`` (seconds
        of fitting up to the candidate's epoch), ``mean_score_time`` (seconds); ``parameters``
        (weights), ``state``, ``reason``, ``epochs_run`` (below 1 for a trial that paused within the
        first), ``rows_run`` where trials pause after training rows. Pruned and failed rows have no
        scores, times or rank. ``copied_from``, where there are any, is the trial with the same
        parameters whose result a row shows (None for one that was trained).
    """
    fits = max((_fits(c.trial.splits) for c in record.candidates), key=len, default=[])
    trained = any(split.train for c in record.candidates for split in c.trial.splits)
    names = parameter_names(record)
    scorers = several_scorers(record)
    rows = [_candidate_row(c, names, scorers, trained=trained) for c in record.candidates]
    columns = _candidate_columns(names, fits, scorers, trained=trained)
    columns += ["rows_run"] if record.in_rows else []
    if any(c.trial.copied_from is not None for c in record.candidates):
        columns.append("copied_from")
    if record.imported is not None:
        for row in rows:
            row.pop("std_fit_time", None)  # other tools say the mean alone
    # As objects, because pandas makes a whole number beside a None a float.
    return _typed(pd.DataFrame(rows, columns=columns, dtype=object))


def distinct(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows without repetitions: rows with the parameters and state of an earlier one.

    A sampler may suggest the same parameters again; the result is then copied, or measured again by
    a worker that did not see the first one yet. Either way it is one measurement.

    Parameters
    ----------
    frame : DataFrame
        From :func:`candidates_frame`.
    """
    params = [name for name in frame.columns if name.startswith(PREFIX)]
    return frame[~frame[[*params, "state"]].map(repr).duplicated()]


def _candidate_columns(
    names: Iterable[str], fits: Sequence[str], scorers: Sequence[str], *, trained: bool
) -> list[str]:
    scores = []
    for name in ("score", *scorers):
        scores += [f"mean_test_{name}", f"std_test_{name}", f"rank_test_{name}"]
        scores += [f"{fit}_test_{name}" for fit in fits]
        if trained:
            scores += [f"mean_train_{name}", f"std_train_{name}"]
            scores += [f"{fit}_train_{name}" for fit in fits]
    times = ["mean_fit_time", "std_fit_time", "mean_score_time"]
    tail = ["parameters", "state", "reason", "epochs_run"]
    return ["candidate", *(PREFIX + name for name in names), *scores, *times, *tail]


def _candidate_row(
    candidate: Candidate, names: Iterable[str], scorers: Sequence[str], *, trained: bool
) -> dict[str, Any]:
    trial = candidate.trial
    row: dict[str, Any] = {"candidate": candidate.index}
    row.update({PREFIX + name: candidate.params.get(name) for name in names})
    row |= {"parameters": trial.parameters, "state": trial.state, "reason": trial.reason}
    ran = max((max(s.test, default=0) for s in trial.splits), default=0)
    row["epochs_run"] = min(ran, candidate.epoch)
    row["rows_run"] = trial.rows_at(row["epochs_run"])
    row["copied_from"] = trial.copied_from
    if trial.state != "COMPLETE":
        return row
    fits = _fits(trial.splits)
    for kind in ["test", "train"] if trained else ["test"]:
        for place, name in enumerate(("score", *scorers)):
            scorer = name if place > 1 else None
            scores = [fit_score(s, kind, scorer, candidate.epoch) for s in trial.splits]
            row |= _scores(dict(zip(fits, scores, strict=True)), f"{kind}_{name}")
    return row | _times(candidate.epoch, trial.splits)


def _fits(splits: Sequence[SplitResult]) -> list[str]:
    """Return the names of a trial's fits in column names."""
    if any(split.seed for split in splits):
        return [f"split{each.split}_seed{each.seed}" for each in splits]
    return [f"split{i}" for i in range(len(splits))]


def _scores(scores: Mapping[str, float | None], name: str) -> dict[str, float | None]:
    known = [score for score in scores.values() if score is not None]
    row = {f"{fit}_{name}": score for fit, score in scores.items()}
    if known:
        row[f"mean_{name}"] = float(np.mean(known))
        row[f"std_{name}"] = float(np.std(known))
    return row


def _times(epoch: int, splits: Sequence[SplitResult]) -> dict[str, float]:
    fit = [s.seconds[epoch] for s in splits if epoch in s.seconds]
    row = {"mean_score_time": float(np.mean([s.score_seconds for s in splits]))} if splits else {}
    if fit:
        row |= {"mean_fit_time": float(np.mean(fit)), "std_fit_time": float(np.std(fit))}
    return row


def epoch_numbers(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return numbers of epochs as Int64; as float where one is a share of an epoch."""
    known = values.dropna().astype(float)
    return values.astype("Int64" if (known % 1 == 0).all() else float)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Return whole numbers as Int64 with gaps, scores as float, the rest as Python objects."""
    ranks = [name for name in frame.columns if name.startswith("rank_test_")]
    for name in ranks:
        means = frame[f"mean_{name.removeprefix('rank_')}"].astype(float)
        frame[name] = means.rank(method="min", ascending=False)
    for name in frame.columns:
        if name.startswith(PREFIX) or name in {"state", "reason", "copied_from"}:
            objects = frame[name].astype(object)
            frame[name] = objects.where(objects.notna(), None)
        elif name in {"candidate", *ranks, "parameters", "rows_run"}:
            frame[name] = frame[name].astype("Int64")
        elif name == "epochs_run":
            frame[name] = epoch_numbers(frame[name])
        else:
            frame[name] = frame[name].astype(float)
    return frame
