"""Writes that happen whole or not at all: one transaction of the database each.

Optuna's own calls are a transaction for each attribute. A process that is killed between two of
them leaves a half-taken or half-recorded trial; here that cannot be.
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

AT_ONCE = 1000
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
                {"study_id": study_id, "number": held + i, "state": TrialState.WAITING}
                for i in range(len(some))
            ]
            session.execute(insert(models.TrialModel), rows)
            numbered = session.query(models.TrialModel.number, models.TrialModel.trial_id).filter(
                models.TrialModel.study_id == study_id, models.TrialModel.number >= held
            )
            ids = {int(number): int(trial_id) for number, trial_id in numbered}
            belongings = [_belongings(ids[held + i], trial) for i, trial in enumerate(some)]
            for kind in _KINDS:
                if of_kind := [row for found in belongings for row in found[kind]]:
                    session.execute(insert(kind), of_kind)


_KINDS = (
    models.TrialParamModel, models.TrialUserAttributeModel, models.TrialSystemAttributeModel
)  # fmt: skip


def _belongings(trial_id: int, trial: FrozenTrial) -> dict[Any, list[dict[str, Any]]]:
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
            for key, value in held.items()
        ]
        for held in (trial.user_attrs, trial.system_attrs)
    ]
    return dict(zip(_KINDS, (params, *attributes), strict=True))


def take(
    storage: RDBStorage, trial_ids: Sequence[int], attributes: Mapping[str, Any]
) -> tuple[dict[str, Any] | None, set[int]]:
    """Turn the first of some waiting trials into a running one, with its first sign of life.

    Parameters
    ----------
    storage : RDBStorage
        Where they are.
    trial_ids : sequence of int
        Candidates, by turn; some may not wait any more, or be gone with their study.
    attributes : mapping of str to JSON-able value
        For the user attributes of the one that is taken.

    Returns
    -------
    dict of str to value, or None
        The parameters that Optuna holds of the trial; None where none waits.
    set of int
        Those that waited; the first of them by turn is the one taken.
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
            if trial is not None and trial.state == TrialState.WAITING:
                _begin(storage, session, trial, attributes)
                return _params(trial), waiting
            waiting.discard(first)
    return None, waiting


def delete_idle(storage: RDBStorage, study_ids: Sequence[int]) -> bool:
    """Delete studies with all that is theirs; none, and False, where a trial of theirs runs."""
    model = models.TrialModel
    with _create_scoped_session(storage.scoped_session) as session:
        trials = session.query(model.trial_id).filter(model.study_id.in_(study_ids))
        trials.filter(model.state == TrialState.WAITING).with_for_update().all()
        # Now nobody takes one of them: who is at a trial has taken it before.
        if trials.filter(model.state == TrialState.RUNNING).first() is not None:
            return False
        studies = session.query(models.StudyModel)
        for study in studies.filter(models.StudyModel.study_id.in_(study_ids)):
            session.delete(study)
    return True


def _begin(
    storage: RDBStorage, session: Any, trial: models.TrialModel, attributes: Mapping[str, Any]
) -> None:
    trial.state = TrialState.RUNNING
    trial.datetime_start = datetime.now()  # noqa: DTZ005 - Optuna stores it as UTC
    _write(storage, session, trial.trial_id, attributes)
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
    attributes: Mapping[str, Any],
    values: Sequence[float] = (),
    steps: Mapping[int, float] | None = None,
    seconds: float | None = None,
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
    seconds : float or None
        How long it took, where that is known: the machine's clock may have been set meanwhile.

    Returns
    -------
    bool
        False if it had ended before otherwise, or is gone: nothing is written then.
    """
    with _create_scoped_session(storage.scoped_session) as session:
        trial = _locked(session, trial_id)
        if trial is None or trial.state.is_finished():
            return trial is not None and _is_ours(session, trial_id, attributes.get(DIGEST))
        _write(storage, session, trial_id, attributes)
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
    """Return whether a trial ended with just this result, whose acknowledgement was lost."""
    held = session.query(models.TrialUserAttributeModel.value_json).filter_by(
        trial_id=trial_id, key=DIGEST
    )
    return digest is not None and held.scalar() == json.dumps(digest)


def _locked(session: Any, trial_id: int, *, skip: bool = False) -> Any:
    """Return a trial that nobody else writes until the transaction ends; None where it is gone.

    With ``skip`` also None where somebody else holds it.
    """
    query = session.query(models.TrialModel).filter_by(trial_id=trial_id)
    return query.populate_existing().with_for_update(skip_locked=skip).one_or_none()


def _write(storage: RDBStorage, session: Any, trial_id: Any, attributes: Mapping[str, Any]) -> None:
    for key, value in attributes.items():
        storage._set_trial_attr_without_commit(
            session, models.TrialUserAttributeModel, trial_id, key, value
        )
