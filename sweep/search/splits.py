"""Splits of the training rows by scikit-learn's splitters, the same for a whole study."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.spec import StudySpec

Split = tuple[np.ndarray, np.ndarray]


def make_splits(
    spec: StudySpec, y: np.ndarray, groups: np.ndarray | None = None, *, shuffled: bool = False
) -> list[Split]:
    """Return the splits of a study.

    Parameters
    ----------
    spec : StudySpec
        ``search.cv`` (stratified, in file order as scikit-learn does; shuffled when repeated), or
        ``search.validation`` (one stratified, seeded split).
    y : ndarray of shape (n,)
        Training labels.
    groups : ndarray of shape (n,), optional
        All rows of a group are on the same side of a split.
    shuffled : bool, default False
        Shuffle the rows of one cross-validation by the study's seed: a further repeat.

    Returns
    -------
    list of (train, test)
        Row numbers, int64.

    Raises
    ------
    DataError
        If a class has fewer rows than there are splits.
    """
    grouped = groups is not None
    return _split(_splitter(spec, grouped=grouped, shuffled=shuffled), "search", y, groups)


def fewest_rows(splits: Sequence[Split]) -> int:
    """Return the training rows of the smallest split."""
    return min(len(train) for train, _ in splits)


def fold_splits(folds: int, y: np.ndarray, groups: np.ndarray | None = None) -> list[Split]:
    """Return the outer folds of a nested cross-validation, stratified, in file order.

    Raises
    ------
    DataError
        If a class has fewer rows than there are folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    return _split(kind(folds), "search.nested", y, groups)


def _split(splitter: Any, place: str, y: np.ndarray, groups: np.ndarray | None) -> list[Split]:
    with warnings.catch_warnings():
        # scikit-learn only warns if a class has fewer rows than there are splits
        warnings.simplefilter("error", UserWarning)
        try:
            return list(splitter.split(np.zeros(len(y)), y, groups))
        except (ValueError, UserWarning) as error:
            raise DataError(f"{place}: the rows cannot be split as asked: {error}") from error


def _splitter(spec: StudySpec, *, grouped: bool, shuffled: bool) -> Any:
    from sklearn import model_selection

    search, seed = spec.search, spec.study.seed
    if search.validation is not None:
        kind = (
            model_selection.GroupShuffleSplit if grouped else model_selection.StratifiedShuffleSplit
        )
        return kind(1, test_size=search.validation, random_state=seed)
    if grouped:
        return _grouped(search.cv, search.repeats)
    if search.repeats > 1:
        return model_selection.RepeatedStratifiedKFold(
            n_splits=search.cv, n_repeats=search.repeats, random_state=seed
        )
    random = {"shuffle": True, "random_state": seed} if shuffled else {}
    return model_selection.StratifiedKFold(search.cv, **random)


def _grouped(cv: int | None, repeats: int) -> Any:
    from sklearn.model_selection import StratifiedGroupKFold

    if repeats > 1:
        raise DataError(
            "search.repeats: splits by groups cannot be repeated, got groups and repeats"
        )
    return StratifiedGroupKFold(cv)
