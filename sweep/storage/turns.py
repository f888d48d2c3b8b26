"""Turns at a study as lines of the ledger: read, taken, renewed, ended, in one transaction each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.storages import RDBStorage


def read(storage: RDBStorage, study_id: int, key: str) -> dict[str, Any] | None:
    """Return who has a turn at a study; None where nobody has."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key)
        return None if row is None else json.loads(row.value_json)


def take(
    storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any],
    over: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """Take a turn at a study; return who has it instead, None where it is ours now.

    Parameters
    ----------
    storage : RDBStorage
        Where the study is.
    study_id : int
        Optuna's identifier of it.
    key : str
        Under which turns at one part of the work are held.
    mine : mapping
        Our turn.
    over : mapping or None
        A turn to take over, if it is as it was seen: its holder has given no sign of life since.

    Raises
    ------
    KeyError
        If there is no such study.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
        row = _row(session, study_id, key, lock=True)
        held: dict[str, Any] | None = None if row is None else json.loads(row.value_json)
        if held is not None and held["turn"] != mine["turn"] and held != over:
            return held
        _hold(session, study_id, key, row, mine)
    return None


def renew(storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any], sign: int) -> None:
    """Give a sign of life of a turn, unless another has taken it over."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key, lock=True)
        if row is not None and json.loads(row.value_json)["turn"] == mine["turn"]:
            _hold(session, study_id, key, row, {**mine, "sign": sign})


def end(storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any]) -> None:
    """Give a turn back, unless another has taken it over."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key, lock=True)
        if row is not None and json.loads(row.value_json)["turn"] == mine["turn"]:
            session.delete(row)


def _row(session: Any, study_id: int, key: str, *, lock: bool = False) -> Any:
    query = session.query(models.StudyUserAttributeModel).filter_by(study_id=study_id, key=key)
    query = query.populate_existing()
    return (query.with_for_update() if lock else query).one_or_none()


def _hold(session: Any, study_id: int, key: str, row: Any, held: Mapping[str, Any]) -> None:
    if row is None:
        row = models.StudyUserAttributeModel(study_id=study_id, key=key)
        session.add(row)
    row.value_json = json.dumps(held)
