"""The trials that samplers and pruners see, read from the ledger with few small queries.

Optuna's own cache reads every unfinished trial again at each call, which with hundreds of waiting
cells takes most of a short trial's time. Samplers and pruners use running, complete and pruned
trials. Finished ones never change, so each is read once, and without the results of its fits,
which samplers and pruners do not use.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from optuna.storages import _CachedStorage
from optuna.storages._cached_storage import _StudyInfo
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import TrialState

from sweep.storage.attributes import RUNG
from sweep.storage.trial_reader import read_trials

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from optuna.distributions import BaseDistribution
    from optuna.storages import RDBStorage
    from optuna.trial import FrozenTrial

RUNNING = TrialState.RUNNING
SEEN = (TrialState.RUNNING, TrialState.COMPLETE, TrialState.PRUNED)
"""Waiting trials have no values yet; failed and interrupted ones must not count in a decision."""


class SamplerView(_CachedStorage):
    """An Optuna storage for one worker's samplers and pruners.

    The worker's own trial is read once: nobody else writes it. Its parameters stay in memory until
    :meth:`flush_params`, its reported values until the trial's end: no pruner reads the values of
    a running trial.

    Parameters
    ----------
    backend : RDBStorage
        The ledger's storage.
    """

    def __init__(self, backend: RDBStorage) -> None:
        super().__init__(backend)
        self._params: list[tuple[int, str, float, BaseDistribution]] = []
        self._reports: dict[int, dict[int, float]] = {}
        self._suggested: dict[int, dict[str, Any]] = {}
        self._own: FrozenTrial | None = None
        self.adjust: Callable[[list[FrozenTrial]], list[FrozenTrial]] | None = None
        """Makes trials of different budgets comparable for the sampler, where a study has them."""

    def take(self, study_id: int, trial_id: int) -> None:
        """Read this worker's own trial, once."""
        self._own = self._backend.get_trial(trial_id)
        self._add_own(study_id)

    def _add_own(self, study_id: int) -> None:
        if self._own is not None:
            self._studies.setdefault(study_id, _StudyInfo())
            self._add_trials_to_cache(study_id, [self._own])

    def get_trial(self, trial_id: int) -> FrozenTrial:
        """Return a trial; this worker's own from memory."""
        if self._own is not None and self._own._trial_id == trial_id:
            return self._own
        return super().get_trial(trial_id)

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """Return the trials that run or have ended with a value, by number.

        A trial that another one continues is left out: the other has all its values and more.
        """
        found = self.seen(study_id, states, deepcopy=deepcopy)
        rungs = [t.user_attrs[RUNG] for t in found if RUNG in t.user_attrs and t.state != RUNNING]
        followed = {rung["continues"] for rung in rungs}
        shown = [trial for trial in found if trial.number not in followed]
        return self.adjust(shown) if self.adjust else shown

    def seen(
        self,
        study_id: int,
        states: Container[TrialState] | None = None,
        *,
        deepcopy: bool = False,
    ) -> list[FrozenTrial]:
        """Return all trials that run or have ended with a value, by number."""
        wanted = [state for state in SEEN if states is None or state in states]
        return super().get_all_trials(study_id, deepcopy, wanted)

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        with self._lock:
            known = self._studies.setdefault(study_id, _StudyInfo()).trials
            states = self._states(study_id)
            for number in [n for n, trial in known.items() if trial._trial_id not in states]:
                del known[number]  # it was running and has failed since
            final = {t._trial_id for t in known.values() if t.state.is_finished()}
            if self._own is not None:
                final.add(self._own._trial_id)
            if changed := set(states) - final:
                trials = read_trials(self._backend, study_id, SEEN, only=changed, results=False)
                self._add_trials_to_cache(study_id, trials)

    def _states(self, study_id: int) -> dict[int, TrialState]:
        with _create_scoped_session(self._backend.scoped_session) as session:
            trial = models.TrialModel
            rows = session.query(trial.trial_id, trial.state)
            found = rows.filter(trial.study_id == study_id, trial.state.in_(SEEN)).all()
        return {int(row[0]): row[1] for row in found}

    # -- writing -------------------------------------------------------------------------------

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of a sampler or pruner at once: other workers' decisions need it."""
        super().set_trial_system_attr(trial_id, key, value)
        own = self._own
        if own is not None and own._trial_id == trial_id:
            self._own = copy(own)
            self._own.system_attrs = {**own.system_attrs, key: value}
            study_id, _ = self._trial_id_to_study_id_and_number[trial_id]
            self._add_own(study_id)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Keep a suggested parameter until :meth:`flush_params`."""
        self._params.append((trial_id, param_name, param_value_internal, distribution))
        value = distribution.to_external_repr(param_value_internal)
        self._suggested.setdefault(trial_id, {})[param_name] = value

    def flush_params(self) -> None:
        """Write the suggested parameters, in one transaction."""
        params, self._params = self._params, []
        with _create_scoped_session(self._backend.scoped_session) as session:
            for trial_id, name, value, distribution in params:
                self._backend._set_trial_param_without_commit(
                    session, trial_id, name, value, distribution
                )

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Keep a reported value until the trial's end."""
        self._reports.setdefault(trial_id, {})[step] = intermediate_value

    def forget(self, trial_id: int) -> tuple[dict[str, Any], dict[int, float]]:
        """Forget a trial; return its suggested parameters and its reported values."""
        self._own = None
        return self._suggested.pop(trial_id, {}), self._reports.pop(trial_id, {})
