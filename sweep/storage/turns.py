"""Read, take, renew and end a turn, the lock of :mod:`sweep.storage.locks`: a transaction each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.storages import RDBStorage


def read(storage: RDBStorage, study_id: int, key: str) -> dict[str, Any] | None:
    """Return the current turn, with its holder; None where the lock is free."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key)
        return None if row is None else json.loads(row.value_json)


def take(
    storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any],
    expired: Mapping[str, Any] | None = None,
) -> dict[str, Any] | None:  # fmt: skip
    """Take a turn, if it is free; return the turn of another process that holds it, else None.

    Parameters
    ----------
    storage : RDBStorage
        The ledger's storage.
    study_id : int
        Optuna's identifier of the study.
    key : str
        The study attribute that stores the turn.
    mine : mapping
        Our turn.
    expired : mapping or None
        A turn to take over if it is unchanged: its holder has sent no sign of life since.

    Raises
    ------
    KeyError
        If there is no such study.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        # locks the study's row: there is no row of the turn to lock while it is free
        models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
        row = _row(session, study_id, key, lock=True)
        current: dict[str, Any] | None = None if row is None else json.loads(row.value_json)
        if current is not None and current["turn"] != mine["turn"] and current != expired:
            return current
        _write(session, study_id, key, row, mine)
    return None


def renew(storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any], sign: int) -> None:
    """Write a new sign of life, unless another process has taken the turn over."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key, lock=True)
        if row is not None and json.loads(row.value_json)["turn"] == mine["turn"]:
            _write(session, study_id, key, row, {**mine, "sign": sign})


def end(storage: RDBStorage, study_id: int, key: str, mine: Mapping[str, Any]) -> None:
    """Delete our turn, unless another process has taken it over."""
    with _create_scoped_session(storage.scoped_session) as session:
        row = _row(session, study_id, key, lock=True)
        if row is not None and json.loads(row.value_json)["turn"] == mine["turn"]:
            session.delete(row)


def _row(session: Any, study_id: int, key: str, *, lock: bool = False) -> Any:
    query = session.query(models.StudyUserAttributeModel).filter_by(study_id=study_id, key=key)
    query = query.populate_existing()
    return (query.with_for_update() if lock else query).one_or_none()


def _write(session: Any, study_id: int, key: str, row: Any, turn: Mapping[str, Any]) -> None:
    if row is None:
        row = models.StudyUserAttributeModel(study_id=study_id, key=key)
        session.add(row)
    row.value_json = json.dumps(turn)
