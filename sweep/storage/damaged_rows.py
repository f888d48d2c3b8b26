"""Read a damaged ledger row by row, where reading all rows at once fails."""

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
"""Errors that damaged rows raise when they are decoded."""

NO_DIGEST = "unreadable"
"""The digest of a trial that could not be read."""


def readable_studies(storage: RDBStorage) -> dict[str, dict[str, Any]]:
    """Return each study's attributes by its name; empty where they cannot be read."""
    found: dict[str, dict[str, Any]] = {}
    for study_id, name in _rows(storage, "SELECT study_id, study_name FROM studies ORDER BY 1"):
        found[str(name)] = {}
        with suppress(*_read_errors()):
            found[str(name)] = storage.get_study_user_attrs(study_id)
    return found


def readable_trials(storage: RDBStorage, study_id: int) -> list[FrozenTrial]:
    """Return the trials of a study; an unreadable one as failed, with :data:`NO_DIGEST`."""
    return [_trial(storage, trial_id, number) for trial_id, number in _numbers(storage, study_id)]


def _numbers(storage: RDBStorage, study_id: int) -> list[tuple[int, int]]:
    query = f"SELECT trial_id, number FROM trials WHERE study_id = {int(study_id)} ORDER BY 1"  # noqa: S608
    return [(int(row[0]), int(row[1])) for row in _rows(storage, query)]


def _trial(storage: RDBStorage, trial_id: int, number: int) -> FrozenTrial:
    from optuna.trial import TrialState, create_trial

    with suppress(*_read_errors()):
        return storage.get_trial(trial_id)
    trial = create_trial(state=TrialState.FAIL, user_attrs={**_cell(storage, trial_id)})
    trial.user_attrs[DIGEST] = NO_DIGEST
    trial.number, trial._trial_id = number, trial_id
    return trial


def _cell(storage: RDBStorage, trial_id: int) -> dict[str, Any]:
    """Return the attributes of an unreadable trial: its cell alone, if that can be read."""
    query = (
        "SELECT value_json FROM trial_user_attributes "  # noqa: S608 - a number and our own key
        f"WHERE trial_id = {int(trial_id)} AND key = '{CELL}'"
    )
    with suppress(*_read_errors()):
        for row in _rows(storage, query):
            cell = json.loads(row[0])
            return {CELL: {name: cell[name] for name in ("key", "params", "epochs")}}
    return {}


def _rows(storage: RDBStorage, query: str) -> Iterator[Any]:
    """Yield the rows of a query; end at the first one that the database cannot read."""
    from sqlalchemy import text

    with suppress(*_read_errors()), storage.engine.connect() as connection:
        yield from connection.execute(text(query))


def _read_errors() -> tuple[type[Exception], ...]:
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    return (*UNREADABLE, StorageInternalError, SQLAlchemyError)
