"""The ledger: studies and trials in an Optuna storage, written once and read as records."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from sweep.ledger.checksums import trial_digest
from sweep.ledger.claims import FIXED, claim_of, waiting_trial
from sweep.ledger.codec import recorded, result_to_plain
from sweep.ledger.limits import draw_of
from sweep.ledger.studies import Studies
from sweep.ledger.summary import summary_of
from sweep.spaces import encode
from sweep.storage.attributes import CELL, DIGEST, LOST, REASON, RESULT, RUNG, SUMMARY, WORKER
from sweep.storage.queries import waiting_cells
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import optuna

    from sweep.ledger.claims import Claim
    from sweep.ledger.outcomes import Layer
    from sweep.ledger.records import PlannedCell, Rung, SplitResult
    from sweep.storage.queries import WaitingCell
    from sweep.storage.sampler_view import SamplerView

    Value = float | list[float]
    """One number, or one for each objective."""


TAKEN_FROM = 200
"""Cells looked at in one transaction for one that still waits."""


class Ledger(Studies):
    """Write trials of studies; one instance for each process.

    Parameters
    ----------
    url, create, reading
        As for :class:`Studies`.

    Raises
    ------
    LedgerError
        If it cannot be opened.
    """

    def __init__(self, url: str, *, create: bool = True, reading: bool = False) -> None:
        super().__init__(url, create=create, reading=reading)
        self._waiting: dict[str, deque[WaitingCell]] = {}
        self._view: SamplerView | None = None
        self.seen_silent: dict[int, float] = {}
        """When trials without a sign of life were first seen so, by their identifiers."""

    def enqueue(
        self, name: str, cells: Sequence[PlannedCell], distributions: Mapping[str, Any]
    ) -> None:
        """Add cells as waiting trials, their parameters beside them where Optuna can hold them."""
        from sweep.storage.transactions import add_waiting

        study_id = self.study_id(name)
        with self.translated():
            add_waiting(
                self.storage, study_id, [waiting_trial(cell, distributions) for cell in cells]
            )

    def add_warm_start_trials(
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

    def claim(self, name: str, worker: str, *, by_draw: bool = False) -> Claim | None:
        """Take the next waiting cell, atomically; None when none is left.

        Waiting cells are listed once and then tried one after another: another process may have
        been faster, which the transaction tells. With ``by_draw`` they are listed each time, and
        the first draw is taken: one that was cut short is needed before those behind it.
        """
        with self.translated():
            if not by_draw and (claim := self._take_first(name, worker)):
                return claim
            waiting = self.ask(name, waiting_cells)
            if by_draw:
                waiting.sort(key=lambda each: draw_of(str(each.cell.get("key", ""))))
            self._waiting[name] = deque(waiting)
            return self._take_first(name, worker)

    def _take_first(self, name: str, worker: str) -> Claim | None:
        from sweep.storage.transactions import take

        waiting = self._waiting.get(name)
        while waiting:
            some = list(islice(waiting, TAKEN_FROM))
            ids = [each.trial_id for each in some]
            taken, still = retry(lambda ids=ids: take(self.storage, ids, {WORKER: worker}))  # type: ignore[misc]
            gone = next((i for i, each in enumerate(some) if each.trial_id in still), len(some))
            for _ in range(gone + (taken is not None)):
                waiting.popleft()
            if taken is not None:
                return claim_of(some[gone], taken)
        return None

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
        result = recorded(splits, layers, copied_from)
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
        result = recorded(splits, layers, copied_from)
        return self._end(claim, "PRUNED", result, value, steps)

    def fail(self, claim: Claim, reason: str) -> bool:
        """Record that a cell cannot be evaluated, and why."""
        return self._end(claim, "FAIL", {REASON: reason[:2000]})

    def quarantine(self, name: str, trial_id: int, reason: str) -> None:
        """Record a failure for the cell of a trial that was cut: it is not tried again."""
        import optuna

        with self.translated():
            last = self.storage.get_trial(trial_id)
        held = {CELL: last.user_attrs[CELL], REASON: reason[:2000]}
        digest = trial_digest("FAIL", None, last.params, held)
        failure = optuna.trial.create_trial(
            state=optuna.trial.TrialState.FAIL,
            params=last.params,
            distributions=last.distributions,
            user_attrs={**held, DIGEST: digest, SUMMARY: summary_of("FAIL", None, held, digest)},
        )
        study = self.load(name)
        with self.translated():
            study.add_trial(failure)

    def reject_too_large(self, claim: Claim, reason: str, layers: Sequence[Layer]) -> bool:
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
        found = (t.user_attrs for t in self.trials(name, "FAIL", results=False))
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
        from optuna.trial import TrialState

        from sweep.storage.transactions import end

        held = {LOST: lost} if lost else {}
        with self.translated():
            return retry(lambda: end(self.storage, trial_id, TrialState.FAIL, held))

    def stale(self, name: str) -> list[int]:
        """Return the identifiers of running trials without a sign of life for too long."""
        study_id = self.study_id(name)
        with self.translated():
            return self.storage._get_stale_trial_ids(study_id)

    def _end(
        self, claim: Claim, state: str, attributes: Mapping[str, Any], value: Value | None = None,
        steps: Mapping[int, float] | None = None,
    ) -> bool:  # fmt: skip
        from optuna.trial import TrialState

        from sweep.storage.transactions import end

        values = [] if value is None else [value] if isinstance(value, int | float) else value
        params, reports = self.view.forget(claim.trial_id)
        held = {CELL: dict(claim.cell), **attributes}
        digest = trial_digest(state, values, {**claim.stored, **params}, held)
        marks = {DIGEST: digest, SUMMARY: summary_of(state, values, held, digest)}
        with self.translated():
            return retry(
                lambda: end(
                    self.storage, claim.trial_id, TrialState[state],
                    {**attributes, **marks}, values, {**(steps or {}), **reports},
                    time.monotonic() - claim.taken,
                )
            )  # fmt: skip

    @property
    def view(self) -> SamplerView:
        """What samplers and pruners see; one for each process, for it remembers."""
        from sweep.storage.sampler_view import SamplerView

        if self._view is None:
            self._view = SamplerView(self.storage)
        return self._view

    def optuna_study(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the study for a sampler or pruner: without waiting and failed trials."""
        import optuna

        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.view, sampler=sampler, pruner=pruner
            )
