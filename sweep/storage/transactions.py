"""Atomic writes: each function is one database transaction, or one for each batch.

Optuna's own calls make one transaction for each attribute. A process that is killed between two of
them would leave a trial half claimed or half recorded.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json, json_to_distribution
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import TrialState
from sqlalchemy import insert

from sweep.storage.attributes import DIGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial
    from sqlalchemy.orm import Session

BATCH = 1000
"""Trials enqueued in one transaction: other processes wait until it is committed."""


def new_study(
    storage: RDBStorage, name: str, directions: Sequence[Any], attributes: Mapping[str, Any]
) -> bool:
    """Create a study with its attributes; return False if one of that name exists."""
    from sqlalchemy.exc import IntegrityError

    try:
        with _create_scoped_session(storage.scoped_session) as session:
            add_study(session, name, directions, attributes)
    except IntegrityError:
        return False
    return True


def add_study(
    session: Session, name: str, directions: Sequence[Any], attributes: Mapping[str, Any]
) -> int:
    """Add a study with its attributes within a transaction; return its identifier.

    Raises
    ------
    IntegrityError
        SQLAlchemy's, now or at the transaction's end: one of that name exists.
    """
    aims = [models.StudyDirectionModel(objective=i, direction=d) for i, d in enumerate(directions)]
    study = models.StudyModel(study_name=name, directions=aims)
    session.add(study)
    session.flush()
    study_id = int(study.study_id)
    session.add_all(
        models.StudyUserAttributeModel(study_id=study_id, key=key, value_json=json.dumps(value))
        for key, value in attributes.items()
    )
    return study_id


def add_waiting(storage: RDBStorage, study_id: int, trials: Sequence[FrozenTrial]) -> None:
    """Enqueue trials in batches; their numbers follow those of the study's trials."""
    for first in range(0, len(trials), BATCH):
        with _create_scoped_session(storage.scoped_session) as session:
            # locks the study's row: no other process numbers trials of it meanwhile
            models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            existing = session.query(models.TrialModel).filter_by(study_id=study_id).count()
            batch = trials[first : first + BATCH]
            rows = [
                {"study_id": study_id, "number": existing + i, "state": TrialState.WAITING}
                for i in range(len(batch))
            ]
            session.execute(insert(models.TrialModel), rows)
            numbered = session.query(models.TrialModel.number, models.TrialModel.trial_id).filter(
                models.TrialModel.study_id == study_id, models.TrialModel.number >= existing
            )
            ids = {int(number): int(trial_id) for number, trial_id in numbered}
            details = [_detail_rows(ids[existing + i], trial) for i, trial in enumerate(batch)]
            for table in _DETAIL_TABLES:
                if rows_of_table := [row for detail in details for row in detail[table]]:
                    session.execute(insert(table), rows_of_table)


_DETAIL_TABLES = (
    models.TrialParamModel, models.TrialUserAttributeModel, models.TrialSystemAttributeModel
)  # fmt: skip


def _detail_rows(trial_id: int, trial: FrozenTrial) -> dict[Any, list[dict[str, Any]]]:
    """Return the rows of a trial's parameters and attributes, by their table."""
    params = [
        {
            "trial_id": trial_id,
            "param_name": name,
            "param_value": trial.distributions[name].to_internal_repr(value),
            "distribution_json": distribution_to_json(trial.distributions[name]),
        }
        for name, value in trial.params.items()
    ]
    attributes = [
        [
            {"trial_id": trial_id, "key": key, "value_json": json.dumps(value)}
            for key, value in mapping.items()
        ]
        for mapping in (trial.user_attrs, trial.system_attrs)
    ]
    return dict(zip(_DETAIL_TABLES, (params, *attributes), strict=True))


def take(
    storage: RDBStorage, trial_ids: Sequence[int], attributes: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, set[int]]:
    """Claim the first of some waiting trials: set it running, with its first heartbeat.

    Parameters
    ----------
    storage : RDBStorage
        The ledger's storage.
    trial_ids : sequence of int
        Trials in the order of claims; some may have been claimed or deleted meanwhile.
    attributes : mapping of str to JSON-able value
        User attributes to write on the claimed trial.

    Returns
    -------
    dict of str to value, or None
        The claimed trial's parameters in Optuna's tables; None where no trial waits.
    set of int
        The trials that still waited; the first of them in ``trial_ids`` is the claimed one.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        model = models.TrialModel
        found = session.query(model.trial_id).filter(
            model.trial_id.in_(trial_ids), model.state == TrialState.WAITING
        )
        waiting = {int(row[0]) for row in found}
        while waiting:
            first = next(each for each in trial_ids if each in waiting)
            trial = _locked(session, first, skip=True)
            # read again under its lock: another process may have claimed it since the query
            if trial is not None and trial.state == TrialState.WAITING:
                _begin(session, trial, attributes)
                return _params(trial), waiting
            waiting.discard(first)
    return None, waiting


def delete_idle(storage: RDBStorage, study_ids: Sequence[int]) -> bool:
    """Delete studies and all their rows; none, and return False, while one of their trials runs."""
    model = models.TrialModel
    with _create_scoped_session(storage.scoped_session) as session:
        trials = session.query(model.trial_id).filter(model.study_id.in_(study_ids))
        trials.filter(model.state == TrialState.WAITING).with_for_update().all()
        # the waiting trials are locked now: no process can claim one after the next check
        if trials.filter(model.state == TrialState.RUNNING).first() is not None:
            return False
        studies = session.query(models.StudyModel)
        for study in studies.filter(models.StudyModel.study_id.in_(study_ids)):
            session.delete(study)
    return True


def _begin(session: Any, trial: models.TrialModel, attributes: Mapping[str, Any]) -> None:
    trial.state = TrialState.RUNNING
    trial.datetime_start = datetime.now()  # noqa: DTZ005 - Optuna stores it as UTC
    _write(session, trial.trial_id, {k: json.dumps(v) for k, v in attributes.items()})
    session.add(models.TrialHeartbeatModel(trial_id=trial.trial_id))


def _params(trial: models.TrialModel) -> dict[str, Any]:
    return {
        row.param_name: json_to_distribution(row.distribution_json).to_external_repr(
            row.param_value
        )
        for row in trial.params
    }


def end(
    storage: RDBStorage,
    trial_id: int,
    state: TrialState,
    texts: Mapping[str, str],
    values: Sequence[float] = (),
    steps: Mapping[int, float] | None = None,
    seconds: float | None = None,
) -> bool:
    """End a trial and write all its results.

    Parameters
    ----------
    storage : RDBStorage
        The ledger's storage.
    trial_id : int
        Optuna's identifier.
    state : TrialState
        The final state.
    texts : mapping of str to str
        User attributes to write, as :func:`sweep.storage.json_text.stored_text` has them.
    values : sequence of float
        One for each objective.
    steps : mapping of int to float
        Reported values.
    seconds : float or None
        How long the trial took, where that was measured; the trial's start is then set to fit,
        because the machine's clock may have been changed meanwhile.

    Returns
    -------
    bool
        False, and nothing is written, if the trial is deleted or has ended with another result.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        trial = _locked(session, trial_id)
        if trial is None or trial.state.is_finished():
            return trial is not None and _is_ours(session, trial_id, texts.get(DIGEST))
        _write(session, trial_id, texts)
        for step, value in (steps or {}).items():
            storage._set_trial_intermediate_value_without_commit(session, trial_id, step, value)
        for objective, value in enumerate(values):
            storage._set_trial_value_without_commit(session, trial, objective, value)
        trial.state = state
        now = datetime.now()  # noqa: DTZ005 - Optuna stores it as UTC
        trial.datetime_complete = now
        if seconds is not None:
            trial.datetime_start = now.astimezone() - timedelta(seconds=seconds)
    return True


def _is_ours(session: Any, trial_id: int, digest: str | None) -> bool:
    """Return whether a trial ended with this same result: an earlier try was committed."""
    recorded = session.query(models.TrialUserAttributeModel.value_json).filter_by(
        trial_id=trial_id, key=DIGEST
    )
    return digest is not None and recorded.scalar() == digest


def _locked(session: Any, trial_id: int, *, skip: bool = False) -> Any:
    """Return a trial and lock its row until the transaction ends; None where it is deleted.

    With ``skip`` also None where another process has locked it.
    """
    query = session.query(models.TrialModel).filter_by(trial_id=trial_id)
    return query.populate_existing().with_for_update(skip_locked=skip).one_or_none()


def _write(session: Any, trial_id: Any, texts: Mapping[str, str]) -> None:
    """Write attributes that the trial does not have yet."""
    rows = [{"trial_id": trial_id, "key": key, "value_json": text} for key, text in texts.items()]
    if rows:
        session.execute(insert(models.TrialUserAttributeModel), rows)
