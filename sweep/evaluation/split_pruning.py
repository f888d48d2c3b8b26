"""Evaluate one configuration split by split, and prune it when it cannot become the best."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.evaluation.cross_validation import Evaluation, evaluate, whole_model
from sweep.ledger.limits import within_seconds
from sweep.ledger.scores import best_mean_score

if TYPE_CHECKING:
    from sweep.evaluation.cross_validation import EvaluationRequest, SearchData
    from sweep.evaluation.estimator_fits import Evaluate
    from sweep.ledger.records import SplitResult, TrialRecord
    from sweep.support.layer import Layer

WILCOXON_FROM = 10
"""Number of scores from which the signed-rank test is the default: with fewer it has no power."""

MIN_OTHERS = 3
"""Other complete candidates that are needed to estimate the usual spread of differences."""

Pairs = Mapping[tuple[int, int], float]
"""Scores by split and seed."""

Hopeless = Callable[[Sequence["SplitResult"]], bool]


def evaluate_by_split(
    estimator: Any,
    data: SearchData,
    request: EvaluationRequest,
    hopeless: Hopeless,
    callbacks: Iterable[Any] = (),
    evaluate: Evaluate = evaluate,
) -> Evaluation:
    """Cross-validate one configuration; after each split decide whether to prune it.

    A configuration that is not pruned has the scores of the whole evaluation.

    Parameters
    ----------
    estimator, data, request, callbacks
        As for :func:`sweep.evaluation.cross_validation.evaluate`.
    hopeless : callable
        ``hopeless(measured) -> bool``: whether to prune it, given these results.
    evaluate : callable
        What evaluates it on one split; see :func:`sweep.evaluation.estimator_fits.evaluate_with`.

    Returns
    -------
    Evaluation
        ``pruned`` if ``hopeless`` returned True; its value is then the best mean of the measured
        splits.
    """
    measured: list[SplitResult] = []
    each_time, pruned = list(callbacks), False
    layers: tuple[Layer, ...] = ()
    for number, split in enumerate(data.splits):
        found = evaluate(estimator, replace(data, splits=[split]), request, each_time)
        layers = whole_model([layers, found.layers])
        measured += [replace(result, split=number) for result in found.splits]
        if pruned := number + 1 < len(data.splits) and hopeless(measured):
            break
    splits = tuple(sorted(measured, key=lambda result: (result.seed, result.split)))
    value = best_mean_score(splits, request.epochs)
    return Evaluation(splits, layers, value, pruned)


@dataclass(frozen=True)
class Rule:
    """When a candidate is pruned.

    Attributes
    ----------
    total : int
        Scores of a whole candidate: splits times seeds.
    p : float
        Largest accepted probability that the decision is wrong.
    min_splits : int
        Splits that are measured before the first decision.
    test : str or None
        ``"paired"`` or ``"wilcoxon"``; None: the latter from :data:`WILCOXON_FROM` scores on.
    max_fit_seconds : float or None
        Candidates that took longer are no competitors.
    """

    total: int
    p: float = 0.1
    min_splits: int = 2
    test: str | None = None
    max_fit_seconds: float | None = None

    def gives_up(self, mine: Pairs, best: Pairs, usual: float = 0.0) -> bool:
        """Return whether to prune a candidate: it is not expected to become the best.

        Parameters
        ----------
        mine : mapping of (split, seed) to float
            The candidate's scores so far.
        best : mapping of (split, seed) to float
            All scores of the best candidate so far.
        usual : float
            Usual standard deviation of such differences; 0 where it is not known.
        """
        shared = sorted(set(mine) & set(best))
        if len(shared) < len(mine) or len({split for split, _ in shared}) < self.min_splits:
            return False
        test = self.test or ("wilcoxon" if self.total >= WILCOXON_FROM else "paired")
        if test == "wilcoxon":
            return _wilcoxon_gives_up(mine, best, shared, self.p)
        differences = np.array([mine[place] - best[place] for place in shared])
        return chance_to_lead(differences, self.total, usual) < self.p


def chance_to_lead(differences: np.ndarray, total: int, usual: float = 0.0) -> float:
    """Return the probability that the mean of all differences will be above zero.

    The remaining differences are predicted from the measured ones, all taken as draws of one
    normal distribution: the mean of all ``k`` given the first ``j`` has the mean ``m`` of these
    and the standard error ``s * sqrt((k - j) / (k * j))``, and follows Student's t with ``j - 1``
    degrees of freedom (the prediction interval for the mean of further draws: G. J. Hahn and
    W. Q. Meeker, "Statistical Intervals", 1991). At one decision, at most a share ``p`` of the
    candidates that would have become the best is pruned. The question is what the whole evaluation
    on these splits would give, not which configuration is better on new data; so no correction for
    overlapping training rows applies.

    Parameters
    ----------
    differences : ndarray of shape (j,)
        The candidate's scores minus those of the best, paired; at least two.
    total : int
        The ``k`` of a whole evaluation.
    usual : float
        A lower bound for the standard deviation: two differences may be close by chance.
    """
    from scipy.stats import t

    j, mean = len(differences), float(np.mean(differences))
    spread = max(float(np.std(differences, ddof=1)), usual)
    error = spread * np.sqrt((total - j) / (total * j))
    if error == 0:
        return float(mean >= 0)
    return float(t.sf(-mean / error, j - 1))


def _wilcoxon_gives_up(
    mine: Pairs, best: Pairs, shared: Sequence[tuple[int, int]], p: float
) -> bool:
    """Return the decision of Optuna's WilcoxonPruner, in a temporary study of two trials."""
    import optuna
    from optuna.trial import TrialState, create_trial

    study = optuna.create_study(direction="maximize")
    whole = {step: best[place] for step, place in enumerate(shared)}
    rest = [place for place in best if place not in mine]
    whole |= {len(shared) + step: best[place] for step, place in enumerate(rest)}
    value = float(np.mean(list(whole.values())))
    study.add_trial(create_trial(value=value, intermediate_values=whole))
    steps = {step: mine[place] for step, place in enumerate(shared)}
    running = create_trial(state=TrialState.RUNNING, intermediate_values=steps)
    return bool(optuna.pruners.WilcoxonPruner(p_threshold=p).prune(study, running))


def decide_pruning(
    measured: Sequence[SplitResult],
    epochs: Sequence[int],
    others: Iterable[TrialRecord],
    rule: Rule,
) -> bool:
    """Return whether to prune a cell: none of its epochs can beat the best candidate so far.

    Parameters
    ----------
    measured : sequence of SplitResult
        The cell's results so far.
    epochs : sequence of int
        The cell's epochs: each is a candidate of its own.
    others : iterable of TrialRecord
        Complete trials, the competitors.
    rule : Rule
        When to prune.
    """
    rows = [
        _pairs(trial.splits, epoch)
        for trial in others
        for epoch in trial.epochs
        if within_seconds(trial, rule.max_fit_seconds, epoch).state == "COMPLETE"
        and all(epoch in split.test for split in trial.splits)
    ]
    if not rows:
        return False
    best = max(rows, key=lambda row: float(np.mean(list(row.values()))))
    usual = usual_spread(best, [row for row in rows if row is not best])
    return all(rule.gives_up(_pairs(measured, epoch), best, usual) for epoch in epochs)


def usual_spread(best: Pairs, others: Sequence[Pairs]) -> float:
    """Return the median standard deviation of the others' differences from the best.

    Zero where there are fewer than :data:`MIN_OTHERS`.
    """
    if len(others) < MIN_OTHERS:
        return 0.0
    return float(np.median([np.std([row[k] - best[k] for k in best], ddof=1) for row in others]))


def _pairs(splits: Sequence[SplitResult], epoch: int) -> Pairs:
    return {(split.split, split.seed): split.test[epoch] for split in splits}
