"""What can still be read of a damaged ledger, row by row, where reading it together fails."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import CELL, DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

UNREADABLE = (ValueError, LookupError, TypeError, AssertionError, AttributeError, OverflowError)
"""What rows raise that are not what was written."""

NO_DIGEST = "unreadable"
"""Stands for the digest of a trial that could not be read."""


def readable_studies(storage: RDBStorage) -> dict[str, dict[str, Any]]:
    """Return the names of the studies with their attributes; empty ones where these are lost."""
    found: dict[str, dict[str, Any]] = {}
    for study_id, name in _rows(storage, "SELECT study_id, study_name FROM studies ORDER BY 1"):
        found[str(name)] = {}
        with suppress(*_any()):
            found[str(name)] = storage.get_study_user_attrs(study_id)
    return found


def readable_trials(storage: RDBStorage, study_id: int) -> list[FrozenTrial]:
    """Return the trials of a study; one that cannot be read as a failed one, not whole."""
    return [_trial(storage, trial_id, number) for trial_id, number in _numbers(storage, study_id)]


def _numbers(storage: RDBStorage, study_id: int) -> list[tuple[int, int]]:
    query = f"SELECT trial_id, number FROM trials WHERE study_id = {int(study_id)} ORDER BY 1"  # noqa: S608
    return [(int(row[0]), int(row[1])) for row in _rows(storage, query)]


def _trial(storage: RDBStorage, trial_id: int, number: int) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    with suppress(*_any()):
        return storage.get_trial(trial_id)
    trial = create_trial(state=TrialState.FAIL, user_attrs={**_cell(storage, trial_id)})
    trial.user_attrs[DIGEST] = NO_DIGEST
    trial.number, trial._trial_id = number, trial_id
    return trial


def _cell(storage: RDBStorage, trial_id: int) -> dict[str, Any]:
    """Return a trial's cell as its one attribute, if that can be read."""
    query = (
        "SELECT value_json FROM trial_user_attributes "  # noqa: S608 - a number and our own key
        f"WHERE trial_id = {int(trial_id)} AND key = '{CELL}'"
    )
    with suppress(*_any()):
        for row in _rows(storage, query):
            cell = json.loads(row[0])
            return {CELL: {name: cell[name] for name in ("key", "params", "epochs")}}
    return {}


def _rows(storage: RDBStorage, query: str) -> Iterator[Any]:
    """Yield the rows of a query until the database cannot go on."""
    from sqlalchemy import text

    with suppress(*_any()), storage.engine.connect() as connection:
        yield from connection.execute(text(query))


def _any() -> tuple[type[Exception], ...]:
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    return (*UNREADABLE, StorageInternalError, SQLAlchemyError)
