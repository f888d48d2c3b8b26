"""Tidy frames from a study record, with scikit-learn's column names.

::

    StudyRecord -> candidates_frame   one row per candidate (GridSearchCV's cv_results_)
                -> folds_frame        one row per trial, split and epoch
                -> trials_frame, splits_frame, epochs_frame   all trials, whatever their state
                -> importances_frame  one row per parameter
                -> objectives_frame   one row per complete candidate; pareto: the best of them
    StudyRecords -> studies_frame, progress_frame, pairs_frame, settings_frame, shared_frame
    candidates_frame -> pivot         means and counts by parameter
                     -> plain_rows    what JSON and CSV hold
"""

from sweep.tables.bins import are_numbers, binned, in_quartiles, is_continuous, ranges
from sweep.tables.candidates import candidates_frame, distinct
from sweep.tables.comparison import (
    pairs_frame,
    progress_frame,
    settings_frame,
    shared_frame,
    studies_frame,
)
from sweep.tables.folds import folds_frame
from sweep.tables.labels import PREFIX, is_missing, ordered_values, parameter_names, plain_label
from sweep.tables.objectives import importances_frame, objectives_frame, pareto
from sweep.tables.pivot_parameters import default_pivots, study_pivots
from sweep.tables.pivots import Pivot, pivot
from sweep.tables.plain_rows import leaderboard_rows, plain_rows
from sweep.tables.trials import epochs_frame, splits_frame, trials_frame

__all__ = [
    "PREFIX",
    "Pivot",
    "are_numbers",
    "binned",
    "candidates_frame",
    "default_pivots",
    "distinct",
    "epochs_frame",
    "folds_frame",
    "importances_frame",
    "in_quartiles",
    "is_continuous",
    "is_missing",
    "leaderboard_rows",
    "objectives_frame",
    "ordered_values",
    "pairs_frame",
    "parameter_names",
    "pareto",
    "pivot",
    "plain_label",
    "plain_rows",
    "progress_frame",
    "ranges",
    "settings_frame",
    "shared_frame",
    "splits_frame",
    "studies_frame",
    "study_pivots",
    "trials_frame",
]
