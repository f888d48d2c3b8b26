"""A fitted search of scikit-learn, in Python: ``sweep.import_results(search, X, y)``."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.importing.cv_results import Splitting, from_cv_results
from sweep.importing.problems import refused
from sweep.importing.writing import write_import
from sweep.ledger.outcomes import DataRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sweep.study.result import StudyResult


def import_results(
    search: Any,
    X: Any,
    y: Any,
    *,
    name: str,
    groups: Any = None,
    storage: str | None = None,
) -> StudyResult:
    """Put a fitted search of scikit-learn into the ledger, to read it as a study.

    Parameters
    ----------
    search : estimator
        A fitted ``GridSearchCV``, ``RandomizedSearchCV`` or other search with ``cv_results_``.
    X, y : array-like
        What it was fitted on: the rows of its splits decide how certain a score is. Both are
        counted and digested, not kept.
    name : str
        The study's name.
    groups : array-like, optional
        Groups that were given to ``fit``.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.

    Returns
    -------
    StudyResult
        Its ``report()`` is the page.

    Raises
    ------
    ImportFileError
        If the search is not fitted, or its results make no study.
    LedgerError
        If the ledger has a study of that name.

    Examples
    --------
    >>> result = sweep.import_results(search, X, y, name="mine")  # doctest: +SKIP
    >>> result.report("mine.html")  # doctest: +SKIP
    """
    tool = type(search).__name__
    results = getattr(search, "cv_results_", None)
    if not isinstance(results, dict):
        raise refused(tool, "must be a fitted search: it has no cv_results_")
    splits = _splits(search, X, y, groups)
    count = int(getattr(search, "n_splits_", 0))
    if splits is not None and len(splits) != count:
        rule = f"has {count} splits, X and y make {len(splits)}: give what it was fitted on"
        raise refused(tool, rule)
    single = not getattr(search, "multimetric_", False)
    refit = getattr(search, "refit", True)
    found = from_cv_results(
        list(_rows(results)),
        tool,
        score=None if single else refit if isinstance(refit, str) else _first(results),
        scoring=_scoring(search) if single else None,
        tool=tool,
        splitting=Splitting(
            rows=[len(held) for held in splits or ()],
            repeats=_repeats(search, count),
            grouped=groups is not None,
        ),
    )
    import sklearn

    data = _data(search, X, y, splits)
    found = replace(found, version=sklearn.__version__, data=data, source="cv_results_")
    return write_import(found, name, storage)


def _rows(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield ``cv_results_`` candidate by candidate."""
    count = len(results["params"])
    kept = {name: values for name, values in results.items() if not name.startswith("param_")}
    for i in range(count):
        yield {name: _plain(values[i]) for name, values in kept.items()}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def _first(results: Mapping[str, Any]) -> str:
    return next(n.removeprefix("mean_test_") for n in results if n.startswith("mean_test_"))


def _scoring(search: Any) -> str:
    """Return the name of a single scorer."""
    said = getattr(search, "scoring", None)
    if isinstance(said, str):
        return said
    if said is None:
        from sklearn.base import is_classifier, is_regressor

        if is_classifier(search.estimator):
            return "accuracy"
        return "r2" if is_regressor(search.estimator) else "score"
    return str(getattr(said, "__name__", "score"))


def _splits(search: Any, X: Any, y: Any, groups: Any) -> list[Any] | None:
    """Return the held-out rows of each split; None where they cannot be made again."""
    from sklearn.base import is_classifier
    from sklearn.model_selection import check_cv

    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    try:
        return [np.asarray(test) for _, test in cv.split(X, y, groups)]
    except (ValueError, TypeError):
        return None


def _repeats(search: Any, splits: int) -> int:
    repeats = getattr(getattr(search, "cv", None), "n_repeats", 1)
    return repeats if isinstance(repeats, int) and splits % repeats == 0 else 1


def _is_repeatable(cv: Any) -> bool:
    """Return whether splits that are made again are the same ones."""
    shuffles = getattr(cv, "shuffle", False) or hasattr(cv, "n_repeats") or hasattr(cv, "test_size")
    return not shuffles or isinstance(getattr(cv, "random_state", None), int)


def _data(search: Any, X: Any, y: Any, splits: list[Any] | None) -> DataRecord:
    """Return what is known of the data; another study on the same rows has the same digest."""
    from sklearn.base import is_classifier

    rows, target = np.asarray(X), np.asarray(y)
    digest = ""
    if splits is not None and _is_repeatable(search.cv) and rows.dtype != object:
        made = hashlib.sha256()
        for each in (rows, target.astype(str), *splits):
            made.update(repr(each.shape).encode())
            made.update(np.ascontiguousarray(each).tobytes())
        digest = made.hexdigest()
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    if is_classifier(search.estimator) and target.ndim == 1:
        values, numbers = np.unique(target, return_counts=True)
        classes, counts = tuple(map(str, values)), tuple(int(n) for n in numbers)
    shape = tuple(int(side) for side in rows.shape[1:])
    return DataRecord("imported", digest, len(rows), 0, shape, classes, counts)
