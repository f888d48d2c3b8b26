"""Names of scikit-learn's scorers for classification, so that a check needs no scikit-learn."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from sweep.spec.problems import Problem, did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SCORERS = (
    "accuracy",
    "average_precision",
    "balanced_accuracy",
    "d2_brier_score",
    "d2_log_loss_score",
    "f1",
    "f1_macro",
    "f1_micro",
    "f1_weighted",
    "jaccard",
    "jaccard_macro",
    "jaccard_micro",
    "jaccard_weighted",
    "matthews_corrcoef",
    "neg_brier_score",
    "neg_log_loss",
    "neg_negative_likelihood_ratio",
    "positive_likelihood_ratio",
    "precision",
    "precision_macro",
    "precision_micro",
    "precision_weighted",
    "recall",
    "recall_macro",
    "recall_micro",
    "recall_weighted",
    "roc_auc",
    "roc_auc_ovo",
    "roc_auc_ovo_weighted",
    "roc_auc_ovr",
    "roc_auc_ovr_weighted",
    "top_k_accuracy",
)
"""Scorers of one label a row; those for several labels a row (``f1_samples``) are left out."""


def listed(scoring: Any) -> tuple[Any, ...]:
    """Return the scorers of ``search.scoring``, which is one name or a list of names."""
    return tuple(scoring) if isinstance(scoring, list | tuple) else (scoring,)


def first_of(search: Mapping[str, Any]) -> str:
    """Return the scorer that ranks, of ``[search]`` as it was received."""
    names = listed(search.get("scoring", "accuracy"))
    return str(names[0]) if names else "accuracy"


def scorer_problems(search: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what is wrong in a list of scorers: no name, unknown names, a name that stands twice."""
    place, names = ("search", "scoring"), search.get("scoring")
    if not isinstance(names, list | tuple):
        return
    if not names:
        yield Problem(place, 'must name a scorer, got an empty list; say scoring = "accuracy"')
    yield from _each_problem(place, names)


def _each_problem(place: tuple[str, ...], names: Sequence[Any]) -> Iterator[Problem]:
    for name, times in Counter(map(shown, names)).items():
        given = next(each for each in names if shown(each) == name)
        if not isinstance(given, str):
            yield Problem((*place, name), f"must be the name of a scorer, got {name}")
        elif given not in SCORERS:
            yield Problem((*place, given), f"no scorer named {name}{did_you_mean(given, SCORERS)}")
        elif times > 1:
            yield Problem((*place, given), f"stands {times} times; name each scorer once")


def range_of(scoring: str) -> tuple[float, float]:
    """Return the worst and the best score that there can be."""
    if scoring.startswith("neg_"):
        return -math.inf, 0.0
    if scoring == "positive_likelihood_ratio":
        return 0.0, math.inf
    if scoring.startswith("d2_"):
        return -math.inf, 1.0
    return (-1.0 if scoring == "matthews_corrcoef" else 0.0), 1.0
