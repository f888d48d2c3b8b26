"""The ledger: enqueue, claim and end the trials of studies in an Optuna storage."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from sweep.ledger.checksums import trial_digest
from sweep.ledger.claims import FIXED, claim_of, waiting_trial
from sweep.ledger.codec import recorded, result_to_plain, without_empty
from sweep.ledger.limits import draw_of
from sweep.ledger.studies import Studies
from sweep.ledger.summary import summary_of
from sweep.spaces import encode
from sweep.storage.attributes import CELL, DIGEST, LOST, REASON, RESULT, RUNG, SUMMARY, WORKER
from sweep.storage.json_text import stored_text
from sweep.storage.queries import waiting_cells
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import optuna

    from sweep.ledger.claims import Claim
    from sweep.ledger.records import PlannedCell, Rung, SplitResult
    from sweep.storage.queries import WaitingCell
    from sweep.storage.sampler_view import SamplerView
    from sweep.support.layer import Layer

    Value = float | list[float]
    """One number, or one for each objective."""


CLAIM_BATCH = 200
"""Cells that one transaction checks to find one that still waits."""


class Ledger(Studies):
    """Write the trials of studies; one instance for each process.

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
        """When each trial without heartbeats was first noticed, by its identifier."""

    def enqueue(
        self, name: str, cells: Sequence[PlannedCell], distributions: Mapping[str, Any]
    ) -> None:
        """Add cells as waiting trials, with those parameters that have a distribution in Optuna."""
        from sweep.storage.transactions import add_waiting

        study_id = self.study_id(name)
        with self.translated():
            add_waiting(
                self.storage, study_id, [waiting_trial(cell, distributions) for cell in cells]
            )

    def add_warm_start_trials(
        self,
        name: str,
        sources: Sequence[tuple[Mapping[str, Any], list[float], Mapping[str, Any]]],
        distributions: Mapping[str, Any],
        system_attrs: Mapping[str, Any],
    ) -> None:
        """Add complete trials of another study, for the sampler only.

        Parameters
        ----------
        name : str
            The study that gets them.
        sources : sequence of (mapping, list of float, mapping)
            Parameters, values, and the attributes that say where the trial comes from.
        distributions : mapping of str to distribution
            Of this study's parameters.
        system_attrs : mapping of str to value
            For Optuna's samplers, on each trial.
        """
        import optuna

        study = self.load(name)
        with self.translated():
            for params, values, source in sources:
                trial = optuna.trial.create_trial(
                    state=optuna.trial.TrialState.COMPLETE,
                    params=dict(params),
                    distributions={k: distributions[k] for k in params},
                    values=values,
                    user_attrs=dict(source),
                    system_attrs=dict(system_attrs),
                )
                study.add_trial(trial)

    def claim(self, name: str, worker: str, *, by_draw: bool = False) -> Claim | None:
        """Claim the next waiting cell, atomically; return None when none is left.

        Waiting cells are listed once and then tried in turn; the transaction notices a cell that
        another process has claimed since. With ``by_draw`` they are listed each time, and the
        earliest draw is claimed: an interrupted one, enqueued again, goes before later draws.
        """
        with self.translated():
            if not by_draw and (claim := self._claim_first(name, worker)):
                return claim
            waiting = self.query(name, waiting_cells)
            if by_draw:
                waiting.sort(key=lambda each: draw_of(str(each.cell.get("key", ""))))
            self._waiting[name] = deque(waiting)
            return self._claim_first(name, worker)

    def _claim_first(self, name: str, worker: str) -> Claim | None:
        from sweep.storage.transactions import take

        waiting = self._waiting.get(name)
        while waiting:
            batch = list(islice(waiting, CLAIM_BATCH))
            ids = [each.trial_id for each in batch]
            params, still = retry(lambda ids=ids: take(self.storage, ids, {WORKER: worker}))  # type: ignore[misc]
            first = next((i for i, each in enumerate(batch) if each.trial_id in still), len(batch))
            for _ in range(first + (params is not None)):  # those before it wait no longer
                waiting.popleft()
            if params is not None:
                return claim_of(batch[first], params)
        return None

    def beat(self, claim: Claim) -> None:
        """Record a heartbeat: the process with this claim is alive."""
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
        """Record a result, once; return False if another process has ended the trial meanwhile.

        Parameters
        ----------
        claim : Claim
            The trial.
        value : float or list of float
            The value that samplers rank it by, one for each objective.
        splits, layers : sequence
            The measurements, and the model's layers.
        copied_from : int or None
            Number of the trial that the result is copied from.
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
        """Record the measurements of a pruned trial; see :meth:`complete`."""
        result = recorded(splits, layers, copied_from)
        return self._end(claim, "PRUNED", result, value, steps)

    def fail(self, claim: Claim, reason: str) -> bool:
        """Record that the evaluation of a cell failed, with the reason."""
        return self._end(claim, "FAIL", {REASON: reason[:2000]})

    def quarantine(self, name: str, trial_id: int, reason: str) -> None:
        """Record a failure for the cell of an interrupted trial, so that it is not tried again."""
        import optuna

        with self.translated():
            last = self.storage.get_trial(trial_id)
        attributes = {CELL: last.user_attrs[CELL], REASON: reason[:2000]}
        digest = trial_digest("FAIL", None, last.params, attributes)
        summary = summary_of("FAIL", None, attributes, digest)
        failure = optuna.trial.create_trial(
            state=optuna.trial.TrialState.FAIL,
            params=last.params,
            distributions=last.distributions,
            user_attrs={**attributes, DIGEST: digest, SUMMARY: summary},
        )
        study = self.load(name)
        with self.translated():
            study.add_trial(failure)

    def reject_too_large(self, claim: Claim, reason: str, layers: Sequence[Layer]) -> bool:
        """Record that a cell is not evaluated because its model is larger than allowed."""
        result = {RESULT: result_to_plain((), layers), REASON: reason}
        return self._end(claim, "PRUNED", result)

    def set_rung(self, claim: Claim, rung: Rung, fixed: Mapping[str, Any]) -> None:
        """Record a trial's rung, and the parameters of the trial that it continues.

        Parameters
        ----------
        claim : Claim
            The trial.
        rung : Rung
            Where it pauses.
        fixed : mapping of str to value
            Parameters that the sampler must not change.
        """
        with self.translated():
            plain = without_empty(asdict(rung), "rows")
            self.storage.set_trial_user_attr(claim.trial_id, RUNG, plain)
            if fixed:
                given = {name: encode(value) for name, value in fixed.items()}
                self.storage.set_trial_system_attr(claim.trial_id, FIXED, given)

    def failed_rungs(self, name: str, but: Collection[str] = ()) -> list[dict[str, Any]]:
        """Return the rung of each cell that failed with a reason, except the cells in ``but``.

        A cell that failed before it had a rung gives an empty dict.
        """
        found = (t.user_attrs for t in self.trials(name, "FAIL", results=False))
        latest = {a[CELL]["key"]: a.get(RUNG, {}) for a in found if REASON in a and CELL in a}
        return [rung for key, rung in latest.items() if key not in but]

    def set_constraints(self, claim: Claim, past: Mapping[str, float]) -> None:
        """Record by how much a trial exceeds each limit, for Optuna's samplers."""
        from optuna.exceptions import UpdateFinishedTrialError

        with self.translated(), suppress(UpdateFinishedTrialError):
            for name, value in past.items():
                key = f"constraints:{name}"
                self.storage.set_trial_system_attr(claim.trial_id, key, float(value))

    def cut(self, trial_id: int, lost: str | None = None) -> bool:
        """End a trial that was interrupted; it has no result, and no table shows it.

        Parameters
        ----------
        trial_id : int
            Optuna's identifier.
        lost : str or None
            How its worker died, if it died.
        """
        from optuna.trial import TrialState

        from sweep.storage.transactions import end

        texts = {LOST: stored_text(LOST, lost)} if lost else {}
        with self.translated():
            return retry(lambda: end(self.storage, trial_id, TrialState.FAIL, texts))

    def stale_trials(self, name: str) -> list[int]:
        """Return the identifiers of running trials whose last heartbeat is too old."""
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
        covered = {CELL: dict(claim.cell), **attributes}
        texts = {key: stored_text(key, value) for key, value in attributes.items()}
        stored = {**claim.stored, **params}
        digest = trial_digest(state, values, stored, covered, texts.get(RESULT))
        texts[DIGEST] = stored_text(DIGEST, digest)
        texts[SUMMARY] = stored_text(SUMMARY, summary_of(state, values, covered, digest))
        with self.translated():
            return retry(
                lambda: end(
                    self.storage, claim.trial_id, TrialState[state],
                    texts, values, {**(steps or {}), **reports},
                    time.monotonic() - claim.taken,
                )
            )  # fmt: skip

    @property
    def view(self) -> SamplerView:
        """The storage for samplers and pruners; one for each process, because it caches trials."""
        from sweep.storage.sampler_view import SamplerView

        if self._view is None:
            self._view = SamplerView(self.storage)
        return self._view

    def optuna_study(self, name: str, sampler: Any = None, pruner: Any = None) -> optuna.Study:
        """Return the Optuna study for a sampler or pruner, without waiting and failed trials."""
        import optuna

        with self.translated():
            return optuna.load_study(
                study_name=name, storage=self.view, sampler=sampler, pruner=pruner
            )
