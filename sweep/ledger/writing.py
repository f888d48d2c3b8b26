"""Writes that happen whole or not at all: one transaction of the database each.

Optuna's own calls are a transaction for each attribute. A process that is killed between two of
them leaves a half-taken or half-recorded trial; here that cannot be.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import TrialState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

AT_ONCE = 500
"""Trials enqueued in one transaction: others wait for it."""


def new_study(
    storage: RDBStorage, name: str, directions: Sequence[Any], attributes: Mapping[str, Any]
) -> bool:
    """Make a study with its attributes; False if there is one of that name."""
    from sqlalchemy.exc import IntegrityError

    try:
        with _create_scoped_session(storage.scoped_session) as session:
            aims = [
                models.StudyDirectionModel(objective=i, direction=d)
                for i, d in enumerate(directions)
            ]
            study = models.StudyModel(study_name=name, directions=aims)
            session.add(study)
            session.flush()
            session.add_all(
                models.StudyUserAttributeModel(
                    study_id=study.study_id, key=key, value_json=json.dumps(value)
                )
                for key, value in attributes.items()
            )
    except IntegrityError:
        return False
    return True


def add_waiting(storage: RDBStorage, study_id: int, trials: Sequence[FrozenTrial]) -> None:
    """Enqueue trials, some hundred in a transaction, numbered behind those there are."""
    for first in range(0, len(trials), AT_ONCE):
        with _create_scoped_session(storage.scoped_session) as session:
            models.StudyModel.find_or_raise_by_id(study_id, session, for_update=True)
            held = session.query(models.TrialModel).filter_by(study_id=study_id).count()
            some = trials[first : first + AT_ONCE]
            rows = [
                models.TrialModel(study_id=study_id, number=held + i, state=TrialState.WAITING)
                for i in range(len(some))
            ]
            for row in rows:  # one by one: their identifiers are to follow their numbers
                session.add(row)
                session.flush()
            for row, trial in zip(rows, some, strict=True):
                session.add_all(_belongings(row.trial_id, trial))


def _belongings(trial_id: Any, trial: FrozenTrial) -> list[Any]:
    """Return the rows of a trial's parameters and attributes."""
    params = [
        models.TrialParamModel(
            trial_id=trial_id,
            param_name=name,
            param_value=trial.distributions[name].to_internal_repr(value),
            distribution_json=distribution_to_json(trial.distributions[name]),
        )
        for name, value in trial.params.items()
    ]
    kinds = (
        (models.TrialUserAttributeModel, trial.user_attrs),
        (models.TrialSystemAttributeModel, trial.system_attrs),
    )
    attributes = [
        kind(trial_id=trial_id, key=key, value_json=json.dumps(value))
        for kind, held in kinds
        for key, value in held.items()
    ]
    return [*params, *attributes]


def take(storage: RDBStorage, trial_id: int, attributes: Mapping[str, Any]) -> bool:
    """Turn a waiting trial into a running one, with its first sign of life.

    Returns
    -------
    bool
        False if it does not wait any more, or is gone with its study.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        trial = _locked(session, trial_id)
        if trial is None or trial.state != TrialState.WAITING:
            return False
        trial.state = TrialState.RUNNING
        trial.datetime_start = datetime.now()  # noqa: DTZ005 - Optuna stores it as UTC
        _write(storage, session, trial_id, attributes)
        session.add(models.TrialHeartbeatModel(trial_id=trial_id))
    return True


def end(
    storage: RDBStorage,
    trial_id: int,
    state: TrialState,
    attributes: Mapping[str, Any],
    values: Sequence[float] = (),
    steps: Mapping[int, float] | None = None,
) -> bool:
    """End a trial with all that it has found.

    Parameters
    ----------
    storage : RDBStorage
        Where it is.
    trial_id : int
        Optuna's identifier.
    state : TrialState
        How it ends.
    attributes : mapping of str to JSON-able value
        For its user attributes.
    values : sequence of float
        One for each objective.
    steps : mapping of int to float
        Reported values.

    Returns
    -------
    bool
        False if it had ended before, or is gone: nothing is written then.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        trial = _locked(session, trial_id)
        if trial is None or trial.state.is_finished():
            return False
        _write(storage, session, trial_id, attributes)
        for step, value in (steps or {}).items():
            storage._set_trial_intermediate_value_without_commit(session, trial_id, step, value)
        for objective, value in enumerate(values):
            storage._set_trial_value_without_commit(session, trial, objective, value)
        trial.state = state
        trial.datetime_complete = datetime.now()  # noqa: DTZ005 - Optuna stores it as UTC
    return True


def _locked(session: Any, trial_id: int) -> Any:
    try:
        return models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
    except KeyError:
        return None


def _write(storage: RDBStorage, session: Any, trial_id: int, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        storage._set_trial_attr_without_commit(
            session, models.TrialUserAttributeModel, trial_id, key, value
        )
