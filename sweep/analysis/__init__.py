"""Which candidate to take, and how sure one may be: ranking, intervals, comparisons, choice."""

from sweep.analysis.binomial import clopper_pearson, share_interval
from sweep.analysis.choice import chosen, is_current, one_standard_error, rule, test_score
from sweep.analysis.comparisons import Comparison, compare, indistinguishable
from sweep.analysis.idle import idle, idle_records
from sweep.analysis.intervals import (
    Interval,
    interval,
    no_interval,
    resampled,
    score_interval,
    standard_error,
)
from sweep.analysis.missing_scores import missing_scores
from sweep.analysis.precision import arithmetic, mixture, precisions
from sweep.analysis.ranking import best, by_cost, distinct, fit_seconds, ranked
from sweep.analysis.repeatability import unrepeatable
from sweep.analysis.scorers import is_share, of_class, scorer, scoring
from sweep.analysis.study_differences import Pair, paired
from sweep.ledger.scores import (
    fit_scores,
    mean_score,
    other_means,
    several_scorers,
    split_scores,
)

__all__ = [
    "Comparison",
    "Interval",
    "Pair",
    "arithmetic",
    "best",
    "by_cost",
    "chosen",
    "clopper_pearson",
    "compare",
    "distinct",
    "fit_scores",
    "fit_seconds",
    "idle",
    "idle_records",
    "indistinguishable",
    "interval",
    "is_current",
    "is_share",
    "mean_score",
    "missing_scores",
    "mixture",
    "no_interval",
    "of_class",
    "one_standard_error",
    "other_means",
    "paired",
    "precisions",
    "ranked",
    "resampled",
    "rule",
    "score_interval",
    "scorer",
    "scoring",
    "several_scorers",
    "share_interval",
    "split_scores",
    "standard_error",
    "test_score",
    "unrepeatable",
]
