"""What ends a search early or takes a trial out of the ranking, worked out from the trials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.ledger.objectives import directions, objectives_of
from sweep.storage.attributes import BY_DRAW, CELL, PATIENCE_FROM, REASON, RUNG

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from optuna.trial import FrozenTrial

    from sweep.ledger.records import TrialRecord


def slowest_fit(trial: TrialRecord, epoch: int) -> float:
    """Return the seconds of the slowest split's fit up to an epoch."""
    return max((split.seconds.get(epoch, 0.0) for split in trial.splits), default=0.0)


def within_seconds(trial: TrialRecord, limit: float | None, epoch: int) -> TrialRecord:
    """Return the trial; as ``INFEASIBLE``, with the reason, where a fit took too long."""
    if limit is None or trial.state != "COMPLETE" or slowest_fit(trial, epoch) <= limit:
        return trial
    seconds = slowest_fit(trial, epoch)
    reason = f"a fit took {seconds:.3g} s, above max_fit_seconds = {limit:g}"
    return replace(trial, state="INFEASIBLE", reason=reason)


def search_end(trials: Iterable[FrozenTrial], header: Mapping[str, Any]) -> int | None:
    """Return with which trial patience ended a study's search; None while it goes on.

    Patience is at its end where the last ``patience`` trials that count brought no improvement. A
    trial improves if no earlier one is at least as good in every objective. Complete, pruned and
    infeasible trials count; failed ones, and those that hyperband lets pause, do not. A trial that
    still waits or runs may improve: no later one is looked at.

    Where the draws of a study are known beforehand, its trials are taken in the order of their
    draws, so the end does not depend on which worker was faster; see :func:`draw_of`. In other
    studies, and in those of older versions, they are taken in the order in which they began.

    Parameters
    ----------
    trials : iterable of optuna.trial.FrozenTrial
        Those of the study's own cells.
    header : mapping
        The study's.
    """
    search = header["spec"]["search"]
    patience, since = search.get("patience"), header.get(PATIENCE_FROM, 0)
    if not patience:
        return None
    in_turn = _by_draw(trials, header["planned"]) if header.get(BY_DRAW) else _by_number(trials)
    best = _Best(objectives_of(header["spec"]))
    waited = 0
    for number, trial in in_turn:
        if not _counts(trial):
            continue
        waited = 0 if best.improved_by(trial) else waited + (number >= since)
        if waited >= patience:
            return number
    return None


def since_growth(trials: Iterable[FrozenTrial], header: Mapping[str, Any]) -> int:
    """Return from which trial on patience counts when a study is given more trials.

    It begins anew behind the trial with which it had ended the search. Where it had not, it goes
    on, as if the study had had all these trials from its beginning.
    """
    if not header.get(BY_DRAW):
        return max((trial.number for trial in trials), default=-1) + 1
    end = search_end(trials, header)
    return int(header.get(PATIENCE_FROM, 0)) if end is None else end + 1


def draw_of(key: str) -> int:
    """Return the number of the draw that a cell of a sampled study is: 17 of ``slot:17``."""
    number = key.rpartition(":")[2]
    return int(number) if number.isdigit() else 0


def _by_draw(trials: Iterable[FrozenTrial], planned: int) -> Iterator[tuple[int, FrozenTrial]]:
    """Yield the last end of each draw, up to the first that has none yet, or is tried again."""
    ended: dict[int, FrozenTrial] = {}
    for trial in sorted(trials, key=lambda each: each.number):
        if _is_cut(trial):
            continue
        ended[draw_of(trial.user_attrs[CELL]["key"])] = trial
    for number in range(planned):
        last = ended.get(number)
        if last is None or not last.state.is_finished():
            return
        yield number, last


def _by_number(trials: Iterable[FrozenTrial]) -> Iterator[tuple[int, FrozenTrial]]:
    """Yield the trials by number, up to the first that runs."""
    for trial in sorted(trials, key=lambda each: each.number):
        if trial.state.name == "RUNNING":
            return
        yield trial.number, trial


def _is_cut(trial: FrozenTrial) -> bool:
    return trial.state.name == "FAIL" and REASON not in trial.user_attrs


def _counts(trial: FrozenTrial) -> bool:
    paused = trial.state.name == "PRUNED" and RUNG in trial.user_attrs
    return trial.state.name in ("COMPLETE", "PRUNED") and not paused


class _Best:
    """The best merits so far: those that no other has in every objective."""

    def __init__(self, objectives: Sequence[str]) -> None:
        self._signs = [1 if each == "maximize" else -1 for each in directions(objectives)]
        self._merits: list[list[float]] = []

    def improved_by(self, trial: FrozenTrial) -> bool:
        """Return whether a trial improves on all before it; take it in then."""
        if trial.state.name != "COMPLETE" or any(c > 0 for c in trial.constraints.values()):
            return False
        merits = [sign * value for sign, value in zip(self._signs, trial.values, strict=True)]
        if any(all(a >= b for a, b in zip(e, merits, strict=True)) for e in self._merits):
            return False
        self._merits.append(merits)
        return True
