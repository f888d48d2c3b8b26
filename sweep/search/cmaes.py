"""CMA-ES without a pickle: its state is computed again from the trials of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from optuna.samplers import CmaEsSampler
from optuna.study import StudyDirection
from optuna.trial import create_trial

from sweep.storage.attributes import SOURCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial

ENOUGH_SOURCES = 10
"""Fewest trials of other studies for a warm start: their best tenth is then at least one trial."""


class ReplayedCmaEsSampler(CmaEsSampler):
    """Optuna's ``CmaEsSampler`` without a stored state.

    Optuna stores the optimizer as a pickle with a trial and loads it again; whoever can write to
    the ledger could thus run code in every worker. Here each suggestion starts with a new optimizer
    and passes it the finished trials, generation by generation (``tell``). This is deterministic,
    so the state is the same. The ledger stores only each trial's generation number.
    """

    _completed: Sequence[FrozenTrial] = ()

    def _restore_optimizer(self, completed_trials: Sequence[FrozenTrial]) -> None:
        """Remember the finished trials, and return None instead of unpickling an optimizer."""
        self._completed = completed_trials

    def _init_optimizer(self, trans: Any, direction: StudyDirection) -> Any:
        self._source_trials = self._sources(list(trans._search_space))
        optimizer = super()._init_optimizer(trans, direction)
        sign = 1 if direction == StudyDirection.MINIMIZE else -1
        while True:
            trials = self._get_solution_trials(list(self._completed), optimizer.generation)
            if len(trials) < optimizer.population_size:
                return optimizer
            generation = trials[: optimizer.population_size]
            optimizer.tell([(trans.transform(t.params), sign * _value(t)) for t in generation])

    def _sources(self, names: Sequence[str]) -> list[FrozenTrial] | None:
        """Return the trials of other studies, reduced to the parameters of the optimizer.

        The best tenth of them sets the first mean and covariance (M. Nomura et al., "Warm starting
        CMA-ES for hyperparameter optimization", AAAI 2021).
        """
        sources = [trial for trial in self._completed if SOURCE in trial.user_attrs]
        if len(sources) < ENOUGH_SOURCES:
            return None
        return [
            create_trial(
                params={name: trial.params[name] for name in names},
                distributions={name: trial.distributions[name] for name in names},
                value=trial.value,
            )
            for trial in sources
        ]

    def _split_optimizer_str(self, optimizer_str: str) -> dict[str, str]:  # noqa: ARG002
        """Store nothing."""
        return {}


def _value(trial: FrozenTrial) -> float:
    return float(np.nan if trial.value is None else trial.value)
