"""The dataset, into which every source of data is converted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.datasets.mapped_rows import MappedRows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test rows of one classification problem.

    Attributes
    ----------
    name : str
        Name in the study file.
    x_train, x_test : ndarray of shape (n, features), (n, h, w) or (n, h, w, c)
        Pixels in their own dtype; ``uint8`` images stay ``uint8``. Rows that are on the disk are
        :class:`sweep.datasets.mapped_rows.MappedRows` in place of an array.
    y_train, y_test : ndarray of shape (n,)
        Labels, ``int64``.
    class_names : tuple of str
        One name for each class, in the order of the sorted labels.
    groups : ndarray of shape (n,), optional
        The group of each training row (a patient, a writer); all rows of a group are on the same
        side of a split.
    notes : tuple of str
        Notes for the user on how the data was read: folders that were used, resized pictures.
    positive : int, optional
        Label of the positive class of two; default: the second.
    """

    name: str
    x_train: NDArray[Any]
    y_train: NDArray[Any]
    x_test: NDArray[Any]
    y_test: NDArray[Any]
    class_names: tuple[str, ...]
    groups: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    positive: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one row: ``(28, 28)``, ``(32, 32, 3)``, ``(784,)``."""
        return tuple(int(size) for size in self.x_train.shape[1:])

    def flattened(self) -> Dataset:
        """Return the same rows as features: shape ``(n, features)``."""
        x_train, x_test = (x.reshape(len(x), -1) for x in (self.x_train, self.x_test))
        return replace(self, x_train=x_train, x_test=x_test)

    @cached_property
    def classes(self) -> tuple[int, ...]:
        """The labels that occur in training, sorted."""
        return tuple(np.unique(self.y_train).tolist())

    @cached_property
    def class_counts(self) -> tuple[int, ...]:
        """Training rows of each class, in the order of ``classes``."""
        return tuple(np.unique(self.y_train, return_counts=True)[1].tolist())

    @property
    def positive_class(self) -> str:
        """Name of the positive class of two; empty with more classes."""
        if len(self.classes) != 2:
            return ""
        label = self.classes[1] if self.positive is None else self.positive
        return self.class_names[self.classes.index(label)]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, hexadecimal, over the arrays' names, dtypes, shapes and bytes.

        It leaves out the names of the dataset and of its classes, and the positive class: the same
        rows from another file are the same data.
        """
        digest = hashlib.sha256()
        for name in ("x_train", "y_train", "x_test", "y_test", "groups"):
            array = getattr(self, name)
            if array is not None:
                digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
                for piece in array.pieces() if isinstance(array, MappedRows) else (array,):
                    digest.update(np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data)
        return digest.hexdigest()
