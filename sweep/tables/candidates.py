"""One row per candidate, with scikit-learn's column names."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sweep.ledger.scores import fit_scores_by, several_scorers
from sweep.tables.labels import PREFIX, parameter_names

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from sweep.ledger.fit_columns import FitColumns
    from sweep.ledger.records import Candidate, StudyRecord


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
    rows, scorers = record.candidates, several_scorers(record)
    fits = max((_fits(row.fits) for row in rows), key=len, default=[])
    trained = any(row.fits.trained for row in rows)
    complete = [place for place, row in enumerate(rows) if row.trial.state == "COMPLETE"]
    names = parameter_names(record)
    columns = _plain_columns(rows, names)
    for kind in ["test", "train"] if trained else ["test"]:
        for place, name in enumerate(("score", *scorers)):
            scorer = name if place > 1 else None
            found = [fit_scores_by(rows[i], kind, scorer) for i in complete]
            columns |= _score_columns(rows, complete, found, f"{kind}_{name}")
    columns |= _time_columns(rows, complete)
    order = _candidate_columns(names, fits, scorers, trained=trained)
    order += ["rows_run"] if record.in_rows else []
    if any(row.trial.copied_from is not None for row in rows):
        order.append("copied_from")
    if record.imported is not None:
        columns["std_fit_time"] = np.full(len(rows), np.nan)  # other tools say the mean alone
    # As objects, because pandas makes a whole number beside a None a float.
    return _typed(pd.DataFrame(columns, columns=order, dtype=object))


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
    texts = {name: [repr(value) for value in frame[name]] for name in [*params, "state"]}
    return frame[~pd.DataFrame(texts, index=frame.index).duplicated()]


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


def _plain_columns(rows: Sequence[Candidate], names: Iterable[str]) -> dict[str, Any]:
    """Return what each row has, whatever its state."""
    ran = [_epochs_run(row) for row in rows]
    return {
        "candidate": _objects([row.index for row in rows]),
        **{PREFIX + name: _objects([row.params.get(name) for row in rows]) for name in names},
        "parameters": _objects([row.trial.parameters for row in rows]),
        "state": _objects([row.trial.state for row in rows]),
        "reason": _objects([row.trial.reason for row in rows]),
        "epochs_run": _objects(ran),
        "rows_run": _objects([r.trial.rows_at(at) for r, at in zip(rows, ran, strict=True)]),
        "copied_from": _objects([row.trial.copied_from for row in rows]),
    }


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    """Return values as they are: of lists alone numpy would make an array of numbers."""
    found = np.empty(len(values), dtype=object)
    for place, each in enumerate(values):
        found[place] = each
    return found


def _epochs_run(row: Candidate) -> float:
    """Return after how many epochs a row's trial was last scored, its own epoch at most."""
    if any(score is not None for score in row.fits.scores):
        return row.epoch
    ran = max((max(s.test, default=0) for s in row.trial.splits), default=0)
    return min(ran, row.epoch)


def _fits(columns: FitColumns) -> list[str]:
    """Return the names of a trial's fits in column names."""
    if any(columns.seeds):
        pairs = zip(columns.splits, columns.seeds, strict=True)
        return [f"split{split}_seed{seed}" for split, seed in pairs]
    return [f"split{i}" for i in range(len(columns.splits))]


def _score_columns(
    rows: Sequence[Candidate],
    complete: Sequence[int],
    found: Sequence[Sequence[float | None]],
    name: str,
) -> dict[str, NDArray[np.float64]]:
    """Return the scores of the complete rows by fit, their means and deviations."""
    columns: dict[str, NDArray[np.float64]] = {}
    for place, scores in zip(complete, found, strict=True):
        for fit, score in zip(_fits(rows[place].fits), scores, strict=True):
            if score is not None:
                column = columns.get(f"{fit}_{name}")
                if column is None:
                    column = columns[f"{fit}_{name}"] = np.full(len(rows), np.nan)
                column[place] = score
    means = np.full((2, len(rows)), np.nan)
    means[:, complete] = row_means(found)
    return {**columns, f"mean_{name}": means[0], f"std_{name}": means[1]}


def _time_columns(
    rows: Sequence[Candidate], complete: Sequence[int]
) -> dict[str, NDArray[np.float64]]:
    fitting, scoring = np.full((2, 2, len(rows)), np.nan)
    fitting[:, complete] = row_means([rows[i].fits.seconds for i in complete])
    scoring[:, complete] = row_means([rows[i].fits.score_seconds for i in complete])
    names = ("mean_fit_time", "std_fit_time", "mean_score_time")
    return dict(zip(names, (*fitting, scoring[0]), strict=True))


def row_means(rows: Sequence[Sequence[float | None]]) -> NDArray[np.float64]:
    """Return the mean of each row's known values, and their population standard deviation.

    They are, to the last bit, what ``numpy.mean`` and ``numpy.std`` say of each row alone; rows of
    one length are taken together.

    Returns
    -------
    ndarray of shape (2, rows)
        NaN for a row without values.
    """
    known = [row if None not in row else [v for v in row if v is not None] for row in rows]
    found, by_length = np.full((2, len(rows)), np.nan), defaultdict[int, list[int]](list)
    for place, row in enumerate(known):
        by_length[len(row)].append(place)
    for length, places in by_length.items():
        if length:
            values = np.array([known[place] for place in places], dtype=float)
            found[0, places], found[1, places] = values.mean(axis=1), values.std(axis=1)
    return found


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
