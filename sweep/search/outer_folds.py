"""Outer folds of a nested cross-validation: each is a study of its own on a part of the rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import DataError
from sweep.search.splits import fold_splits
from sweep.support.file_names import outer_name

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        From 1.
    of : int
        Outer folds.
    """

    study: str
    number: int
    of: int

    @property
    def name(self) -> str:
        """The name of its own study in the ledger, which no list shows."""
        return outer_name(self.study, self.number, self.of)

    def plain(self) -> dict[str, Any]:
        """Return it as JSON-able values, for the header of its study."""
        return asdict(self)


def outer_folds(spec: StudySpec) -> list[OuterFold]:
    """Return the outer folds of a study; none unless it asks for them."""
    folds = spec.search.nested or 0
    return [OuterFold(spec.study.name, number, folds) for number in range(1, folds + 1)]


def outer_fold_spec(spec: StudySpec) -> StudySpec:
    """Return what an outer fold searches: the same, its choice always refitted and scored."""
    search = spec.search.model_copy(update={"nested": None, "refit": True})
    return spec.model_copy(update={"search": search})


def outer_fold_data(dataset: Dataset, part: Mapping[str, Any] | OuterFold | None) -> Dataset:
    """Return the rows of an outer fold: its training rows, and in place of the test set its own.

    Parameters
    ----------
    dataset : Dataset
        The study's. Its test rows are left out, so that no outer fold can reach them.
    part : mapping, Part or None
        As :meth:`OuterFold.plain` writes it; None returns the dataset itself.

    Raises
    ------
    DataError
        If the rows cannot be split so, or a class is missing from a fold's training rows.
    """
    if part is None:
        return dataset
    held = part if isinstance(part, OuterFold) else OuterFold(**part)
    train, test = fold_splits(held.of, dataset.y_train, dataset.groups)[held.number - 1]
    missing = np.setdiff1d(dataset.y_train, dataset.y_train[train])
    if len(missing):
        raise DataError(
            f"search.nested: the training rows of outer fold {held.number} have no row of class "
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
