"""Outer folds of a nested cross-validation: each is a study of its own on some of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError
from sweep.search.splits import fold_splits
from sweep.support.file_names import outer_name

if TYPE_CHECKING:
    from sweep.datasets import Dataset
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class OuterFold:
    """One outer fold.

    Attributes
    ----------
    study : str
        The study whose search is repeated.
    number : int
        Number of the fold, from 1.
    of : int
        Number of outer folds.
    """

    study: str
    number: int
    of: int

    @property
    def name(self) -> str:
        """The name of its own study in the ledger; lists do not show it."""
        return outer_name(self.study, self.number, self.of)

    def plain(self) -> dict[str, Any]:
        """Return its fields as JSON-able values, for the header of its study."""
        return asdict(self)


def outer_folds(spec: StudySpec) -> list[OuterFold]:
    """Return the outer folds of a study; empty unless ``search.nested`` is set."""
    folds = spec.search.nested or 0
    return [OuterFold(spec.study.name, number, folds) for number in range(1, folds + 1)]


def outer_fold_spec(spec: StudySpec) -> StudySpec:
    """Return the study file of an outer fold: the same search, always with refit and score."""
    search = spec.search.model_copy(update={"nested": None, "refit": True})
    return spec.model_copy(update={"search": search})


def outer_fold_data(dataset: Dataset, fold: Mapping[str, Any] | OuterFold | None) -> Dataset:
    """Return the data of an outer fold: its training rows, and its held-out rows as the test set.

    Parameters
    ----------
    dataset : Dataset
        The study's data. Its test rows are left out, so that no outer fold can use them.
    fold : mapping, OuterFold or None
        The fold, or what :meth:`OuterFold.plain` returned. None, and a further repeat, return the
        dataset itself.

    Raises
    ------
    DataError
        If the rows cannot be split, or a class is missing from a fold's training rows.
    """
    if fold is None or (isinstance(fold, Mapping) and "of" not in fold):
        return dataset
    outer = fold if isinstance(fold, OuterFold) else OuterFold(**fold)
    train, test = fold_splits(outer.of, dataset.y_train, dataset.groups)[outer.number - 1]
    missing = np.setdiff1d(dataset.y_train, dataset.y_train[train])
    if len(missing):
        raise DataError(
            f"search.nested: the training rows of outer fold {outer.number} have no row of class "
            f"{dataset.class_names[dataset.classes.index(int(missing[0]))]}; take fewer folds or "
            "other groups"
        )
    groups = None if dataset.groups is None else dataset.groups[train]
    return replace(
        dataset,
        x_train=dataset.x_train[train],
        y_train=dataset.y_train[train],
        x_test=dataset.x_train[test],
        y_test=dataset.y_train[test],
        groups=groups,
    )
