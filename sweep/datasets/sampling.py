"""Select rows: the first ones, a stratified sample, one class against the rest."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sweep.errors import DataError

if TYPE_CHECKING:
    from sweep.datasets.dataset import Dataset

SAMPLES = ("first", "stratified")
"""The ways to take a subset of the rows."""

Rows = NDArray[np.intp]


def take_rows(dataset: Dataset, train: Rows | None, test: Rows | None) -> Dataset:
    """Return a dataset with these rows (None: all) and the names of the remaining classes."""
    if train is not None:
        groups = None if dataset.groups is None else dataset.groups[train]
        y_train = dataset.y_train[train]
        names = dict(zip(dataset.classes, dataset.class_names, strict=True))
        left = tuple(names[label] for label in np.unique(y_train).tolist())
        x_train = dataset.x_train[train]
        dataset = replace(
            dataset, x_train=x_train, y_train=y_train, class_names=left, groups=groups
        )
    if test is not None:
        dataset = replace(dataset, x_test=dataset.x_test[test], y_test=dataset.y_test[test])
    return dataset


def subset(
    dataset: Dataset, train_rows: int | None, test_rows: int | None, sample: str, seed: int
) -> Dataset:
    """Return a dataset with so many training and test rows (None: all), in file order.

    Raises
    ------
    DataError
        For more rows than there are, or for fewer than a stratified sample needs.
    """
    train = _choose("train_rows", dataset.y_train, train_rows, sample, seed)
    # A seed of its own, so that the test rows do not depend on train_rows.
    test = _choose("test_rows", dataset.y_test, test_rows, sample, seed + 1)
    return take_rows(dataset, train, test)


def _choose(key: str, y: NDArray[Any], n: int | None, sample: str, seed: int) -> Rows | None:
    """Return the chosen row numbers, None for all."""
    if n is None:
        return None
    check_count(key, n, len(y))
    if sample == "first":
        return np.arange(n)
    classes = len(np.unique(y))
    if n < classes:
        raise DataError(
            f"{key}: a stratified sample needs a row of each of the {classes} classes, got {n}"
        )
    return stratified_rows(y, n, np.random.default_rng(seed))


def check_count(key: str, n: int, available: int) -> None:
    """Refuse a number of rows that is not a positive integer, or larger than there are rows."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise DataError(f"{key}: must be a whole number of at least 1, got {n!r}")
    if n > available:
        raise DataError(f"{key}: there are {available} rows, got {n}; ask for fewer or for all")


def stratified_rows(y: NDArray[Any], n: int, rng: np.random.Generator, spare: int = 0) -> Rows:
    """Draw ``n`` rows in proportion to the classes, at least one of each, in file order.

    Parameters
    ----------
    y : ndarray of shape (rows,)
        Labels.
    n : int
        Rows to draw: at least one for each class.
    rng : numpy.random.Generator
        Draws the rows of each class.
    spare : int, default=0
        Rows of each class that must not be drawn.

    Returns
    -------
    ndarray of shape (n,)
        Row numbers, ascending.
    """
    classes, counts = np.unique(y, return_counts=True)
    shares = _shares(counts, n, counts - spare)
    drawn = [
        rng.choice(np.flatnonzero(y == label), size=share, replace=False)
        for label, share in zip(classes, shares, strict=True)
    ]
    return np.asarray(np.sort(np.concatenate(drawn)), dtype=np.intp)


def _shares(counts: NDArray[Any], n: int, limits: NDArray[Any]) -> NDArray[Any]:
    """Return the rows of each class by the largest remainder, between 1 and the limits."""
    quotas = counts * n / counts.sum()
    shares: NDArray[Any] = np.clip(np.floor(quotas).astype(np.int64), 1, limits)
    while shares.sum() < n:
        shares[np.argmax(np.where(shares < limits, quotas - shares, -np.inf))] += 1
    while shares.sum() > n:
        shares[np.argmax(np.where(shares > 1, shares - quotas, -np.inf))] -= 1
    return shares


def split_test(y: NDArray[Any], fraction: float, seed: int) -> tuple[Rows, Rows]:
    """Split off a stratified share of test rows, with a row of each class on either side.

    Every class needs two rows; the share is rounded up to whole rows.

    Returns
    -------
    train, test : ndarray
        Row numbers, ascending.
    """
    classes = len(np.unique(y))
    # Without the subtraction 0.07 * 100 = 7.000000000000001 would become 8 rows.
    wanted = ceil(fraction * len(y) - 1e-9)
    n = min(max(wanted, classes), len(y) - classes)
    test = stratified_rows(y, n, np.random.default_rng(seed), spare=1)
    return np.setdiff1d(np.arange(len(y)), test), test


def split_test_groups(
    where: str, y: NDArray[Any], groups: NDArray[Any], fraction: float, seed: int
) -> tuple[Rows, Rows]:
    """Split off whole groups, near to a share of the rows and to the proportions of the classes.

    Returns
    -------
    train, test : ndarray
        Row numbers, ascending.

    Raises
    ------
    DataError
        If there are too few groups, or a class has none to train on.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    smaller = min(fraction, 1 - fraction)
    parts = max(2, round(1 / smaller))
    least = min(np.unique(y, return_counts=True)[1])
    parts = min(parts, len(np.unique(groups)), int(least))
    if parts < 2:
        raise DataError(f"{where}: must have at least 2 groups to draw test rows, got one")
    folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    rest, part = next(folds.split(np.zeros(len(y)), y, groups))
    train, test = (rest, part) if fraction <= 1 / 2 else (part, rest)
    if len(lacking := np.setdiff1d(y, y[train])):
        raise DataError(
            f"{where}: all groups of class {lacking[0]} were drawn as test rows; say in a column "
            "split which rows are which, or take another seed"
        )
    return np.sort(train), np.sort(test)


def one_against_rest(dataset: Dataset, one: int | str, rest_rows: int | None, seed: int) -> Dataset:
    """Relabel one class as 1 and all others as 0, with names such as ``"6"`` and ``"not 6"``.

    Parameters
    ----------
    dataset : Dataset
        With its original labels.
    one : int or str
        The class, by its name or its label. All its training rows stay.
    rest_rows : int or None
        Training rows of the other classes, drawn at random; None for all of them.
    seed : int
        Seed of that draw.

    Returns
    -------
    Dataset
        Rows in file order; all test rows.

    Raises
    ------
    DataError
        For an unknown class, and for more rows than the other classes have.
    """
    label, name = _find_class(dataset, one)
    is_one = dataset.y_train == label
    relabelled = replace(
        dataset,
        y_train=is_one.astype(np.int64),
        y_test=(dataset.y_test == label).astype(np.int64),
        class_names=(f"not {name}", name),
    )
    if rest_rows is None:
        return relabelled
    others = np.flatnonzero(~is_one)
    check_count("rest_rows", rest_rows, len(others))
    drawn = np.random.default_rng(seed).choice(others, size=rest_rows, replace=False)
    return take_rows(relabelled, np.sort(np.concatenate([np.flatnonzero(is_one), drawn])), None)


def with_positive(dataset: Dataset, positive: int | str) -> Dataset:
    """Return the dataset with the positive one of its two classes set, by name or label.

    Raises
    ------
    DataError
        For an unknown class, and where there are not two classes.
    """
    if len(dataset.classes) != 2:
        raise DataError(
            f"positive: names one of two classes, and {dataset.name} has {len(dataset.classes)}, "
            f"got {positive!r}; tell a class from the rest with one_vs_rest, or leave it out"
        )
    label, _ = _find_class(dataset, positive, "positive")
    return replace(dataset, positive=label)


def _find_class(dataset: Dataset, one: int | str, key: str = "one_vs_rest") -> tuple[int, str]:
    """Return label and name of a class given by either; if names are numbers, names go first."""
    known = list(zip(dataset.classes, dataset.class_names, strict=True))
    numbers = any(_number(name) is not None for name in dataset.class_names)
    wanted = _number(one)
    for label, name in known:
        if str(one) == name:
            return label, name
    for label, name in known:
        if wanted is not None and wanted == (_number(name) if numbers else label):
            return label, name
    raise DataError(
        f"{key}: no class {one!r} in {dataset.name}; there are: {', '.join(dataset.class_names)}"
    )


def _number(value: object) -> int | None:
    """Return a value as a whole number: 7 for 7, "7" and "07"; None for others."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer | str):
        return None
    try:
        return int(value)
    except ValueError:
        return None
