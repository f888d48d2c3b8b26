"""What ends a search early or takes a trial out of the ranking, worked out from the trials."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.ledger.keys import RUNG
from sweep.ledger.objectives import directions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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


def out_of_patience(
    trials: Iterable[FrozenTrial], patience: int, objectives: Sequence[str], since: int = 0
) -> bool:
    """Return whether the last ``patience`` ended trials, by their numbers, brought no improvement.

    A trial improves if no earlier one is at least as good in every objective. Pruned and
    infeasible trials count and improve nothing; failed ones, and those that hyperband lets pause,
    do not count. Trials behind one that
    is still running are not looked at: it may improve.

    Parameters
    ----------
    trials : iterable of optuna.trial.FrozenTrial
        Those of the study's own cells.
    patience : int
        How many.
    objectives : sequence of str
        What the trials' values are.
    since : int
        Trials before this number do not count, but are the ones to improve on.
    """
    signs = [1 if each == "maximize" else -1 for each in directions(objectives)]
    best: list[list[float]] = []
    waited = 0
    for trial in sorted(trials, key=lambda each: each.number):
        if trial.state.name == "RUNNING":
            return False
        paused = trial.state.name == "PRUNED" and RUNG in trial.user_attrs
        if paused or trial.state.name not in ("COMPLETE", "PRUNED"):
            continue
        waited += trial.number >= since
        if trial.state.name == "COMPLETE" and all(c <= 0 for c in trial.constraints.values()):
            merits = [sign * value for sign, value in zip(signs, trial.values, strict=True)]
            if not any(all(a >= b for a, b in zip(e, merits, strict=True)) for e in best):
                best.append(merits)
                waited = 0
        if waited >= patience:
            return True
    return False
