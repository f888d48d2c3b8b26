"""Names of scikit-learn's scorers for classification, so that a check needs no scikit-learn."""

from __future__ import annotations

import math

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


def range_of(scoring: str) -> tuple[float, float]:
    """Return the worst and the best score that there can be."""
    if scoring.startswith("neg_"):
        return -math.inf, 0.0
    if scoring == "positive_likelihood_ratio":
        return 0.0, math.inf
    if scoring.startswith("d2_"):
        return -math.inf, 1.0
    return (-1.0 if scoring == "matthews_corrcoef" else 0.0), 1.0
