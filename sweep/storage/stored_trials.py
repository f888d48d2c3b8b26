"""Read the trials of a study for its record: few columns, results as the text that is stored.

Optuna's objects hold much that a record does not: distributions, reported values, system
attributes. Of a study of 100,000 trials they would take most of the time and memory.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from optuna.distributions import json_to_distribution
from optuna.storages._rdb.models import TrialValueModel
from optuna.trial import TrialState

from sweep.storage.attributes import RESULT, SUMMARY
from sweep.storage.json_text import loads
from sweep.storage.stored_trial import StoredTrial
from sweep.storage.trial_reader import IN_A_QUERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from optuna.storages import RDBStorage
    from sqlalchemy.engine import Connection

TRIALS = """
    SELECT t.trial_id, t.number, CAST(t.state AS VARCHAR), t.datetime_start, t.datetime_complete
    FROM trials t WHERE {which} ORDER BY t.trial_id
"""
OF_TRIALS = """
    SELECT r.trial_id, {columns} FROM {table} r JOIN trials t ON t.trial_id = r.trial_id
    WHERE {which} {more}
"""
LIMITS = "AND SUBSTR(r.key, 1, 11) = 'constraints'"
"""The system attributes that say by how much a trial exceeds each limit."""


def read_stored(
    storage: RDBStorage, study_id: int, only: Iterable[int] | None = None
) -> list[StoredTrial]:
    """Return trials of a study by number, all from one snapshot of the database.

    Parameters
    ----------
    storage : RDBStorage
        The ledger's storage.
    study_id : int
        Optuna's identifier of the study.
    only : iterable of int, optional
        Only trials with these identifiers.

    Raises
    ------
    ValueError, LookupError, TypeError, AssertionError, AttributeError
        If a row is damaged.
    """
    wanted = None if only is None else set(only)
    which = f"t.study_id = {int(study_id)}"
    if wanted is not None and len(wanted) <= IN_A_QUERY:
        which += f" AND t.trial_id IN ({', '.join(str(int(each)) for each in wanted) or 'NULL'})"
    engine = storage.engine
    if engine.name == "postgresql":  # SQLite's transactions always see one snapshot
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        rows = _Rows(connection, which)
    found = rows.trials()
    return found if wanted is None else [each for each in found if each.trial_id in wanted]


class _Rows:
    """The rows of some trials, table by table."""

    def __init__(self, connection: Connection, which: str) -> None:
        self._connection, self._which = connection, which
        self._trials = self._all(TRIALS.format(which=which))
        self._params = self._of_trials(
            "trial_params", "param_name, param_value, distribution_json", "ORDER BY r.param_id"
        )
        self._values = self._of_trials(
            "trial_values", "objective, value, CAST(value_type AS VARCHAR)", "ORDER BY objective"
        )
        left_out = f"AND r.key <> '{SUMMARY}'"
        self._user = self._of_trials("trial_user_attributes", "key, value_json", left_out)
        self._limits = self._of_trials("trial_system_attributes", "key, value_json", LIMITS)

    def _of_trials(self, table: str, columns: str, more: str) -> list[Any]:
        query = OF_TRIALS.format(table=table, columns=columns, which=self._which, more=more)
        return self._all(query)

    def _all(self, query: str) -> list[Any]:
        return list(self._connection.exec_driver_sql(query).all())

    def trials(self) -> list[StoredTrial]:
        found = {
            trial_id: StoredTrial(number, trial_id, TrialState[state], _utc(began), _utc(ended))
            for trial_id, number, state, began, ended in self._trials
        }
        for trial_id, name, raw, kind in self._params:
            found[trial_id].params[name] = _reader(kind)(raw)
        for trial_id, place, value, kind in self._values:
            _add_value(found[trial_id], place, value, kind)
        for trial_id, key, text in self._user:
            if key == RESULT:
                found[trial_id].result = text
            else:
                found[trial_id].user_attrs[key] = loads(text)
        for trial_id, key, text in self._limits:
            found[trial_id].system_attrs[key] = loads(text)
        return list(found.values())


@lru_cache(maxsize=1000)
def _reader(kind: str) -> Callable[[float], Any]:
    """Return how values of a distribution are read."""
    return json_to_distribution(kind).to_external_repr


def _add_value(trial: StoredTrial, place: int, raw: float | None, kind: str) -> None:
    value = TrialValueModel.stored_repr_to_value(raw, getattr(TrialValueModel.TrialValueType, kind))
    if trial.values is None:
        trial.values = []
    if place != len(trial.values):
        raise LookupError(place)
    trial.values.append(value)


def _utc(moment: Any) -> datetime | None:
    """Return a time of Optuna's tables, which hold naive UTC."""
    if moment is None:
        return None
    read = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    found: datetime = read.replace(tzinfo=UTC)
    return found
