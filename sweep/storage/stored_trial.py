"""A trial as the tables hold it, for a study's record; it is made without Optuna."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import RESULT
from sweep.storage.json_text import loads

if TYPE_CHECKING:
    from datetime import datetime

    from optuna.trial import FrozenTrial, TrialState


@dataclass(slots=True)
class StoredTrial:
    """A trial as the tables hold it.

    Attributes
    ----------
    number, trial_id : int
        Optuna's identifiers.
    state : TrialState
        Its state.
    datetime_start, datetime_complete : datetime or None
        In UTC.
    values : list of float or None
        One for each objective.
    params : dict of str to value
        As Optuna has them.
    user_attrs : dict of str to value
        Its attributes, all but its result and its summary.
    result : str or None
        The text of its result: what its fits have measured.
    system_attrs : dict of str to value
        By how much it exceeds each limit, as Optuna has it.
    """

    number: int
    trial_id: int
    state: TrialState
    datetime_start: datetime | None
    datetime_complete: datetime | None
    values: list[float] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    user_attrs: dict[str, Any] = field(default_factory=dict)
    result: str | None = None
    system_attrs: dict[str, Any] = field(default_factory=dict)

    @property
    def constraints(self) -> dict[str, float]:
        """By how much it exceeds each limit."""
        from optuna.study import _constrained_optimization as optuna

        return optuna._get_constraints_from_system_attrs(self.system_attrs)


def result_of(trial: StoredTrial | FrozenTrial) -> dict[str, Any]:
    """Return what a trial's fits have measured, as it is stored; empty where there is nothing.

    Raises
    ------
    ValueError
        If its text is damaged.
    """
    found: dict[str, Any]
    if isinstance(trial, StoredTrial) and trial.result is not None:
        found = loads(trial.result)
    else:
        found = trial.user_attrs.get(RESULT, {})
    return found
