"""Patience, which ends a search early, and the limit on fit seconds, which excludes trials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.ledger.objectives import directions
from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.attributes import BY_DRAW, CELL, PATIENCE_FROM, REASON, RUNG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from optuna.trial import FrozenTrial

    from sweep.ledger.records import TrialRecord
    from sweep.storage.stored_trial import StoredTrial


def slowest_fit(trial: TrialRecord, epoch: float) -> float:
    """Return the seconds of the slowest split's fit up to an epoch."""
    return max((split.seconds.get(epoch, 0.0) for split in trial.splits), default=0.0)


def within_seconds(trial: TrialRecord, limit: float | None, epoch: float) -> TrialRecord:
    """Return the trial; with state ``INFEASIBLE`` and a reason if a fit took too long."""
    if limit is None or trial.state != "COMPLETE" or slowest_fit(trial, epoch) <= limit:
        return trial
    seconds = slowest_fit(trial, epoch)
    reason = f"a fit took {seconds:.3g} s, above max_fit_seconds = {limit:g}"
    return replace(trial, state="INFEASIBLE", reason=reason)


def search_end(
    trials: Iterable[FrozenTrial | StoredTrial], header: Mapping[str, Any]
) -> int | None:
    """Return the number of the trial at which patience ended the search; None while it goes on.

    Patience is exhausted when the last ``patience`` trials that count brought no improvement. A
    trial improves if no earlier one is at least as good in every objective. Complete, pruned and
    infeasible trials count; failed ones, and those that hyperband pauses, do not. A trial that
    still waits or runs may improve, so no later one is considered yet.

    Where a study's draws are precomputed, its trials count in the order of their draws, so that the
    end does not depend on which worker was faster; see :func:`draw_of`. In other studies, and in
    those of older versions, they count in the order in which they began.

    Parameters
    ----------
    trials : iterable of optuna.trial.FrozenTrial or StoredTrial
        Those of the study's own cells.
    header : mapping
        The study's header.
    """
    search = StoredSearch(header)
    patience, since = search.patience, header.get(PATIENCE_FROM, 0)
    if not patience:
        return None
    ordered = _by_draw(trials, header["planned"]) if header.get(BY_DRAW) else _by_number(trials)
    best = _Best(search.objectives)
    without_improvement = 0
    for number, trial in ordered:
        if not _counts(trial):
            continue
        improved = best.improved_by(trial)
        without_improvement = 0 if improved else without_improvement + (number >= since)
        if without_improvement >= patience:
            return number
    return None


def since_growth(trials: Iterable[FrozenTrial | StoredTrial], header: Mapping[str, Any]) -> int:
    """Return from which trial on patience counts when a study gets more trials.

    If patience had ended the search, it starts again after that trial. Otherwise it continues, as
    if the study had had all these trials from the beginning.
    """
    if not header.get(BY_DRAW):
        return max((trial.number for trial in trials), default=-1) + 1
    end = search_end(trials, header)
    return int(header.get(PATIENCE_FROM, 0)) if end is None else end + 1


def draw_of(key: str) -> int:
    """Return the number of the draw in the key of a sampled study's cell: 17 of ``slot:17``."""
    number = key.rpartition(":")[2]
    return int(number) if number.isdigit() else 0


def _by_draw(
    trials: Iterable[FrozenTrial | StoredTrial], planned: int
) -> Iterator[tuple[int, FrozenTrial | StoredTrial]]:
    """Yield the last trial of each draw, up to the first draw that has not finished."""
    ended: dict[int, FrozenTrial | StoredTrial] = {}
    for trial in sorted(trials, key=lambda each: each.number):
        if _is_cut(trial):
            continue
        ended[draw_of(trial.user_attrs[CELL]["key"])] = trial
    for number in range(planned):
        last = ended.get(number)
        if last is None or not last.state.is_finished():
            return
        yield number, last


def _by_number(
    trials: Iterable[FrozenTrial | StoredTrial],
) -> Iterator[tuple[int, FrozenTrial | StoredTrial]]:
    """Yield the trials by number, up to the first that runs."""
    for trial in sorted(trials, key=lambda each: each.number):
        if trial.state.name == "RUNNING":
            return
        yield trial.number, trial


def _is_cut(trial: FrozenTrial | StoredTrial) -> bool:
    return trial.state.name == "FAIL" and REASON not in trial.user_attrs


def _counts(trial: FrozenTrial | StoredTrial) -> bool:
    paused = trial.state.name == "PRUNED" and RUNG in trial.user_attrs
    return trial.state.name in ("COMPLETE", "PRUNED") and not paused


class _Best:
    """The best trials so far, to decide whether a trial improves on them."""

    def __init__(self, objectives: Sequence[str]) -> None:
        self._signs = [1 if each == "maximize" else -1 for each in directions(objectives)]
        self._merits: list[list[float]] = []

    def improved_by(self, trial: FrozenTrial | StoredTrial) -> bool:
        """Return whether a trial improves on all earlier ones, and remember it if so."""
        if trial.state.name != "COMPLETE" or any(c > 0 for c in trial.constraints.values()):
            return False
        merits = [sign * value for sign, value in zip(self._signs, trial.values or (), strict=True)]
        if any(all(a >= b for a, b in zip(e, merits, strict=True)) for e in self._merits):
            return False
        self._merits.append(merits)
        return True
