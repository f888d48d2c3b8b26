"""The ledger: studies and trials in an Optuna storage, written once and read as records."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep.ledger.codec import cell_to_plain, result_to_plain
from sweep.ledger.keys import CELL, COPIED, LOST, REASON, RESULT, RUNG, WORKER
from sweep.ledger.studies import Studies
from sweep.spaces import encode

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import optuna

    from sweep.ledger.outcomes import Layer
    from sweep.ledger.records import PlannedCell, Rung, SplitResult
    from sweep.ledger.view import SearchView

    Value = float | list[float]
    """One number, or one for each objective."""


FIXED = "fixed_params"
"""Where Optuna reads parameters that a trial was enqueued with."""


@dataclass(frozen=True)
class Claim:
    """A cell that this process has taken: nobody else will evaluate it.

    Attributes
    ----------
    trial_id, number : int
        Optuna's identifiers.
    key : str
        The cell of the plan.
    params : mapping of str to value, or None
        None where the sampler is still to suggest them.
    epochs : tuple of int
        Epochs to score, ascending.
    """

    trial_id: int
    number: int
    key: str
    params: Mapping[str, Any] | None
    epochs: tuple[int, ...]


class Ledger(Studies):
    """Write trials of studies; one instance for each process.

    Parameters
    ----------
    url, create, write
        As for :class:`Studies`.

    Raises
    ------
    LedgerError
        If it cannot be opened.
    """

    def __init__(self, url: str, *, create: bool = True, write: bool = True) -> None:
        super().__init__(url, create=create, write=write)
        self._waiting: dict[str, deque[optuna.trial.FrozenTrial]] = {}
        self._view: SearchView | None = None

    def enqueue(
        self, name: str, cells: Sequence[PlannedCell], distributions: Mapping[str, Any]
    ) -> None:
        """Add cells as waiting trials, their parameters beside them where Optuna can hold them."""
        import optuna

        study = self.load(name)
        with self.translated():
            for cell in cells:
                params = {
                    k: encode(v) for k, v in (cell.params or {}).items() if k in distributions
                }
                trial = optuna.trial.create_trial(
                    state=optuna.trial.TrialState.WAITING,
                    params=params,
                    distributions={k: distributions[k] for k in params},
                    user_attrs={CELL: cell_to_plain(cell)},
                    system_attrs=_fixed(cell),
                )
                study.add_trial(trial)

    def teach(
        self,
        name: str,
        lessons: Sequence[tuple[Mapping[str, Any], list[float], Mapping[str, Any]]],
        distributions: Mapping[str, Any],
        marks: Mapping[str, Any],
    ) -> None:
        """Add complete trials for the sampler alone: parameters, values, where they are from."""
        import optuna

        study = self.load(name)
        with self.translated():
            for params, values, source in lessons:
                trial = optuna.trial.create_trial(
                    state=optuna.trial.TrialState.COMPLETE,
                    params=dict(params),
                    distributions={k: distributions[k] for k in params},
                    values=values,
                    user_attrs=dict(source),
                    system_attrs=dict(marks),
                )
                study.add_trial(trial)

    def claim(self, name: str, worker: str) -> Claim | None:
        """Take the next waiting cell, atomically; None when none is left.

        Waiting cells are listed once and then tried one after another: another process may have
        been faster, which the transaction tells.
        """
        with self.translated():
            if claim := self._take_one(name, worker):
                return claim
            self._waiting[name] = self._list_waiting(name)
            return self._take_one(name, worker)

    def _list_waiting(self, name: str) -> deque[optuna.trial.FrozenTrial]:
        return deque(sorted(self.trials(name, "WAITING"), key=_turn))

    def _take_one(self, name: str, worker: str) -> Claim | None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        waiting = self._waiting.get(name)
        while waiting:
            trial = waiting.popleft()
            try:
                if self.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING):
                    return self._claimed(trial, trial._trial_id, worker)
            except (UpdateFinishedTrialError, KeyError):  # ended, or deleted with its study
                continue
        return None

    def _claimed(self, trial: optuna.trial.FrozenTrial, trial_id: int, worker: str) -> Claim:
        self.storage.set_trial_user_attr(trial_id, WORKER, worker)
        self.storage.record_heartbeat(trial_id)
        cell = trial.user_attrs[CELL]
        return Claim(trial_id, trial.number, cell["key"], cell["params"], tuple(cell["epochs"]))

    def beat(self, claim: Claim) -> None:
        """Say that the process working on a claim is alive."""
        with self.translated():
            self.storage.record_heartbeat(claim.trial_id)

    def complete(
        self,
        claim: Claim,
        value: Value,
        splits: Sequence[SplitResult],
        layers: Sequence[Layer],
        *,
        copied_from: int | None = None,
        steps: Mapping[int, float] | None = None,
    ) -> bool:
        """Record a result, once; False if the trial had been given up and ended meanwhile.

        Parameters
        ----------
        claim : Claim
            The trial.
        value : float or list of float
            What it is ranked by while searching, one for each objective.
        splits, layers : sequence
            What was measured, and the model.
        copied_from : int or None
            The trial whose result this is.
        steps : mapping of int to float
            Its values by epoch, or by number of splits, where it has not reported them.
        """
        result = _result_of(splits, layers, copied_from)
        return self._end(claim, "COMPLETE", result, value, steps)

    def pruned(
        self,
        claim: Claim,
        value: Value,
        splits: Sequence[SplitResult],
        layers: Sequence[Layer],
        *,
        copied_from: int | None = None,
        steps: Mapping[int, float] | None = None,
    ) -> bool:
        """Record what a pruned trial measured until it was stopped; see :meth:`complete`."""
        result = _result_of(splits, layers, copied_from)
        return self._end(claim, "PRUNED", result, value, steps)

    def fail(self, claim: Claim, reason: str) -> bool:
        """Record that a cell cannot be evaluated, and why."""
        return self._end(claim, "FAIL", {REASON: reason[:2000]})

    def refuse(self, claim: Claim, reason: str, layers: Sequence[Layer]) -> bool:
        """Record that a cell is not evaluated, for its model breaks a constraint."""
        result = {RESULT: result_to_plain((), layers), REASON: reason}
        return self._end(claim, "PRUNED", result)

    def place(self, claim: Claim, rung: Rung, fixed: Mapping[str, Any]) -> None:
        """Say where a trial pauses, and give it the parameters of the one that it goes on from.

        Parameters
        ----------
        claim : Claim
            The trial.
        rung : Rung
            Where it pauses.
        fixed : mapping of str to value
            Parameters that are not left to the sampler.
        """
        with self.translated():
            self.storage.set_trial_user_attr(claim.trial_id, RUNG, asdict(rung))
            if fixed:
                given = {name: encode(value) for name, value in fixed.items()}
                self.storage.set_trial_system_attr(claim.trial_id, FIXED, given)

    def failed(self, name: str, but: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the rungs of the cells, but for these, that failed with a reason.

        Empty for one that failed before it had a rung.
        """
        found = (t.user_attrs for t in self.trials(name, "FAIL"))
        latest = {a[CELL]["key"]: a.get(RUNG, {}) for a in found if REASON in a and CELL in a}
        return [rung for key, rung in latest.items() if key not in but]

    def constrain(self, claim: Claim, past: Mapping[str, float]) -> None:
        """Say how far a trial is past each limit, as Optuna's samplers read it."""
        from optuna.exceptions import UpdateFinishedTrialError

        with self.translated(), suppress(UpdateFinishedTrialError):
            for name, value in past.items():
                key = f"constraints:{name}"
                self.storage.set_trial_system_attr(claim.trial_id, key, float(value))

    def cut(self, trial_id: int, lost: str | None = None) -> bool:
        """End an attempt from outside; without a reason it is no row of any table.

        Parameters
        ----------
        trial_id : int
            Optuna's identifier.
        lost : str or None
            How the worker died, where it did.
        """
        claim = Claim(trial_id, -1, "", None, ())
        return self._end(claim, "FAIL", {LOST: lost} if lost else {})

    def _end(
        self, claim: Claim, state: str, attributes: Mapping[str, Any], value: Value | None = None,
        steps: Mapping[int, float] | None = None,
    ) -> bool:  # fmt: skip
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        values = [value] if isinstance(value, int | float) else value
        with self.translated():
            try:
                self.view.write_end(claim.trial_id, attributes, steps or {})
                return self.storage.set_trial_state_values(
                    claim.trial_id, TrialState[state], values
                )
            except UpdateFinishedTrialError:
                return False

    @property
    def view(self) -> SearchView:
        """What samplers and pruners see; one for each process, for it remembers."""
        from sweep.ledger.view import SearchView

        if self._view is None:
            self._view = SearchView(self.storage)
        return self._view

    def searched(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the study for a sampler or pruner: without waiting and failed trials."""
        import optuna

        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.view, sampler=sampler, pruner=pruner
            )


def _turn(trial: optuna.trial.FrozenTrial) -> int:
    """Return when a waiting cell's turn is: a slot's by its own number, which decisions rest on.

    A cell that was cut short is enqueued again behind the others, and its turn is before them.
    """
    cell = trial.user_attrs.get(CELL, {})
    slot = str(cell.get("key", "")).partition("slot:")[2]
    return int(slot) if cell.get("params") is None and slot.isdigit() else trial.number


def _fixed(cell: PlannedCell) -> dict[str, Any]:
    """Return what Optuna's own ``enqueue_trial`` writes for parameters given beforehand."""
    return {FIXED: {n: encode(v) for n, v in cell.fixed.items()}} if cell.fixed else {}


def _result_of(
    splits: Sequence[SplitResult], layers: Sequence[Layer], copied_from: int | None
) -> dict[str, Any]:
    copied = {} if copied_from is None else {COPIED: copied_from}
    return {RESULT: result_to_plain(splits, layers), **copied}
