"""Names of scikit-learn's scorers, so that a check needs no scikit-learn; scorers of one's own."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from sweep.spec.problems import Problem, did_you_mean, shown
from sweep.support.code_references import is_reference

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


TAKEN = (*SCORERS, "score", "loss", "time")
"""Names of columns that no scorer of one's own may have."""


def is_scorer(name: Any) -> bool:
    """Return whether a study file may name this scorer; code of one's own is looked up later."""
    return isinstance(name, str) and (name in SCORERS or is_own_scorer(name))


def is_own_scorer(name: str) -> bool:
    """Return whether a scorer is the person's own code, and has a name that tables can take."""
    return ":" in name and is_reference(name) and column_of(name) not in TAKEN


def column_of(name: str) -> str:
    """Return what tables call a scorer: of one's own code the name behind the colon."""
    return name.rpartition(":")[2]


def listed(scoring: Any) -> tuple[Any, ...]:
    """Return the scorers of ``search.scoring``, which is one name or a list of names."""
    return tuple(scoring) if isinstance(scoring, list | tuple) else (scoring,)


def first_of(search: Mapping[str, Any]) -> str:
    """Return the scorer that ranks, of ``[search]`` as it was received."""
    names = listed(search.get("scoring", "accuracy"))
    return str(names[0]) if names else "accuracy"


def scorer_problems(search: Mapping[str, Any]) -> Iterator[Problem]:
    """Find what is wrong in a list of scorers: no name, unknown names, a name that stands twice.

    Of a single scorer, what is wrong with the name of one's own.
    """
    place, names = ("search", "scoring"), search.get("scoring")
    if isinstance(names, str) and (problem := _own_problem(names)):
        yield Problem(place, problem)
    if not isinstance(names, list | tuple):
        return
    if not names:
        yield Problem(place, 'must name a scorer, got an empty list; say scoring = "accuracy"')
    yield from _each_problem(place, names)


def _own_problem(name: str) -> str | None:
    """Return what is wrong with a name that has a colon."""
    if ":" not in name or is_own_scorer(name):
        return None
    if not is_reference(name):
        return f'must be a scorer or "module:function", got {shown(name)}'
    column = column_of(name)
    return (
        f'tables would call it "{column}", which has a meaning there already, got {shown(name)}; '
        "give the function another name"
    )


def _each_problem(place: tuple[str, ...], names: Sequence[Any]) -> Iterator[Problem]:
    columns = Counter(column_of(name) for name in {n for n in names if isinstance(n, str)})
    for name, times in Counter(map(shown, names)).items():
        given = next(each for each in names if shown(each) == name)
        if not isinstance(given, str):
            yield Problem((*place, name), f"must be the name of a scorer, got {name}")
        elif own := _own_problem(given):
            yield Problem((*place, given), own)
        elif not is_scorer(given):
            yield Problem((*place, given), f"no scorer named {name}{did_you_mean(given, SCORERS)}")
        elif times > 1:
            yield Problem((*place, given), f"stands {times} times; name each scorer once")
        elif columns[column_of(given)] > 1:
            text = f'tables would call more than one scorer "{column_of(given)}"'
            yield Problem((*place, given), f"{text}; give the functions different names")


def range_of(scoring: str) -> tuple[float, float]:
    """Return the worst and the best score that there can be."""
    if ":" in scoring:
        return -math.inf, math.inf
    if scoring.startswith("neg_"):
        return -math.inf, 0.0
    if scoring == "positive_likelihood_ratio":
        return 0.0, math.inf
    if scoring.startswith("d2_"):
        return -math.inf, 1.0
    return (-1.0 if scoring == "matthews_corrcoef" else 0.0), 1.0
