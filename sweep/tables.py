"""Tidy frames out of a study record, in scikit-learn's own column names.

::

    StudyRecord -> candidates_frame   one row per candidate (GridSearchCV's cv_results_)
                -> folds_frame        one row per trial, split and epoch
                -> importances_frame  one row per parameter
    candidates_frame -> pivot         means and counts by parameter
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.errors import ResultError
from sweep.ledger.objectives import objective_values, objectives_of, undominated

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sweep.ledger.records import Candidate, SplitResult, StudyRecord, TrialRecord

PREFIX = "param_"
NO_VALUE = "None"
FOLD_COLUMNS = (
    "candidate",
    "trial",
    "split",
    "seed",
    "epoch",
    "test_score",
    "train_score",
    "loss",
    "accuracy",
    "seconds",
    "state",
)


@dataclass(frozen=True)
class Pivot:
    """Means and counts of one or more columns by parameter values.

    Attributes
    ----------
    mean : DataFrame
        Mean by cell; the index holds the index parameters, the columns the value names and,
        below them, the column parameters where there are any. NaN where no candidate fell.
    n : DataFrame
        Candidates in each cell, in the rows of ``mean``: one column ``n``, or one for each
        value of the column parameters.
    values : tuple of str
        The averaged columns of the table of candidates.
    """

    mean: pd.DataFrame
    n: pd.DataFrame
    values: tuple[str, ...]


def parameter_names(record: StudyRecord) -> list[str]:
    """Return the searched parameters: in the order of ``[space]``, then any others met."""
    names = dict.fromkeys(record.spec.get("space", {}))
    for candidate in record.candidates:
        names.update(dict.fromkeys(candidate.params))
    return list(names)


def candidates_frame(record: StudyRecord) -> pd.DataFrame:
    """One row per candidate, as in ``GridSearchCV.cv_results_``.

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
        for ``train`` where training scores exist; ``mean_fit_time``, ``std_fit_time`` (seconds
        of fitting up to the candidate's epoch), ``mean_score_time`` (seconds); ``parameters``
        (weights), ``state``, ``reason``, ``epochs_run``. Pruned and failed rows have no scores,
        times or rank. ``copied_from``, where there are any, is the trial with the same
        parameters whose result a row shows (None for one that was trained).
    """
    fits = max((_fits(c.trial.splits) for c in record.candidates), key=len, default=[])
    trained = any(split.train for c in record.candidates for split in c.trial.splits)
    names = parameter_names(record)
    rows = [_candidate_row(c, names, trained=trained) for c in record.candidates]
    columns = _candidate_columns(names, fits, trained=trained)
    if any(c.trial.copied_from is not None for c in record.candidates):
        columns.append("copied_from")
    # As objects, for a whole number beside a None would become a float.
    return _typed(pd.DataFrame(rows, columns=columns, dtype=object))


def importances_frame(record: StudyRecord) -> pd.DataFrame:
    """How much each parameter mattered, as computed when the study ended.

    Parameters
    ----------
    record : StudyRecord
        The study; nothing is computed here.

    Returns
    -------
    DataFrame
        Columns ``parameter``; ``importance`` (share of 1); ``evaluator`` (``fANOVA`` or
        ``PED-ANOVA``); ``n`` (complete candidates that entered); rows by importance, largest
        first; empty where the ledger holds none.
    """
    held = record.importances
    values = dict(held.values) if held else {}
    order = sorted(values, key=lambda name: (-values[name], name))
    rows = [(name, values[name], held.evaluator, held.n) for name in order if held]
    return pd.DataFrame(rows, columns=["parameter", "importance", "evaluator", "n"])


def objectives_frame(record: StudyRecord) -> pd.DataFrame:
    """Every complete candidate by the objectives of its study.

    Parameters
    ----------
    record : StudyRecord
        The study; one with the score alone is shown by score and parameters.

    Returns
    -------
    DataFrame
        Columns ``candidate``; ``param_<name>``; ``mean_test_score``; of ``parameters``,
        ``fit_seconds`` (of one split, mean over splits) and ``inference_ms`` (milliseconds of
        predicting 1,000 rows, mean over splits) those that are objectives; ``pareto`` (True where
        no other candidate is as good in every objective and better in one). Highest score first.
    """
    names, asked = parameter_names(record), objectives_of(record.spec)
    objectives = asked if len(asked) > 1 else ("score", "parameters")
    rows, values = [], []
    for c in record.candidates:
        scores = [s.test.get(c.epoch, np.nan) for s in c.trial.splits]
        score = float(np.mean(scores)) if c.trial.state == "COMPLETE" and scores else np.nan
        found = objective_values(objectives, score, c.trial.splits, c.epoch, c.trial.parameters)
        if np.isfinite(found).all():
            rows.append([c.index, *(c.params.get(name) for name in names), *found])
            values.append(found)
    columns = ["candidate", *(PREFIX + n for n in names), "mean_test_score", *objectives[1:]]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame = frame.astype(dict.fromkeys(["mean_test_score", *objectives[1:]], float))
    whole = [name for name in ("candidate", "parameters") if name in frame]
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    frame["pareto"] = np.asarray(undominated(values, objectives), dtype=bool)
    return frame.sort_values("mean_test_score", ascending=False, kind="stable", ignore_index=True)


def pareto(record: StudyRecord) -> pd.DataFrame:
    """Return the Pareto set: the rows of :func:`objectives_frame` that no other one beats.

    Returns
    -------
    DataFrame
        The columns of :func:`objectives_frame` without ``pareto``.
    """
    frame = objectives_frame(record)
    return frame[frame["pareto"]].drop(columns="pareto").reset_index(drop=True)


def folds_frame(record: StudyRecord) -> pd.DataFrame:
    """Every measured epoch of every split, pruned trials included.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    DataFrame
        Columns ``candidate`` (the trial's first row in the table of candidates), ``trial``,
        ``split``, ``seed`` (its number, from 0), ``epoch`` (1 = after the first),
        ``test_score``, ``train_score``, ``loss`` and ``accuracy`` (on the training rows, during the
        epoch), ``seconds`` (of fitting, from the start), ``state``. What was not measured is NaN.
    """
    first: dict[int, Candidate] = {}
    for candidate in record.candidates:
        first.setdefault(candidate.trial.number, candidate)
    rows = [
        {"candidate": candidate.index, **row}
        for candidate in first.values()
        for row in _trial_rows(candidate.trial)
    ]
    return pd.DataFrame(rows, columns=list(FOLD_COLUMNS))


def pivot(
    frame: pd.DataFrame,
    index: str | Sequence[str],
    columns: str | Sequence[str] | None = None,
    values: str | Sequence[str] = "mean_test_score",
) -> Pivot:
    """Average scores by parameter values; only complete candidates enter.

    Parameters
    ----------
    frame : DataFrame
        From :func:`candidates_frame`.
    index, columns : str or list of str
        Parameters, with or without ``param_``; ``columns`` may be left out.
    values : str or list of str
        Numeric columns of ``frame`` to average.

    Returns
    -------
    Pivot
        A parameter that does not apply stands as the string ``"None"``, sorted last; numbers
        keep numeric order, categories theirs.

    Raises
    ------
    ResultError
        If a name is unknown, or none is given; the message lists the allowed ones.
    """
    rows, across = _parameters(frame, index), _parameters(frame, columns)
    wanted = _values(frame, values)
    if not rows or not wanted:
        raise ResultError("pivot: index and values need at least one name each, got none")
    if twice := sorted({name for name in (*rows, *across) if (*rows, *across).count(name) > 1}):
        names = ", ".join(name.removeprefix("param_") for name in twice)
        raise ResultError(f"pivot: each parameter may stand once, got {names} twice")
    keys = rows + across
    complete = frame[frame["state"] == "COMPLETE"]
    keyed = complete[wanted].astype(float).assign(**{k: _ordered(complete[k]) for k in keys})
    groups = keyed.groupby(keys, observed=True, sort=True)
    mean, n = groups[wanted].mean(), groups.size().to_frame("n")
    if across:
        mean, n = _spread(mean, across), _spread(n["n"], across).fillna(0).astype(int)
    return Pivot(_plain(mean), _plain(n), tuple(wanted))


def _spread(table: pd.DataFrame | pd.Series[Any], across: Sequence[str]) -> pd.DataFrame:
    """Move index levels to the columns (pivot_table would group, and drop None, once more)."""
    return pd.DataFrame(table.unstack(list(across)))  # noqa: PD010 - see above


def _candidate_columns(names: Iterable[str], fits: Sequence[str], *, trained: bool) -> list[str]:
    scores = ["mean_test_score", "std_test_score", "rank_test_score"]
    scores += [f"{fit}_test_score" for fit in fits]
    if trained:
        scores += ["mean_train_score", "std_train_score"]
        scores += [f"{fit}_train_score" for fit in fits]
    times = ["mean_fit_time", "std_fit_time", "mean_score_time"]
    tail = ["parameters", "state", "reason", "epochs_run"]
    return ["candidate", *(PREFIX + name for name in names), *scores, *times, *tail]


def _candidate_row(candidate: Candidate, names: Iterable[str], *, trained: bool) -> dict[str, Any]:
    trial = candidate.trial
    row: dict[str, Any] = {"candidate": candidate.index}
    row.update({PREFIX + name: candidate.params.get(name) for name in names})
    row |= {"parameters": trial.parameters, "state": trial.state, "reason": trial.reason}
    ran = max((max(s.test, default=0) for s in trial.splits), default=0)
    row["epochs_run"] = min(ran, candidate.epoch)
    row["copied_from"] = trial.copied_from
    if trial.state != "COMPLETE":
        return row
    kinds = ["test", "train"] if trained else ["test"]
    for kind in kinds:
        scores = [getattr(s, kind).get(candidate.epoch) for s in trial.splits]
        row |= _scores(dict(zip(_fits(trial.splits), scores, strict=True)), kind)
    return row | _times(candidate.epoch, trial.splits)


def _fits(splits: Sequence[SplitResult]) -> list[str]:
    """Return what the fits of a trial are called in column names."""
    if any(split.seed for split in splits):
        return [f"split{each.split}_seed{each.seed}" for each in splits]
    return [f"split{i}" for i in range(len(splits))]


def _scores(scores: Mapping[str, float | None], kind: str) -> dict[str, float | None]:
    known = [score for score in scores.values() if score is not None]
    row = {f"{fit}_{kind}_score": score for fit, score in scores.items()}
    if known:
        row[f"mean_{kind}_score"] = float(np.mean(known))
        row[f"std_{kind}_score"] = float(np.std(known))
    return row


def _times(epoch: int, splits: Sequence[SplitResult]) -> dict[str, float]:
    fit = [s.seconds[epoch] for s in splits if epoch in s.seconds]
    row = {"mean_score_time": float(np.mean([s.score_seconds for s in splits]))} if splits else {}
    if fit:
        row |= {"mean_fit_time": float(np.mean(fit)), "std_fit_time": float(np.std(fit))}
    return row


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as Int64 with gaps, scores as float, the rest as Python objects."""
    ranks = frame["mean_test_score"].astype(float).rank(method="min", ascending=False)
    frame["rank_test_score"] = ranks
    for name in frame.columns:
        if name.startswith(PREFIX) or name in {"state", "reason", "copied_from"}:
            held = frame[name].astype(object)
            frame[name] = held.where(held.notna(), None)
        elif name in {"candidate", "rank_test_score", "parameters", "epochs_run"}:
            frame[name] = frame[name].astype("Int64")
        else:
            frame[name] = frame[name].astype(float)
    return frame


def _trial_rows(trial: TrialRecord) -> Iterable[dict[str, Any]]:
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
                "loss": _at(split.history, "loss", epoch),
                "accuracy": _at(split.history, "accuracy", epoch),
                "seconds": split.seconds.get(epoch, np.nan),
                "state": trial.state,
            }


def _at(history: Mapping[str, Sequence[float]], name: str, epoch: int) -> float:
    values = history.get(name, ())
    return values[epoch - 1] if epoch <= len(values) else np.nan


def _names(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or [])


def _parameters(frame: pd.DataFrame, names: str | Sequence[str] | None) -> list[str]:
    allowed = [c.removeprefix(PREFIX) for c in frame.columns if c.startswith(PREFIX)]
    short = [name if name in allowed else name.removeprefix(PREFIX) for name in _names(names)]
    return [PREFIX + _known(name, allowed, "parameter") for name in short]


def _values(frame: pd.DataFrame, names: str | Sequence[str]) -> list[str]:
    plain = [c for c in frame.columns if not c.startswith(PREFIX)]
    allowed = [c for c in plain if c not in {"candidate", "state", "reason", "copied_from"}]
    return [_known(name, allowed, "column") for name in _names(names)]


def _known(name: str, allowed: Sequence[str], kind: str) -> str:
    if name in allowed:
        return name
    close = get_close_matches(name, allowed, n=1)
    hint = f", did you mean {close[0]}? There are" if close else "; there are"
    raise ResultError(f"pivot: no {kind} named {name!r}{hint}: {', '.join(allowed) or 'none'}")


def _ordered(column: pd.Series[Any]) -> pd.Categorical:
    """Values as categories in the order of a reader: numbers, then words, "None" last."""
    labels = [plain_label(value) for value in column]
    if isinstance(column.dtype, pd.CategoricalDtype):
        order = [*column.cat.categories, NO_VALUE]
    else:
        order = ordered_values(column)
    return pd.Categorical(labels, categories=list(dict.fromkeys(order)), ordered=True)


def plain_label(value: Any) -> Any:
    """Return a parameter value in a form that an index can hold: missing is ``"None"``."""
    if isinstance(value, list | tuple | dict):
        return str(value)
    return NO_VALUE if value is None or pd.isna(value) else value


def ordered_values(column: Iterable[Any]) -> list[Any]:
    """Return the different values as labels: numbers by size, then words, ``"None"`` last."""
    return sorted(dict.fromkeys(plain_label(value) for value in column), key=_place)


def _place(value: Any) -> tuple[int, float, str]:
    if value == NO_VALUE:
        return (2, 0.0, "")
    number = isinstance(value, int | float | np.number)
    return (0, float(value), "") if number else (1, 0.0, str(value))


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn categories of the axes back into plain values, parameter names without prefix."""
    return frame.set_axis(_plain_axis(frame.index), axis=0).set_axis(
        _plain_axis(frame.columns), axis=1
    )


def _plain_axis(axis: pd.Index[Any]) -> pd.Index[Any]:
    names = [None if n is None else str(n).removeprefix(PREFIX) for n in axis.names]
    if isinstance(axis, pd.MultiIndex):
        return pd.MultiIndex.from_tuples(list(axis), names=names)
    plain: pd.Index[Any] = pd.Index(list(axis), name=names[0])
    return plain
