"""Reuse the result of an earlier trial with the same parameters instead of training again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweep.evaluation.cross_validation import Evaluation, EvaluationRequest
from sweep.ledger.scores import best_mean_score, shared_epochs
from sweep.spaces import candidate_identity, without_epochs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweep.ledger.records import SplitResult, TrialRecord


def reuse_result(
    params: Mapping[str, Any],
    request: EvaluationRequest,
    ended: Iterable[TrialRecord],
    fits: int,
    *,
    staged: bool = True,
    budget: str = "epochs",
) -> Evaluation | None:
    """Return the result of an earlier trial with the same parameters, marked as copied.

    Parameters
    ----------
    params : mapping of str to value
        The suggested parameters.
    request : EvaluationRequest
        What would be measured.
    ended : iterable of TrialRecord
        Complete and pruned trials.
    fits : int
        Fits of a whole trial: splits times seeds.
    staged : bool
        Whether the first epochs of a longer fit equal a shorter fit.
    budget : str
        The parameter that plays the role of ``epochs``.

    Returns
    -------
    Evaluation or None
        None if it must be trained: there is no such trial, or only one with fewer epochs.
    """
    wanted = _without(params, budget)
    equal = [t for t in ended if t.splits and _without(t.params, budget) == wanted]
    exact = [trial for trial in equal if trial.epochs == request.epochs]
    for trial in equal if staged else exact:
        if len(trial.splits) == fits and all(_has(split, request) for split in trial.splits):
            return _copied(trial, request, pruned=False)
    for trial in exact:
        if trial.state == "PRUNED":
            return _copied(trial, request, pruned=True)
    return None


def _without(params: Mapping[str, Any], budget: str) -> str:
    return candidate_identity(without_epochs(params, budget))


def _has(split: SplitResult, request: EvaluationRequest) -> bool:
    """Return whether a split has every requested measurement."""
    last = request.epochs[-1]
    trained = not request.train_scores or all(epoch in split.train for epoch in request.epochs)
    timed = not request.timed or (split.inference_ms is not None and max(split.test) == last)
    return trained and timed and all(epoch in split.test for epoch in request.epochs)


def _copied(trial: TrialRecord, request: EvaluationRequest, *, pruned: bool) -> Evaluation:
    last = request.epochs[-1]
    splits = tuple(results_until(split, last) for split in trial.splits)
    # A pruned trial counts as far as all of its splits were scored.
    value = best_mean_score(splits, shared_epochs(splits)[-1:] if pruned else request.epochs)
    source = trial.number if trial.copied_from is None else trial.copied_from
    return Evaluation(splits, tuple(trial.layers), value, pruned, copied_from=source)


def results_until(split: SplitResult, last: float) -> SplitResult:
    """Return a split's result after its first ``last`` epochs."""
    by_epoch: dict[str, Any] = {
        name: {epoch: value for epoch, value in getattr(split, name).items() if epoch <= last}
        for name in ("test", "train", "seconds", "losses")
    }
    for name in ("others", "train_others"):
        by_scorer = getattr(split, name).items()
        by_epoch[name] = {
            scorer: {epoch: value for epoch, value in scores.items() if epoch <= last}
            for scorer, scores in by_scorer
        }
    history = {name: values[: int(last)] for name, values in split.history.items()}
    return replace(split, **by_epoch, history=history)
