"""Check that each class has enough rows for the splits of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.datasets.holdout_sizes import share_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sweep.datasets import Dataset
    from sweep.spec import StudySpec


def few_rows_problems(spec: StudySpec, dataset: Dataset) -> Iterator[str]:
    """Yield problems: a class with fewer rows than splits, a validation share that is too small.

    Parameters
    ----------
    spec : StudySpec
        The study.
    dataset : Dataset
        Its data, or that of an outer fold.
    """
    search = spec.search
    for key, folds in (("cv", search.cv), ("nested", search.nested)):
        if folds is not None and (key == "nested" or search.validation is None):
            yield from _rare(dataset, key, folds)
    if search.validation is not None and dataset.groups is None:
        names = dict(zip(dataset.classes, dataset.class_names, strict=True))
        labels, share = dataset.y_train, search.validation
        if problem := share_problem(labels, share, "search.validation", names):
            yield f"search.validation: holds out {problem}"


def _rare(dataset: Dataset, key: str, folds: int) -> Iterator[str]:
    rows, name = min(zip(dataset.class_counts, dataset.class_names, strict=True))
    if rows < folds:
        fewer = f"take search.{key} = {rows}, or" if rows > 1 else "give"
        yield (
            f"search.{key}: {folds} splits need {folds} rows of each class, and class {name} has "
            f"{rows}; {fewer} more rows of it"
        )
