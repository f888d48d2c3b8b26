"""Data in two parts: training rows, which a search sees, and test rows under a seal.

Only :func:`sweep.evaluation.test_set.open_test_set` breaks the seal, and a test holds it to that.
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
    """All that a search, a refit and a worker ever hold of a dataset.

    Attributes
    ----------
    x_train : ndarray of shape (n, ...)
        Pixels.
    y_train : ndarray of shape (n,)
        Labels.
    class_names : tuple of str
        One name a class, in the order of the sorted labels.
    groups : ndarray of shape (n,), optional
        The group of each row.
    positive : int, optional
        Label of the positive class, where the study names one of two.
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
    """The test rows of a study; no attribute leads to them."""

    __slots__ = ("_break_seal",)
    _break_seal: Callable[[], tuple[NDArray[Any], NDArray[Any]]]

    def __init__(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        self._break_seal = lambda: (x, y)


def seal(dataset: Dataset) -> tuple[TrainingRows, SealedTest]:
    """Part a dataset into what a search may see and what stays sealed until a choice is made."""
    rows = dataset.x_train, dataset.y_train, dataset.class_names, dataset.groups
    return TrainingRows(*rows, dataset.positive), SealedTest(dataset.x_test, dataset.y_test)
