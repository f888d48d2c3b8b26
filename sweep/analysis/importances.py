"""How much each parameter mattered for the score, computed once, when a study ends."""

from __future__ import annotations

import math
import time
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.analysis import distinct, mean_score, ranked
from sweep.ledger.outcomes import ImportanceRecord
from sweep.spaces import Choices, same

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.spaces import Dimension

FEWEST = 20
"""Complete candidates below which no importances are computed."""

FANOVA_FROM = 50
"""Complete candidates from which a forest is fitted: ``benchmarks/importances.py`` measures why."""

FANOVA_MOST = 200
"""Candidates that a forest is fitted to: a few seconds; 1,000 of them took 37."""

TREES = 32
BEST_SHARE, BEST_FEWEST = 0.1, 5
"""PED-ANOVA compares the best tenth with all; Optuna advises five candidates among the best."""


def importances(record: StudyRecord) -> ImportanceRecord:
    """Compute what share of the score's differences each parameter accounts for.

    Complete, ranked candidates enter, each once; pruned, failed and infeasible ones never do. From
    50 of them on by fANOVA (F. Hutter, H. Hoos and K. Leyton-Brown, "An efficient approach for
    assessing hyperparameter importance", ICML 2014): the variance of the score over the space that
    each parameter explains alone, as a random forest predicts it. Below that by PED-ANOVA (S.
    Watanabe, A. Bansal and F. Hutter, IJCAI 2023; conditional parameters as in arXiv:2601.20800):
    how much the best candidates' values differ from those of all. Parameters on a logarithmic scale
    enter by their logarithm.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    ImportanceRecord
        Without values, and with the reason, where there is too little to say.
    """
    found = distinct(ranked(record))
    dimensions = record.settings.space.dimensions
    varied = {n: d for n, d in dimensions.items() if len({str(c.params.get(n)) for c in found}) > 1}
    if len(found) < FEWEST:
        return _none(found, f"fewer than {FEWEST} complete candidates")
    if len({mean_score(c) for c in found}) < 2:
        return _none(found, "every candidate has the same score")
    began = time.perf_counter()
    everywhere = [n for n in varied if all(n in c.params for c in found)]
    forest = len(found) >= FANOVA_FROM and bool(everywhere)
    names = everywhere if forest else list(varied)
    used = _subset(found) if forest else found
    values = _evaluated(used, {n: varied[n] for n in names}, forest=forest)
    return ImportanceRecord(
        evaluator="fANOVA" if forest else "PED-ANOVA",
        values=values,
        n=len(used),
        complete=len(found),
        seconds=round(time.perf_counter() - began, 3),
        caution=_caution(record, len(used), len(found), forest=forest),
        left_out=tuple(n for n in dimensions if n not in names),
    )


def is_current(record: StudyRecord) -> bool:
    """Return whether the stored importances are of the candidates that are complete now."""
    held = record.importances
    return held is not None and held.complete == len(distinct(ranked(record)))


def fanova() -> Any:
    """Return Optuna's fANOVA with fewer trees than its own 64, which halves the time."""
    from optuna.importance import FanovaImportanceEvaluator

    return FanovaImportanceEvaluator(n_trees=TREES, seed=0)


def ped_anova(n: int) -> Any:
    """Return Optuna's PED-ANOVA with at least five of ``n`` candidates among the best."""
    from optuna.importance import PedAnovaImportanceEvaluator

    return PedAnovaImportanceEvaluator(target_quantile=max(BEST_SHARE, BEST_FEWEST / n))


def _none(found: Sequence[Candidate], reason: str) -> ImportanceRecord:
    return ImportanceRecord("", {}, 0, len(found), reason=reason)


def _subset(found: Sequence[Candidate]) -> Sequence[Candidate]:
    """Draw what a forest can take in a few seconds, the same for the same study."""
    if len(found) <= FANOVA_MOST:
        return found
    picked = np.random.default_rng(0).choice(len(found), FANOVA_MOST, replace=False)
    return [found[i] for i in sorted(picked)]


def _evaluated(
    found: Sequence[Candidate], space: Mapping[str, Dimension], *, forest: bool
) -> dict[str, float]:
    import optuna
    from optuna.importance import get_param_importances

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distributions = {name: _distribution(dimension) for name, dimension in space.items()}
    study = optuna.create_study(direction="maximize")
    for candidate in found:
        params = {n: _number(space[n], v) for n, v in candidate.params.items() if n in space}
        trial = optuna.trial.create_trial(
            params=params,
            distributions={n: distributions[n] for n in params},
            value=mean_score(candidate),
        )
        study.add_trial(trial)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what Optuna warns of stands in the caution
        evaluator = fanova() if forest else ped_anova(len(found))
        values = get_param_importances(study, evaluator=evaluator, params=list(space))
    return {name: round(float(value), 4) for name, value in values.items()}


def _distribution(dimension: Dimension) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(dimension, Choices):
        return CategoricalDistribution(tuple(range(len(dimension.values))))
    low, high = float(dimension.low), float(dimension.high)
    if dimension.log:
        return FloatDistribution(math.log(low), math.log(high))
    return FloatDistribution(low, high)


def _number(dimension: Dimension, value: Any) -> float:
    """Return a value as the distribution of :func:`_distribution` holds it."""
    if isinstance(dimension, Choices):
        return next(i for i, choice in enumerate(dimension.values) if same(choice, value))
    return math.log(value) if dimension.log else float(value)


def _caution(record: StudyRecord, used: int, complete: int, *, forest: bool) -> str:
    what = (
        "Share of the score's variance over the space that a parameter explains alone, as a "
        "forest predicts it"
        if forest
        else "How much the values of the best candidates differ from those of all, as shares"
    )
    drawn = f", on {used:,} drawn from {complete:,}" if used < complete else ""
    where = (
        " The sampler tried more where scores were high, so a parameter that it settled early can "
        "look unimportant."
        if record.settings.search.method_row.learns
        else ""
    )
    few = "" if forest else " With few candidates the order can be chance."
    return f"{what}{drawn}; it says nothing of values that were not tried.{where}{few}"
