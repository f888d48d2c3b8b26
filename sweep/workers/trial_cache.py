"""The trials of a study that have ended, each read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.ledger.reading import trial_record
from sweep.storage.attributes import CELL
from sweep.storage.retries import retry
from sweep.storage.trial_reader import read_trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.trial import FrozenTrial, TrialState

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import TrialRecord
    from sweep.spaces import Space


class FinishedTrials:
    """Complete and pruned trials as records; each question reads only what is new.

    Parameters
    ----------
    ledger : Ledger
        Where they are.
    study : str
        The study's name.
    space : mapping of str to dimension
        Its search space.
    budget : str
        The parameter that plays the role of ``epochs``.
    """

    def __init__(self, ledger: Ledger, study: str, space: Space, budget: str = "epochs") -> None:
        self._ledger, self._study, self._space, self._budget = ledger, study, space, budget
        self._records: dict[int, TrialRecord] = {}
        self._study_id: int | None = None

    def all(self) -> list[TrialRecord]:
        """Return the complete and the pruned trials, by number; none that was changed since."""
        from optuna.trial import TrialState

        found = self._seen(TrialState.COMPLETE, TrialState.PRUNED)
        fresh = [trial for trial in found if trial.number not in self._records]
        for trial in self._whole(fresh):
            self._records[trial.number] = self._record(trial)
        records = (self._records[t.number] for t in found if t.number in self._records)
        return [record for record in records if record.state != "FAIL"]

    def running(self) -> list[TrialRecord]:
        """Return the trials that run, this worker's own among them."""
        from optuna.trial import TrialState

        return [self._record(t) for t in self._seen(TrialState.RUNNING)]

    def _record(self, trial: FrozenTrial) -> TrialRecord:
        return trial_record(trial, self._space, budget=self._budget)

    def _seen(self, *states: TrialState) -> list[FrozenTrial]:
        if self._study_id is None:
            self._study_id = self._ledger.study_id(self._study)
        with self._ledger.translated():
            found = self._ledger.view.seen(self._study_id, states)
        return [trial for trial in found if CELL in trial.user_attrs]

    def _whole(self, trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
        """Return trials that samplers see in part with all that their fits have measured."""
        if not trials:
            return []
        ids = {trial._trial_id for trial in trials}
        with self._ledger.translated():
            study_id = self._ledger.study_id(self._study)
            return retry(lambda: read_trials(self._ledger.storage, study_id, only=ids))

    def complete(self) -> list[TrialRecord]:
        """Return the complete trials, by number."""
        return [record for record in self.all() if record.state == "COMPLETE"]
