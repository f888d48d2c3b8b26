"""Convert frames to plain rows, for programs, spreadsheets and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from sweep.tables.candidates import candidates_frame
from sweep.tables.labels import PREFIX

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord

LEADING = ("rank", "trial", "state", "mean_test_score", "std_test_score")
TRAILING = ("parameters", "epochs_run", "rows_run", "copied_from", "reason")
LEFT_OUT = ("candidate", "std_fit_time", "mean_score_time")
"""Columns that the leaderboard leaves out: a study of which only the top candidates were read
cannot number them."""


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dicts, with None for missing values."""
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]


def leaderboard_rows(record: StudyRecord) -> list[dict[str, Any]]:
    """Return every finished candidate, best first, then those without a score.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    list of dict
        ``rank``, ``trial``, ``state``, scores with one column for each split, the mean time of a
        fit, ``parameters`` (weights), ``epochs_run``, ``copied_from`` (the trial with the same
        parameters whose result a row shows), ``reason``, and ``param_<name>``; otherwise as in
        :func:`sweep.tables.candidates_frame`.
    """
    frame = candidates_frame(record).rename(columns={"rank_test_score": "rank"})
    frame["trial"] = [candidate.trial.number for candidate in record.candidates]
    copied = [candidate.trial.copied_from for candidate in record.candidates]
    frame["copied_from"] = pd.array(copied, dtype="Int64")
    params = [name for name in frame.columns if name.startswith(PREFIX)]
    known = {*LEADING, *TRAILING, *LEFT_OUT, *params}
    between = [name for name in frame.columns if name not in known]
    ordered = frame.sort_values(["rank", "parameters", "candidate"], na_position="last")
    trailing = [name for name in TRAILING if name in frame.columns]
    return plain_rows(ordered[[*LEADING, *between, *trailing, *params]])
