"""Save long fits from time to time, so that another worker can continue them."""

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
from sweep.support.disk_space import last_used, make_room, remove, size_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENDED_SHARE = 0.25
"""A finished fit is saved after this share of the interval: the cell's other fits still follow."""

LIMIT_BYTES = 2**30
"""Most disk space of a study's unfinished fits; the longest unused are deleted first."""

AGE_SECONDS = 14 * 24 * 3600.0
"""Unfinished fits that were not used for so long are deleted."""


class FitCheckpointer:
    """A scikit-learn callback that saves the fits of a cell and resumes saved ones.

    It ignores fits with Keras callbacks of the user's own, whose state cannot be saved, and fits
    whose training backend another worker cannot continue.

    Parameters
    ----------
    folder : Path
        Folder of the study's unfinished fits.
    cell : mapping of str to value
        What identifies this cell.
    """

    max_propagation_depth = None

    def __init__(self, folder: Path, cell: Mapping[str, Any]) -> None:
        text = json.dumps(cell, sort_keys=True, default=str)
        self._home = folder
        self._cell = hashlib.sha256(text.encode()).hexdigest()[:32]
        self._interval, self._fit = CheckpointInterval(), -1

    @property
    def folder(self) -> Path:
        """The folder of the current fit's checkpoint."""
        return self._home / f"{self._cell}-{self._fit}"

    def setup(self, estimator: Any, context: Any) -> None:
        """Prepare nothing; scikit-learn requires this method."""

    def teardown(self, estimator: Any, context: Any) -> None:
        """Clean up nothing; scikit-learn requires this method."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Count the cell's fits; resume the next one from its checkpoint, if there is one."""
        if context.task_name == "epoch" or not isinstance(estimator, BaseKerasClassifier):
            return
        self._fit += 1
        self._interval.begin()
        if estimator.callbacks:
            return
        try:
            with unless_damaged(estimator, self.folder):
                if load_partial_fit(estimator, self.folder):
                    os.utime(self.folder)
        except LedgerError:  # a damaged checkpoint: the fit starts from the beginning
            shutil.rmtree(self.folder, ignore_errors=True)

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:
        """Save the fit if a checkpoint is due; return False: the fit is not to stop."""
        if not isinstance(estimator, BaseKerasClassifier):
            return False
        due = self._interval.due(1.0 if context.task_name == "epoch" else ENDED_SHARE)
        if due and estimator._saves_while_running():
            with self._interval.writing(), suppress(OSError):  # the fit continues without it
                save_partial_fit(estimator, self.folder)
                _fit_in(self._home, self.folder)
        return False

    def clear(self) -> None:
        """Delete the checkpoints of the cell, which has ended."""
        for folder in self._home.glob(f"{self._cell}-*"):
            shutil.rmtree(folder, ignore_errors=True)


def remove_old(folder: Path, age: float = AGE_SECONDS) -> None:
    """Delete the unfinished fits that were not used for so many seconds."""
    limit = time.time() - age
    for each in folder.glob("*"):
        if last_used(each) < limit:
            shutil.rmtree(each, ignore_errors=True)


def _fit_in(home: Path, own: Path) -> None:
    if size_of(own) > LIMIT_BYTES:  # too large by itself: deleting the others would not help
        remove(own)
    else:
        make_room(home.iterdir(), LIMIT_BYTES, keep=own)
