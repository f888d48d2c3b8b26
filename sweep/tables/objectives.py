"""Candidates by their objectives, the Pareto set, and the importances of the parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sweep.analysis import distinct
from sweep.ledger.objectives import objective_values, undominated
from sweep.spec.scorers import column_of
from sweep.tables.labels import PREFIX, parameter_names

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord


def objectives_frame(record: StudyRecord) -> pd.DataFrame:
    """Return the complete candidates with their values of the study's objectives.

    Parameters
    ----------
    record : StudyRecord
        The study; one that optimizes the score only is shown by score and parameters.

    Returns
    -------
    DataFrame
        Columns ``candidate``; ``param_<name>``; ``mean_test_score``; of ``parameters``,
        ``fit_seconds`` (of one split, mean over splits) and ``inference_ms`` (milliseconds of
        predicting 1,000 rows, mean over splits) those that are objectives, and of an imported
        study the scores that are; ``pareto`` (True where
        no other candidate is as good in every objective and better in one). Highest score first.
    """
    names, own = parameter_names(record), record.settings.search.objectives
    objectives = own if len(own) > 1 else ("score", "parameters")
    rows, values = [], []
    for c in distinct(c for c in record.candidates if c.trial.state == "COMPLETE"):
        scores = [s.test.get(c.epoch, np.nan) for s in c.trial.splits]
        score = float(np.mean(scores)) if scores else np.nan
        found = objective_values(objectives, score, c.trial.splits, c.epoch, c.trial.parameters)
        if np.isfinite(found).all():
            rows.append([c.index, *(c.params.get(name) for name in names), *found])
            values.append(found)
    further = [column_of(name) for name in objectives[1:]]
    columns = ["candidate", *(PREFIX + n for n in names), "mean_test_score", *further]
    frame = pd.DataFrame(rows, columns=columns, dtype=object)
    frame = frame.astype(dict.fromkeys(["mean_test_score", *further], float))
    whole = [name for name in ("candidate", "parameters") if name in frame]
    frame = frame.astype(dict.fromkeys(whole, "Int64"))
    frame["pareto"] = np.asarray(undominated(values, objectives), dtype=bool)
    return frame.sort_values("mean_test_score", ascending=False, kind="stable", ignore_index=True)


def pareto(record: StudyRecord) -> pd.DataFrame:
    """Return the Pareto set: the rows of :func:`objectives_frame` that no other dominates.

    Returns
    -------
    DataFrame
        The columns of :func:`objectives_frame` without ``pareto``.
    """
    frame = objectives_frame(record)
    return frame[frame["pareto"]].drop(columns="pareto").reset_index(drop=True)


def importances_frame(record: StudyRecord) -> pd.DataFrame:
    """Return the importances of the parameters, as computed when the study ended.

    Parameters
    ----------
    record : StudyRecord
        The study; its importances are read, not computed.

    Returns
    -------
    DataFrame
        Columns ``parameter``; ``importance`` (share of 1); ``evaluator`` (``fANOVA`` or
        ``PED-ANOVA``); ``n`` (complete candidates used); rows by importance, largest first; empty
        where the ledger has none.
    """
    found = record.importances
    values = dict(found.values) if found else {}
    order = sorted(values, key=lambda name: (-values[name], name))
    rows = [(name, values[name], found.evaluator, found.n) for name in order if found]
    return pd.DataFrame(rows, columns=["parameter", "importance", "evaluator", "n"])
