"""Write a study that has ended elsewhere, with all its trials, in one transaction."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from optuna.distributions import distribution_to_json
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from sqlalchemy import insert

from sweep.storage.json_text import stored_text
from sweep.storage.transactions import add_study

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial


def add_whole_study(
    storage: RDBStorage,
    name: str,
    directions: Sequence[Any],
    attributes: Mapping[str, Any],
    trials: Sequence[FrozenTrial],
) -> bool:
    """Create a study with its trials, all of it or nothing; return False if the name is taken."""
    from sqlalchemy.exc import IntegrityError

    try:
        with _create_scoped_session(storage.scoped_session) as session:
            study_id = add_study(session, name, directions, attributes)
            table = models.TrialModel.__table__
            rows = [_trial_row(study_id, number, trial) for number, trial in enumerate(trials)]
            session.execute(insert(table), rows)
            numbered = session.query(models.TrialModel.number, models.TrialModel.trial_id)
            ids = {int(n): int(i) for n, i in numbered.filter_by(study_id=study_id)}
            for model, rows_of in _DETAILS:
                details = [row for n, t in enumerate(trials) for row in rows_of(ids[n], t)]
                if details:
                    session.execute(insert(model), details)
    except IntegrityError:
        return False
    return True


def _trial_row(study_id: int, number: int, trial: FrozenTrial) -> dict[str, Any]:
    return {
        "study_id": study_id,
        "number": number,
        "state": trial.state,
        "datetime_start": _utc(trial.datetime_start),
        "datetime_complete": _utc(trial.datetime_complete),
    }


def _utc(moment: datetime | None) -> datetime | None:
    """Return a time as Optuna's tables hold it: in UTC, without a zone."""
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def _params(trial_id: int, trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    for name, value in trial.params.items():
        kind = trial.distributions[name]
        yield {
            "trial_id": trial_id,
            "param_name": name,
            "param_value": kind.to_internal_repr(value),
            "distribution_json": distribution_to_json(kind),
        }


def _attributes(trial_id: int, trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    for key, value in trial.user_attrs.items():
        yield {"trial_id": trial_id, "key": key, "value_json": stored_text(key, value)}


def _values(trial_id: int, trial: FrozenTrial) -> Iterator[dict[str, Any]]:
    for place, value in enumerate(trial.values or ()):
        stored, kind = models.TrialValueModel.value_to_stored_repr(value)
        yield {"trial_id": trial_id, "objective": place, "value": stored, "value_type": kind}


_DETAILS = (
    (models.TrialParamModel, _params),
    (models.TrialUserAttributeModel, _attributes),
    (models.TrialValueModel, _values),
)
