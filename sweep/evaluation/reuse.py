"""The same parameters again: what an earlier trial has measured is not trained a second time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.evaluation.cross_validation import Evaluation, EvaluationRequest
from sweep.ledger.scores import mean_split_score
from sweep.spaces import candidate_identity, without_epochs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweep.ledger.records import SplitResult, TrialRecord


def reuse_result(
    params: Mapping[str, Any],
    asked: EvaluationRequest,
    ended: Iterable[TrialRecord],
    fits: int,
    *,
    staged: bool = True,
) -> Evaluation | None:
    """Return the result that an earlier trial gives to a suggestion, marked as copied.

    Parameters
    ----------
    params : mapping of str to value
        What is suggested.
    asked : Asked
        What is asked of it.
    ended : iterable of TrialRecord
        Complete and pruned trials.
    fits : int
        Fits of a whole trial: splits times seeds.
    staged : bool
        Whether a longer fit answers a shorter one.

    Returns
    -------
    Evaluation or None
        None where it must be trained: nobody has measured it, or only for fewer epochs.
    """
    wanted = candidate_identity(without_epochs(params))
    equal = [
        t for t in ended if t.splits and candidate_identity(without_epochs(t.params)) == wanted
    ]
    exact = [trial for trial in equal if trial.epochs == asked.epochs]
    for trial in equal if staged else exact:
        if len(trial.splits) == fits and all(_has(split, asked) for split in trial.splits):
            return _copied(trial, asked, pruned=False)
    for trial in exact:
        if trial.state == "PRUNED":
            return _copied(trial, asked, pruned=True)
    return None


def _has(split: SplitResult, asked: EvaluationRequest) -> bool:
    """Return whether a split holds every score that is asked."""
    last = asked.epochs[-1]
    trained = not asked.train_scores or all(epoch in split.train for epoch in asked.epochs)
    timed = not asked.timed or (split.inference_ms is not None and max(split.test) == last)
    return trained and timed and all(epoch in split.test for epoch in asked.epochs)


def _copied(trial: TrialRecord, asked: EvaluationRequest, *, pruned: bool) -> Evaluation:
    last = asked.epochs[-1]
    splits = tuple(results_until(split, last) for split in trial.splits)
    epochs = asked.epochs if not pruned else (min(max(split.test) for split in splits),)
    value = max(mean_split_score(splits, epoch) for epoch in epochs)
    source = trial.number if trial.copied_from is None else trial.copied_from
    return Evaluation(splits, trial.layers, value, pruned, copied_from=source)


def results_until(split: SplitResult, last: int) -> SplitResult:
    """Return what a split had measured after its first ``last`` epochs."""
    kept: dict[str, Any] = {
        name: {epoch: value for epoch, value in getattr(split, name).items() if epoch <= last}
        for name in ("test", "train", "seconds", "losses")
    }
    history = {name: values[:last] for name, values in split.history.items()}
    return replace(split, **kept, history=history)
