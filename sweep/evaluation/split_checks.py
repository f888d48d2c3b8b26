"""Check, before anything trains, that the rows of each split can be trained on and scored."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import ModelError, StudyFileError
from sweep.evaluation.class_counts import few_rows_problems
from sweep.evaluation.own_scorer_checks import own_scorer_problems
from sweep.evaluation.scoring import Scoring
from sweep.search.outer_folds import outer_fold_data, outer_fold_spec, outer_folds
from sweep.search.plan import first_lines
from sweep.search.splits import fewest_rows, make_splits
from sweep.spaces.combinations import combinations
from sweep.spec.scorers import is_own_scorer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from sweep.datasets import Dataset
    from sweep.search.splits import Split
    from sweep.spec import StudySpec

BINARY_SCORERS = {
    "f1": "f1_macro",
    "jaccard": "jaccard_macro",
    "neg_negative_likelihood_ratio": "balanced_accuracy",
    "positive_likelihood_ratio": "balanced_accuracy",
    "precision": "precision_macro",
    "recall": "recall_macro",
    "roc_auc": "roc_auc_ovr",
}
"""Scorers for two classes, and the one to use with more classes."""

NO_NUMBER = 1e12
"""A larger score comes from a division by almost zero."""

ROWS_TRIED = 2
"""Rows of each class that a trial of a scorer takes, as :meth:`Scoring.trial_score` does."""

WATCHING = ("EarlyStopping", "ReduceLROnPlateau")
"""Keras callbacks that monitor ``val_loss`` by default."""


class _ScoredRows(NamedTuple):
    """Rows that are scored: their labels, their name in messages, the remedy if they are too few.

    ``few`` is how many rows a trial of a scorer takes of each class of the study.
    """

    few: tuple[int, ...]
    labels: NDArray[Any]
    name: str
    remedy: str


def checked_splits(
    spec: StudySpec, dataset: Dataset, own: Mapping[str, Any] | None = None
) -> list[Split]:
    """Return the splits of a study's rows; refuse splits that cannot be trained on or scored.

    Parameters
    ----------
    spec : StudySpec
        The study.
    dataset : Dataset
        Its data, or that of an outer fold.
    own : mapping of str to callable, optional
        Scorers of the person's own, to try.

    Raises
    ------
    StudyFileError
        With every problem: a class with too few rows, a split that trains on one class, a scorer
        that cannot score the rows, early stopping with too few rows, weights of unknown classes.
    DataError
        As :func:`sweep.search.splits.make_splits`.
    """
    if problems := list(few_rows_problems(spec, dataset)):
        raise StudyFileError(spec.study.name, problems)
    splits = make_splits(spec, dataset.y_train, dataset.groups)
    problems = [
        *_weight_problems(spec, dataset),
        *_scoring_problems(spec, dataset, splits),
        *own_scorer_problems(own or {}, dataset, splits),
        *_training_problems(dataset, splits),
        *_rung_problems(spec, splits),
    ]
    if not problems:
        problems = list(_stopping_problems(spec, dataset, splits))
    if problems:
        raise StudyFileError(spec.study.name, first_lines(problems))
    return splits


def check_outer_folds(spec: StudySpec, dataset: Dataset) -> None:
    """Refuse outer folds whose rows cannot be split, before anything trains.

    Raises
    ------
    DataError
        As :func:`sweep.search.outer_folds.outer_fold_data`.
    StudyFileError
        As :func:`checked_splits`.
    """
    for fold in outer_folds(spec):
        rows = outer_fold_data(dataset, fold)
        try:
            checked_splits(outer_fold_spec(spec), rows)
        except StudyFileError as error:
            raise StudyFileError(fold.name, error.problems) from error


def unseen_classes(dataset: Dataset, splits: Sequence[Split]) -> list[str]:
    """Return a warning for each split that holds out rows of a class without training on it."""
    labels, warned = dataset.y_train, []
    for number, (train, test) in enumerate(splits, 1):
        unseen = np.intersect1d(_missing(dataset, labels[train]), labels[test])
        if len(unseen):
            warned.append(
                f"split {number} trains on no row of class {_names(dataset, unseen)} and holds "
                "some out: they count as wrong"
            )
    return first_lines(warned)


def _weight_problems(spec: StudySpec, dataset: Dataset) -> Iterator[str]:
    weights = spec.settled({})["class_weight"]
    labels = [str(label) for label in dataset.classes]
    shown = [
        label if label == name else f"{label} ({name})"
        for label, name in zip(labels, dataset.class_names, strict=True)
    ]
    named = [str(label) for label in weights] if isinstance(weights, Mapping) else []
    if unknown := [label for label in named if label not in labels]:
        name = "".join(spec.named("class_weight"))
        yield (
            f"model.{name}: no class is labelled {', '.join(unknown)}; the labels are "
            f"{', '.join(first_lines(shown))}"
        )


def _training_problems(dataset: Dataset, splits: Sequence[Split]) -> Iterator[str]:
    for number, (train, _) in enumerate(splits, 1):
        seen = np.unique(dataset.y_train[train])
        if len(seen) < 2:
            yield (
                f"search: split {number} would train on class {_names(dataset, seen)} alone, "
                "and a classifier needs two; take other splits or other groups"
            )


def _rung_problems(spec: StudySpec, splits: Sequence[Split]) -> Iterator[str]:
    least = spec.search.pruner.min_samples if spec.search.pruner else None
    rows = fewest_rows(splits)
    if least is not None and least >= rows:
        yield (
            f"search.pruner.min_samples: must be below the training rows of a split, {rows:,}, got "
            f'{least}; lower it, or leave resource = "n_samples" out'
        )


def _scoring_problems(spec: StudySpec, dataset: Dataset, splits: Sequence[Split]) -> Iterator[str]:
    scored = list(_scored_rows(spec, dataset, splits))
    for name in (each for each in spec.search.scorers if not is_own_scorer(each)):
        yield from _scorer_problems(name, dataset, scored)


def _scorer_problems(name: str, dataset: Dataset, scored: Sequence[_ScoredRows]) -> Iterator[str]:
    n_classes = len(dataset.classes)
    if n_classes > 2 and name in BINARY_SCORERS:
        yield (
            f'search.scoring: "{name}" is for two classes, these data have {n_classes}; take '
            f'"{BINARY_SCORERS[name]}"'
        )
        return
    first_is_positive = n_classes == 2 and dataset.positive == dataset.classes[0]
    for rows in scored:
        if why := _refusal(name, rows.few, 0 if first_is_positive else None):
            missing = _names(dataset, _missing(dataset, rows.labels))
            lack = f" without a row of class {missing}" if missing else f": {why}"
            yield f'search.scoring: "{name}" cannot score {rows.name}{lack}; {rows.remedy}'


def _scored_rows(
    spec: StudySpec, dataset: Dataset, splits: Sequence[Split]
) -> Iterator[_ScoredRows]:
    """Yield all rows that a study scores."""
    other = 'or a scorer that needs no such row, as "accuracy"'
    for number, (train, test) in enumerate(splits, 1):
        held_out, seen = dataset.y_train[test], dataset.y_train[train]
        remedy = f"take other splits, {other}"
        yield _scored(dataset, held_out, f"what split {number} holds out", remedy)
        if spec.search.train_scores:
            name = f"what split {number} trains on"
            remedy = f"take other splits, train_scores = false, {other}"
            yield _scored(dataset, seen, name, remedy)
    if spec.search.refit:
        remedy = f"take more test rows, refit = false, {other}"
        yield _scored(dataset, dataset.y_test, "the test rows", remedy)


def _scored(dataset: Dataset, labels: NDArray[Any], name: str, remedy: str) -> _ScoredRows:
    found = dict(
        zip(*(each.tolist() for each in np.unique(labels, return_counts=True)), strict=True)
    )
    few = tuple(min(found.get(each, 0), ROWS_TRIED) for each in dataset.classes)
    return _ScoredRows(few, labels, name, remedy)


@lru_cache(maxsize=10_000)
def _refusal(name: str, few: tuple[int, ...], positive: int | None) -> str:
    """Return why a scorer cannot score so many rows of each class; empty where it can.

    It tries two predictions, each with right and wrong ones in every class: a scorer that refuses
    only one of them refuses the prediction and not the labels. What it says does not depend on
    which rows they are, so that the splits of a study share an answer.
    """
    if not sum(few):
        return "there are none"
    labels = np.repeat(np.arange(len(few)), few)
    scoring = Scoring(name, np.arange(len(few)), positive)
    why = ""
    for turn in (0, 1):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                score = scoring.trial_score(labels, labels, turn)
            except ValueError as error:
                score, why = math.nan, str(error)
        if abs(score) < NO_NUMBER:
            return ""
    return why or "the score would be no number"


def _missing(dataset: Dataset, labels: NDArray[Any]) -> NDArray[Any]:
    return np.setdiff1d(dataset.y_train, labels)


def _names(dataset: Dataset, labels: NDArray[Any]) -> str:
    names = [dataset.class_names[dataset.classes.index(label)] for label in labels.tolist()]
    return ", ".join(first_lines(names))


# -- early stopping ------------------------------------------------------------------------------


def _stopping_problems(spec: StudySpec, dataset: Dataset, splits: Sequence[Split]) -> Iterator[str]:
    shares = held_out_shares(spec)
    if not shares:
        return
    from sweep.estimators.holdout import check_share

    for number, (train, _) in enumerate(splits, 1):
        for share in shares:
            try:
                check_share(dataset.y_train[train], share)
            except ModelError as error:
                yield f"model.{error} (met in split {number})"


def held_out_shares(spec: StudySpec) -> list[float]:
    """Return the smallest and the largest share of rows that a fit may hold out; empty for none."""
    names = spec.named("early_stopping", "callbacks", "validation_fraction")
    shares = []
    for params in combinations(spec.space.dimensions, names) if names else ():
        settings = spec.settled(params)
        if settings["early_stopping"] or _watches(settings["callbacks"]):
            shares.append(float(settings["validation_fraction"]))
    return sorted({min(shares), max(shares)}) if shares else []


def _watches(callbacks: Any) -> bool:
    """Return whether one of a study file's callbacks monitors rows that a fit holds out."""
    for each in callbacks or ():
        settings = each if isinstance(each, Mapping) else {"name": each}
        default = "val_loss" if settings.get("name") in WATCHING else ""
        if str(settings.get("monitor", default)).startswith("val_"):
            return True
    return False
