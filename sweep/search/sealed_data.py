"""Data in two parts: training rows, which a search uses, and sealed test rows.

Only :func:`sweep.evaluation.test_set.open_test_set` breaks the seal; a test checks that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sweep.datasets import Dataset


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The part of a dataset that a search, a refit and a worker have.

    Attributes
    ----------
    x_train : ndarray of shape (n, ...)
        Pixels.
    y_train : ndarray of shape (n,)
        Labels.
    class_names : tuple of str
        One name for each class, in the order of the sorted labels.
    groups : ndarray of shape (n,), optional
        The group of each row.
    positive : int, optional
        Label of the positive class of two, if the study file names it.
    """

    x_train: NDArray[Any]
    y_train: NDArray[Any]
    class_names: tuple[str, ...]
    groups: NDArray[Any] | None = None
    positive: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row."""
        return tuple(int(size) for size in self.x_train.shape[1:])


class SealedTest:
    """The test rows of a study; no attribute gives access to them."""

    __slots__ = ("_break_seal",)
    _break_seal: Callable[[], tuple[NDArray[Any], NDArray[Any]]]

    def __init__(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        self._break_seal = lambda: (x, y)  # a closure: nothing reads the rows by accident


def seal(dataset: Dataset) -> tuple[TrainingRows, SealedTest]:
    """Return a dataset's training rows, and its test rows sealed."""
    rows = dataset.x_train, dataset.y_train, dataset.class_names, dataset.groups
    return TrainingRows(*rows, dataset.positive), SealedTest(dataset.x_test, dataset.y_test)
