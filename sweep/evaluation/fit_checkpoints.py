"""Long fits leave their weights from time to time, so that another worker can go on from there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.estimators.base import BaseKerasClassifier
from sweep.estimators.partial_fits import load_partial_fit, save_partial_fit
from sweep.estimators.weight_files import unless_damaged
from sweep.evaluation.checkpoint_interval import CheckpointInterval

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENDED_SHARE = 0.25
"""A fit that ends is written after this share of that time, for the cell's other fits follow."""

LIMIT_BYTES = 2**30
"""What the unfinished fits of a study may take on the disk; the longest untouched go first."""

AGE_SECONDS = 14 * 24 * 3600.0
"""Unfinished fits that were not touched for so long are removed."""


class FitCheckpointer:
    """A scikit-learn callback that takes a cell's fits up again, and writes where they have come.

    A fit with Keras callbacks of the person's own is left alone, for their state is unknown; so
    is one whose training backend cannot be continued by another worker.

    Parameters
    ----------
    folder : Path
        Of the study's unfinished fits.
    cell : mapping of str to value
        What tells this cell's fits from others.
    """

    max_propagation_depth = None

    def __init__(self, folder: Path, cell: Mapping[str, Any]) -> None:
        said = json.dumps(cell, sort_keys=True, default=str)
        self._home = folder
        self._cell = hashlib.sha256(said.encode()).hexdigest()[:32]
        self._pace, self._fit = CheckpointInterval(), -1

    @property
    def folder(self) -> Path:
        """Where the fit in hand is written."""
        return self._home / f"{self._cell}-{self._fit}"

    def setup(self, estimator: Any, context: Any) -> None:
        """Begin; nothing to prepare."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """End; nothing to put away."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Count the cell's fits; take one up where it was left."""
        if context.task_name == "epoch" or not isinstance(estimator, BaseKerasClassifier):
            return
        self._fit += 1
        self._pace.begin()
        if estimator.callbacks:
            return
        try:
            with unless_damaged(estimator, self.folder):
                if load_partial_fit(estimator, self.folder):
                    os.utime(self.folder)
        except LedgerError:  # it begins anew
            shutil.rmtree(self.folder, ignore_errors=True)

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Write the fit down if it is time; never ask to stop."""
        if not isinstance(estimator, BaseKerasClassifier):
            return False
        due = self._pace.due(1.0 if context.task_name == "epoch" else ENDED_SHARE)
        if due and estimator._saves_while_running():
            with self._pace.writing(), suppress(OSError):  # a fit goes on without its copy
                save_partial_fit(estimator, self.folder)
                _make_room(self._home, self.folder)
        return False

    def clear(self) -> None:
        """Remove what the cell's fits have left: it has ended."""
        for folder in self._home.glob(f"{self._cell}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def remove_old(folder: Path, age: float = AGE_SECONDS) -> None:
    """Remove the unfinished fits that nobody has touched for so many seconds."""
    limit = time.time() - age
    for each in folder.glob("*"):
        if _touched(each) < limit:
            shutil.rmtree(each, ignore_errors=True)


def _make_room(home: Path, own: Path) -> None:
    found = sorted((each for each in home.iterdir() if each != own), key=_touched)
    sizes = {each: _size(each) for each in (*found, own)}
    total = sum(sizes.values())
    if sizes[own] > LIMIT_BYTES:  # alone too large: no reason to take the others' away
        shutil.rmtree(own, ignore_errors=True)
        return
    for each in found:
        if total <= LIMIT_BYTES:
            return
        shutil.rmtree(each, ignore_errors=True)
        total -= sizes[each]


def _touched(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:  # another worker has removed it
        return 0.0


def _size(folder: Path) -> int:
    total = 0
    for file in folder.glob("*"):
        with suppress(FileNotFoundError):
            total += file.stat().st_size
    return total
