"""A short summary beside each trial's result, with which the database counts a study.

A result has kilobytes; its summary is one line, written in the same transaction. Where the two
differ, or where a trial of an older version has no summary, the study is read whole instead.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import CELL, COPIED, DIGEST, REASON, SUMMARY
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.studies import Studies

FIELDS = {
    "sqlite": "json_extract({row}.value_json, '$.{name}')",
    "postgresql": "CAST(CAST({row}.value_json AS json) ->> '{name}' AS {kind})",
}
"""How a database reads a field of a summary."""

KINDS = {
    "key": "VARCHAR", "state": "VARCHAR", "value": "FLOAT", "rows": "INT", "copied": "INT",
    "digest": "VARCHAR",
}  # fmt: skip

OWN = """
    WITH own AS (
        SELECT t.study_id, t.trial_id, t.number, CAST(t.state AS VARCHAR) AS state, v.value,
            {key} AS cell_key, {state} AS noted, {value} AS noted_value, {rows} AS cell_rows,
            {copied} AS copied, {digest} AS noted_digest, d.value_json AS digest,
            {cell} AS own_key
        FROM trials t
        LEFT JOIN trial_user_attributes c ON c.trial_id = t.trial_id AND c.key = :cell
        LEFT JOIN trial_user_attributes d ON d.trial_id = t.trial_id AND d.key = :digest
        LEFT JOIN trial_user_attributes s ON s.trial_id = t.trial_id AND s.key = :summary
        LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
        {which}
    ), ended AS (
        SELECT study_id, trial_id, number, state, value, cell_rows, copied, ROW_NUMBER() OVER (
            PARTITION BY study_id, cell_key ORDER BY number DESC
        ) AS turn
        FROM own WHERE noted IS NOT NULL
    )
"""
"""``own``: trials with what their summaries note. ``ended``: the finished ones; turn 1 is the last
of its cell."""

COUNTED = """
    SELECT study_id, 'trials', state, COUNT(*), 0, 0 FROM own GROUP BY study_id, state
    UNION ALL SELECT study_id, 'cells', state, COUNT(*), SUM(cell_rows), SUM(copied * cell_rows)
        FROM ended WHERE turn = 1 GROUP BY study_id, state
    UNION ALL SELECT study_id, 'repeated', '', COUNT(*), 0, 0 FROM ended WHERE turn > 1
        GROUP BY study_id
    UNION ALL SELECT study_id, 'differs', '', COUNT(*), 0, 0 FROM own
        WHERE noted <> state OR ABS(noted_value - value) > 1e-9
            OR (noted IS NOT NULL AND ((noted_value IS NULL) <> (value IS NULL)
                OR digest IS NULL OR digest <> '"' || noted_digest || '"'
                OR own_key IS NULL OR own_key <> cell_key))
        GROUP BY study_id
    UNION ALL SELECT study_id, 'without', '', COUNT(*), 0, 0 FROM own
        WHERE noted IS NULL AND state IN ('COMPLETE', 'PRUNED', 'FAIL')
            AND EXISTS (SELECT 1 FROM trial_user_attributes a
                        WHERE a.trial_id = own.trial_id AND a.key = :cell)
            AND (state <> 'FAIL' OR EXISTS (SELECT 1 FROM trial_user_attributes a
                                            WHERE a.trial_id = own.trial_id AND a.key = :reason))
        GROUP BY study_id
"""

BEST = """
    UNION ALL SELECT study_id, 'best', '', trial_id, value, 0 FROM (
        SELECT study_id, trial_id, value, ROW_NUMBER() OVER (
            PARTITION BY study_id ORDER BY value DESC, number
        ) AS place
        FROM ended WHERE state = 'COMPLETE' AND value IS NOT NULL
    ) ranked WHERE place = 1
"""

LEADERS = """
    UNION ALL SELECT study_id, 'leader', '', trial_id, 0, 0 FROM ended
        WHERE turn = 1 AND state = 'COMPLETE' AND value >= (
            SELECT MIN(value) FROM (
                SELECT value FROM ended WHERE turn = 1 AND state = 'COMPLETE'
                ORDER BY value DESC LIMIT :count
            ) first
        ) - 1e-9
"""

REASONS = """
    SELECT why.value_json, COUNT(*) FROM ended
    JOIN trial_user_attributes why ON why.trial_id = ended.trial_id AND why.key = :reason
    WHERE ended.state = 'FAIL' AND turn = 1 GROUP BY why.value_json
"""


def summary_of(
    state: str, values: Sequence[float] | None, attributes: Mapping[str, Any], digest: str
) -> dict[str, Any]:
    """Return the summary of a trial that ends.

    Parameters
    ----------
    state : str
        The final state.
    values : sequence of float or None
        One for each objective.
    attributes : mapping of str to value
        The trial's user attributes, with its cell.
    digest : str
        The trial's digest.

    Returns
    -------
    dict
        ``key`` of the cell, ``state``, ``value`` (the first; None where there is no finite one),
        ``rows`` (how many candidates the cell has), ``copied`` (0 or 1), ``digest``.
    """
    cell = attributes[CELL]
    value = values[0] if values and isfinite(values[0]) else None
    rows = 1 if cell["params"] is None else max(1, len(cell["epochs"]))
    return {
        "key": cell["key"],
        "state": state,
        "value": value,
        "rows": rows,
        "copied": int(COPIED in attributes),
        "digest": digest,
    }


@dataclass
class Sums:
    """The database's counts of a study.

    Attributes
    ----------
    trials, cells : Counter of str
        All trials by state; finished cells by the state of their last finished trial.
    rows : Counter of str
        Rows of the table of candidates, by state.
    copied : int
        Rows whose result another trial measured.
    repeated : int
        Finished trials whose cell has a later finished trial.
    doubtful : int
        Trials that differ from their summary, or have none: read the study whole.
    best : float or None
        The highest value of a complete trial.
    best_trial : int or None
        Its identifier.
    leaders : list of int
        Identifiers of the complete trials with the highest values, ties with the last included.
    """

    trials: Counter[str] = field(default_factory=Counter)
    cells: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    copied: int = 0
    repeated: int = 0
    doubtful: int = 0
    best: float | None = None
    best_trial: int | None = None
    leaders: list[int] = field(default_factory=list)

    def add(self, kind: str, state: str, number: int, more: float, copied: int) -> None:
        """Add a row of the query's result."""
        if kind == "trials":
            self.trials[state] += number
        elif kind == "cells":
            self.cells[state] += number
            self.rows[state] += int(more)
            self.copied += copied
        elif kind == "best":
            self.best_trial, self.best = number, float(more)
        elif kind == "leader":
            self.leaders.append(number)
        elif kind == "repeated":
            self.repeated += number
        else:
            self.doubtful += number


def sums(ledger: Studies, study_id: int | None = None, *, count: int = 0) -> dict[int, Sums]:
    """Return the database's counts of each study, by Optuna's identifier.

    Parameters
    ----------
    ledger : Studies
        The ledger.
    study_id : int, optional
        Count this study only.
    count : int
        How many leaders to name.
    """
    found: dict[int, Sums] = {}
    selects = COUNTED + BEST + (LEADERS if count else "")
    for study, kind, state, number, more, copied in _query(ledger, selects, study_id, count=count):
        row = (kind, state, int(number), more or 0, int(copied or 0))
        found.setdefault(int(study), Sums()).add(*row)
    return found


def reasons(ledger: Studies, study_id: int) -> Counter[str]:
    """Return how many cells failed, by reason."""
    return Counter({json.loads(why): int(n) for why, n in _query(ledger, REASONS, study_id)})


def _query(ledger: Studies, selects: str, study_id: int | None, **values: Any) -> list[Any]:
    from sqlalchemy import text

    engine = ledger.storage.engine
    read = FIELDS.get(engine.name, FIELDS["sqlite"]).format
    fields = {name: read(row="s", name=name, kind=kind) for name, kind in KINDS.items()}
    fields["cell"] = read(row="c", name="key", kind="VARCHAR")
    which = "" if study_id is None else "WHERE t.study_id = :study"
    query = text((OWN + selects).format(**fields, which=which))
    named = {
        "summary": SUMMARY,
        "cell": CELL,
        "digest": DIGEST,
        "reason": REASON,
        "study": study_id,
        **values,
    }
    used = {name: value for name, value in named.items() if f":{name}" in query.text}

    def run() -> list[Any]:
        with engine.connect() as connection:
            return list(connection.execute(query, used))

    with ledger.translated():
        return retry(run)
