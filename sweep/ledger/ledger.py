"""The ledger: studies and trials in an Optuna storage, written once and read as records."""

from __future__ import annotations

import json
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError, StudyNotFoundError
from sweep.ledger.codec import nested_from_plain, split_to_plain
from sweep.ledger.objectives import directions, objectives_of
from sweep.ledger.storage import open_storage, shown_url
from sweep.spaces import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import optuna

    from sweep.ledger.records import (
        ImportanceRecord,
        Layer,
        NestedRecord,
        Opening,
        PlannedCell,
        SplitResult,
        WinnerRecord,
    )
    from sweep.ledger.view import SearchView

    Value = float | list[float]
    """One number, or one for each objective."""

FORMAT = 1
"""Version of what we keep in the storage; a later one is refused."""

CELL, RESULT, REASON, WORKER, LOST, COPIED = (
    f"sweep:{name}" for name in ("cell", "result", "reason", "worker", "lost", "copied_from")
)
STUDY, WINNER, NESTED = "sweep:study", "sweep:winner", "sweep:nested"
IMPORTANCES, OPENING = "sweep:importances", "sweep:opening:"
SOURCE = "sweep:from"
"""On a trial of another study, put in for the sampler to learn from: which study, which row."""


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


class Ledger:
    """Write studies and trials; one instance for each process.

    Parameters
    ----------
    url : str
        Address of the database; see :func:`sweep.ledger.storage.storage_url`.
    create : bool
        Make an SQLite file where there is none.

    Raises
    ------
    LedgerError
        If it cannot be opened.
    """

    def __init__(self, url: str, *, create: bool = True) -> None:
        self.url = url
        self.storage = open_storage(url, create=create)
        self._waiting: dict[str, deque[optuna.trial.FrozenTrial]] = {}
        self._view: SearchView | None = None

    def close(self) -> None:
        """Close the connections; the ledger opens new ones if it is used again."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    # -- studies -------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """Return the names of all studies made by sweep, oldest first; no outer folds."""
        return [name for name, header in self._headers() if "part" not in header]

    def parts(self, name: str) -> list[str]:
        """Return the names of the outer folds of a study: studies of their own, hidden."""
        held = [(own, header.get("part")) for own, header in self._headers()]
        return [own for own, part in held if part and part["study"] == name]

    def _headers(self) -> list[tuple[str, dict[str, Any]]]:
        with self.translated():
            studies = self.storage.get_all_studies()
        return [(s.study_name, s.user_attrs[STUDY]) for s in studies if STUDY in s.user_attrs]

    def study_id(self, name: str) -> int:
        """Return Optuna's identifier of a study.

        Raises
        ------
        StudyNotFoundError
            Naming the studies there are.
        """
        with self.translated():
            try:
                return self.storage.get_study_id_from_name(name)
            except KeyError:
                pass
        known = ", ".join(self.names()) or "none yet"
        raise StudyNotFoundError(
            f"no study named {name!r} in {shown_url(self.url)}; there are: {known}"
        )

    def has(self, name: str) -> bool:
        """Return whether a study of that name exists."""
        try:
            return bool(self.study_id(name)) or True
        except StudyNotFoundError:
            return False

    def create(self, name: str, header: Mapping[str, Any]) -> None:
        """Make a study, or join one that another process made at the same moment."""
        import optuna

        with self.translated():
            study = optuna.create_study(
                storage=self.storage,
                study_name=name,
                directions=directions(objectives_of(header["spec"])),
                load_if_exists=True,
            )
            if STUDY not in study.user_attrs:
                study.set_user_attr(STUDY, {"format": FORMAT, **header})

    def header(self, name: str) -> dict[str, Any]:
        """Return what :meth:`create` wrote about a study.

        Raises
        ------
        LedgerError
            If the study is not sweep's, or a later version wrote it.
        """
        with self.translated():
            attributes = self.storage.get_study_user_attrs(self.study_id(name))
        if STUDY not in attributes:
            raise LedgerError(f"study {name!r} was not made by sweep; choose another --name")
        header: dict[str, Any] = attributes[STUDY]
        if header["format"] > FORMAT:
            raise LedgerError(
                f"study {name!r} was written by a later version of sweep; please upgrade"
            )
        return header

    def update(self, name: str, **changes: Any) -> None:
        """Change entries of a study's header."""
        header = {**self.header(name), **changes}
        with self.translated():
            self.storage.set_study_user_attr(self.study_id(name), STUDY, header)

    def set_winner(self, name: str, winner: WinnerRecord) -> None:
        """Record the chosen configuration and what the test set said."""
        with self.translated():
            self.storage.set_study_user_attr(self.study_id(name), WINNER, asdict(winner))

    def set_nested(self, name: str, nested: NestedRecord) -> None:
        """Record what a nested cross-validation found."""
        with self.translated():
            self.storage.set_study_user_attr(self.study_id(name), NESTED, asdict(nested))

    def set_importances(self, name: str, importances: ImportanceRecord) -> None:
        """Record how much each parameter mattered."""
        with self.translated():
            study_id = self.study_id(name)
            self.storage.set_study_user_attr(study_id, IMPORTANCES, asdict(importances))

    def nested(self, name: str) -> NestedRecord | None:
        """Return what a nested cross-validation found, if one has ended."""
        with self.translated():
            attributes = self.storage.get_study_user_attrs(self.study_id(name))
        return nested_from_plain(attributes.get(NESTED))

    def note_opening(self, name: str, opening: Opening) -> None:
        """Record that the test set was opened; once more for the same moment to add its score."""
        with self.translated():
            key = f"{OPENING}{opening.opened_at}"
            self.storage.set_study_user_attr(self.study_id(name), key, asdict(opening))

    def delete(self, name: str) -> None:
        """Delete a study and its trials."""
        study_id = self.study_id(name)
        with self.translated():
            self.storage.delete_study(study_id)

    # -- cells ---------------------------------------------------------------------------------

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
                    user_attrs={CELL: _cell_to_plain(cell)},
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
        return deque(self.trials(name, "WAITING"))

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
        result = {RESULT: _result_to_plain((), layers), REASON: reason}
        return self._end(claim, "PRUNED", result)

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

    # -- reading -------------------------------------------------------------------------------

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

    def load(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the study as Optuna's own object."""
        import optuna

        self.study_id(name)
        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.storage, sampler=sampler, pruner=pruner
            )

    def trials(self, name: str, state: str | None = None) -> list[optuna.trial.FrozenTrial]:
        """Return the trials of a study, or those in one state, as Optuna holds them.

        They are not copies: do not change them.
        """
        from optuna.trial import TrialState

        study_id, states = self.study_id(name), (TrialState[state],) if state else None
        with self.translated():
            return self.storage.get_all_trials(study_id, deepcopy=False, states=states)

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the storage's errors into :class:`LedgerError` with a plain message."""
        from optuna.exceptions import StorageInternalError
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (StorageInternalError, SQLAlchemyError) as error:
            raise LedgerError(f"{shown_url(self.url)}: {_plain_cause(error)}") from error


def _fixed(cell: PlannedCell) -> dict[str, Any]:
    """Return what Optuna's own ``enqueue_trial`` writes for parameters given beforehand."""
    return {"fixed_params": {n: encode(v) for n, v in cell.fixed.items()}} if cell.fixed else {}


def _result_of(
    splits: Sequence[SplitResult], layers: Sequence[Layer], copied_from: int | None
) -> dict[str, Any]:
    copied = {} if copied_from is None else {COPIED: copied_from}
    return {RESULT: _result_to_plain(splits, layers), **copied}


def _result_to_plain(splits: Sequence[SplitResult], layers: Sequence[Layer]) -> dict[str, Any]:
    return {
        "splits": [split_to_plain(split) for split in splits],
        "parameters": sum(layer[3] for layer in layers),
        "layers": [list(layer) for layer in layers],
    }


def _cell_to_plain(cell: PlannedCell) -> dict[str, Any]:
    params = None if cell.params is None else dict(cell.params)
    return {"key": cell.key, "params": params, "epochs": list(cell.epochs)}


def _plain_cause(error: BaseException) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    text = str(getattr(cause, "orig", None) or cause).splitlines()[0]
    remedies = {
        "readonly": "the ledger may not be written; check its rights",
        "disk is full": "the disk is full; free some space and run the same command again",
        "locked": "another process holds the ledger; try again",
        "malformed": "the ledger is damaged; it was left as it is",
        "not a database": "this file is not a ledger; it was left as it is",
        "no such ": "this database belongs to another program; it was left as it is",
    }
    found = (remedy for word, remedy in remedies.items() if word in text)
    return next(found, f"the ledger cannot be read or written ({json.dumps(text)})")
