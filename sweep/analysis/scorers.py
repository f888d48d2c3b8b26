"""What a study is scored by, in words: of two classes some scorers look at the positive one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.spec.scorers import column_of, is_own_scorer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import StudyRecord

OF_ONE_CLASS = (
    "average_precision", "f1", "jaccard", "neg_negative_likelihood_ratio",
    "positive_likelihood_ratio", "precision", "recall",
)  # fmt: skip
"""Scorers that change with the class that is the positive one; the others do not."""


UNIT = (
    "accuracy", "average_precision", "balanced_accuracy", "f1", "jaccard", "precision", "recall",
    "roc_auc", "top_k_accuracy",
)  # fmt: skip
"""Beginnings of the names of scorers that lie between 0 and 1."""

SHARES = (
    "accuracy", "f1_micro", "precision_micro", "recall_micro", "recall_weighted",
    "top_k_accuracy",
)  # fmt: skip
"""Scorers that are the share of right rows, where each row has one class."""


def in_unit_interval(record: StudyRecord) -> bool:
    """Return whether a study's scores lie between 0 and 1."""
    return not is_own_scorer(scoring(record)) and scoring(record).startswith(UNIT)


def is_share(record: StudyRecord) -> bool:
    """Return whether a study's scores are shares of right rows."""
    return scoring(record) in SHARES


def scoring(record: StudyRecord) -> str:
    """Return the name of the scorer that ranks, as the study file has it."""
    return record.settings.search.scorer


def scorer(record: StudyRecord) -> str:
    """Return the scorer as tables call it and, where it looks at one class of two, that class."""
    return of_class(column_of(scoring(record)), record.data.positive)


def identity(record: StudyRecord) -> str:
    """Return what scores must share to compare: scorer and class, of one's own also its code."""
    name = scoring(record)
    if not is_own_scorer(name):
        return scorer(record)
    return own_identity(name, record.environment)


def own_identity(name: str, code: Mapping[str, str]) -> str:
    """Return a scorer of one's own with the digest of its module."""
    return f"{name} ({code.get(name.partition(':')[0], '')})"


def of_class(name: str, positive: str) -> str:
    """Return ``"f1 of class ill"``; the name alone where no class is the positive one."""
    return f"{name} of class {positive}" if positive and name in OF_ONE_CLASS else name
