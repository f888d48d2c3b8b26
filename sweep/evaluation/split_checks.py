"""Whether the rows of each split can be trained on and scored, before anything trains."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sweep.errors import ModelError, StudyFileError
from sweep.evaluation.class_counts import few_rows_problems
from sweep.evaluation.scoring import Scoring
from sweep.search.outer_folds import outer_fold_data, outer_fold_spec, outer_folds
from sweep.search.plan import first_lines
from sweep.search.splits import make_splits
from sweep.spaces.combinations import combinations
from sweep.spec.fit_parameters import settled

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
"""Scorers for two classes, and what stands for them with more."""

NO_NUMBER = 1e12
"""A score beyond it has been divided by next to nothing."""

WATCHING = ("EarlyStopping", "ReduceLROnPlateau")
"""Keras callbacks that watch ``val_loss`` unless they are told otherwise."""


class _Part(NamedTuple):
    """Labels of rows that are scored, what to call them, and what helps where they are too few."""

    labels: NDArray[Any]
    name: str
    remedy: str


def checked_splits(spec: StudySpec, dataset: Dataset) -> list[Split]:
    """Return the splits of a study's rows, which can be trained on and scored as it asks.

    Parameters
    ----------
    spec : StudySpec
        The study.
    dataset : Dataset
        Its data, or those of an outer fold.

    Raises
    ------
    StudyFileError
        With every problem: a class with too few rows, a split that trains on one class, a scorer
        that rows do not allow, early stopping with too few rows, weights of classes that are not
        there.
    DataError
        As :func:`sweep.search.splits.make_splits`.
    """
    if problems := list(few_rows_problems(spec, dataset)):
        raise StudyFileError(spec.study.name, problems)
    splits = make_splits(spec, dataset.y_train, dataset.groups)
    problems = [
        *_weight_problems(spec, dataset),
        *_scoring_problems(spec, dataset, splits),
        *_training_problems(dataset, splits),
    ]
    if not problems:
        problems = list(_stopping_problems(spec, dataset, splits))
    if problems:
        raise StudyFileError(spec.study.name, first_lines(problems))
    return splits


def check_outer_folds(spec: StudySpec, dataset: Dataset) -> None:
    """Refuse outer folds that cannot be split as the study asks, before anything trains.

    Raises
    ------
    DataError
        As :func:`sweep.search.outer_folds.outer_fold_data`.
    StudyFileError
        As :func:`checked_splits`.
    """
    for part in outer_folds(spec):
        rows = outer_fold_data(dataset, part)
        try:
            checked_splits(outer_fold_spec(spec), rows)
        except StudyFileError as error:
            raise StudyFileError(part.name, error.problems) from error


def unseen_classes(dataset: Dataset, splits: Sequence[Split]) -> list[str]:
    """Say which splits train without a class that stands in what they hold out."""
    labels, said = dataset.y_train, []
    for number, (train, test) in enumerate(splits, 1):
        held = np.intersect1d(_missing(dataset, labels[train]), labels[test])
        if len(held):
            said.append(
                f"split {number} trains on no row of class {_names(dataset, held)} and holds some "
                "out: they count as wrong"
            )
    return first_lines(said)


def _weight_problems(spec: StudySpec, dataset: Dataset) -> Iterator[str]:
    weights = spec.model.params.get("class_weight")
    labels = [str(label) for label in dataset.classes]
    said = [
        label if label == name else f"{label} ({name})"
        for label, name in zip(labels, dataset.class_names, strict=True)
    ]
    named = [str(label) for label in weights] if isinstance(weights, Mapping) else []
    if unknown := [label for label in named if label not in labels]:
        yield (
            f"model.class_weight: no class is labelled {', '.join(unknown)}; the labels are "
            f"{', '.join(first_lines(said))}"
        )


def _training_problems(dataset: Dataset, splits: Sequence[Split]) -> Iterator[str]:
    for number, (train, _) in enumerate(splits, 1):
        seen = np.unique(dataset.y_train[train])
        if len(seen) < 2:
            yield (
                f"search: split {number} would train on class {_names(dataset, seen)} alone, "
                "and a classifier needs two; take other splits or other groups"
            )


def _scoring_problems(spec: StudySpec, dataset: Dataset, splits: Sequence[Split]) -> Iterator[str]:
    name, n_classes = spec.search.scoring, len(dataset.classes)
    if n_classes > 2 and name in BINARY_SCORERS:
        yield (
            f'search.scoring: "{name}" is for two classes, these data have {n_classes}; take '
            f'"{BINARY_SCORERS[name]}"'
        )
        return
    scoring = Scoring(name, dataset.y_train, dataset.positive)
    for part in _parts(spec, dataset, splits):
        if why := _refusal(scoring, part.labels):
            missing = _names(dataset, _missing(dataset, part.labels))
            lack = f" without a row of class {missing}" if missing else f": {why}"
            yield f'search.scoring: "{name}" cannot score {part.name}{lack}; {part.remedy}'


def _parts(spec: StudySpec, dataset: Dataset, splits: Sequence[Split]) -> Iterator[_Part]:
    """List everything that a study scores."""
    other = 'or a scorer that needs no such row, as "accuracy"'
    for number, (train, test) in enumerate(splits, 1):
        held, seen = dataset.y_train[test], dataset.y_train[train]
        yield _Part(held, f"what split {number} holds out", f"take other splits, {other}")
        if spec.search.train_scores:
            name = f"what split {number} trains on"
            yield _Part(seen, name, f"take other splits, train_scores = false, {other}")
    if spec.search.refit:
        remedy = f"take more test rows, refit = false, {other}"
        yield _Part(dataset.y_test, "the test rows", remedy)


def _refusal(scoring: Scoring, labels: NDArray[Any]) -> str:
    """Say why a scorer refuses labels, whatever is predicted of them; empty where it does not.

    Two predictions are tried that get something right and something wrong in each class.
    """
    if not len(labels):
        return "there are none"
    why = ""
    for turn in (0, 1):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                score = scoring.tried(labels, turn)
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
    """Return the least and the largest part of its rows that a fit may hold out, if any does."""
    names = ("early_stopping", "callbacks", "validation_fraction")
    shares = []
    for params in combinations(spec.space.dimensions, names):
        settings = settled(spec.model.params, params)
        if settings["early_stopping"] or _watches(settings["callbacks"]):
            shares.append(float(settings["validation_fraction"]))
    return sorted({min(shares), max(shares)}) if shares else []


def _watches(callbacks: Any) -> bool:
    """Whether one of a study file's callbacks watches rows that a fit holds out."""
    for each in callbacks or ():
        settings = each if isinstance(each, Mapping) else {"name": each}
        usual = "val_loss" if settings.get("name") in WATCHING else ""
        if str(settings.get("monitor", usual)).startswith("val_"):
            return True
    return False
