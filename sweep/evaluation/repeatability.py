"""Find out whether two fits of a user's estimator under one seed agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.evaluation.cross_validation import SearchData
from sweep.evaluation.estimator_fits import global_generators
from sweep.evaluation.pipeline_parts import unfitted
from sweep.evaluation.shared_steps import data_of, in_memory

if TYPE_CHECKING:
    from sweep.evaluation.pipeline_parts import Parts

ROWS = 1000
"""Training rows of each of the two fits; as many are predicted at most."""


def why_unrepeatable(parts: Parts, data: SearchData, seed: int) -> str:
    """Fit an estimator twice to some rows, and compare what it predicts.

    Of a pipeline that ends in a classifier of sweep's the steps before it are compared: that
    classifier tells itself where it is not repeatable.

    Parameters
    ----------
    parts : Parts
        A candidate, unfitted.
    data : SearchData
        The rows of the search.
    seed : int
        The study's seed.

    Returns
    -------
    str
        Why another run may measure something else; empty where both fits agree to the last bit,
        and where one fails: the cell then says why.
    """
    if parts.ours and not parts.steps:
        return ""
    some = data_of(parts, _some(data), {}, None)
    try:
        one, other = (_outcome(parts, some, seed) for _ in range(2))
    except Exception:  # noqa: BLE001 - an estimator of the user's may raise anything
        return ""
    if len(one) == len(other) and all(map(_same, one, other)):
        return ""
    named = "the steps before" if parts.ours else "two fits of"
    return f"{named} {type(parts.last).__name__} under one seed differ"


def _some(data: SearchData) -> SearchData:
    """Return at most :data:`ROWS` training and held-out rows of the first split."""
    train, test = (np.random.default_rng(0).permutation(rows)[:ROWS] for rows in data.splits[0])
    return SearchData(data.x, data.y, [(train, test)], data.positive)


def _outcome(parts: Parts, data: SearchData, seed: int) -> list[Any]:
    with global_generators(seed):
        rows = in_memory(data.rows(0))
        if parts.ours:
            return [rows.x_held]
        fitted = unfitted(parts.last).fit(rows.x_train, rows.y_train)
    methods = ("predict", "predict_proba", "decision_function")
    return [getattr(fitted, each)(rows.x_held) for each in methods if hasattr(fitted, each)]


def _same(one: Any, other: Any) -> bool:
    if hasattr(one, "toarray"):
        one, other = one.toarray(), other.toarray()
    one, other = np.asarray(one), np.asarray(other)
    if one.dtype.kind in "fc":
        return bool(np.array_equal(one, other, equal_nan=True))
    return bool(np.array_equal(one, other))
