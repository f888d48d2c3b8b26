"""Checkpoints of fits, from which the same parameters continue with a larger budget."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.spaces import without_epochs
from sweep.support.disk_space import make_room

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Scores = Mapping[float, tuple[float, ...]]

LIMIT_BYTES = 2**30
"""Most disk space of one study's checkpoints; the least recently used are deleted first."""


class Checkpoints:
    """The weights and optimizer states of one study's fits, a file for each fit; never a pickle.

    Parameters
    ----------
    folder : Path
        A folder inside the study's own, beside the ledger.
    limit : int
        Most bytes of all files together.
    code : str
        What identifies the code that makes the model, and the scores that are kept: checkpoints of
        others do not count.
    """

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES, code: str = "") -> None:
        self.folder, self.limit, self.code = folder, limit, code

    def path(self, params: Mapping[str, Any], split: int, seed: int) -> Path:
        """Return the file of a fit: its parameters without ``epochs``, its split and seed."""
        identity = [without_epochs(params), split, seed, self.code]
        text = json.dumps(identity, sort_keys=True, default=str)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npz"

    def resume(self, estimator: Any, path: Path, most: int) -> Scores:
        """Load a checkpoint into an unfitted estimator.

        Parameters
        ----------
        estimator : estimator
            Unfitted, its parameters set.
        path : Path
            The checkpoint's file.
        most : int
            Epochs of the fit; a checkpoint after more epochs is not used.

        Returns
        -------
        mapping of float to tuple of float
            Score, loss and other scores of the held-out rows by epoch; empty without a usable
            checkpoint: the fit then starts from the beginning.
        """
        from sweep.estimators.weight_files import load_progress, unless_damaged

        try:
            with unless_damaged(estimator, path):
                scores = load_progress(estimator, path, most)
        except LedgerError:
            return {}
        if scores:
            with suppress(OSError):
                os.utime(path)  # it is now the last that `make_room` deletes
        return scores

    def save(self, estimator: Any, path: Path, scores: Scores) -> None:
        """Write a checkpoint of a fit, and delete the least recently used ones above the limit."""
        from sweep.estimators.weight_files import save_progress

        with suppress(OSError):  # the fit continues without a checkpoint
            save_progress(estimator, path, scores)
            make_room(self.folder.glob("*.npz"), self.limit)


@dataclass(frozen=True)
class CandidateCheckpoints:
    """The checkpoints of one candidate's fits.

    Attributes
    ----------
    checkpoints : Checkpoints
        Those of the study.
    params : mapping of str to value
        The candidate's parameters.
    largest : int
        The largest number of epochs in the study: no fit continues from there. 0 where no
        candidate continues with a larger budget.
    """

    checkpoints: Checkpoints
    params: Mapping[str, Any]
    largest: int

    def resume(self, estimator: Any, split: int, seed: int, most: int) -> Scores:
        """Load the checkpoint of a fit into its estimator; return its scores by epoch."""
        path = self.checkpoints.path(self.params, split, seed)
        return self.checkpoints.resume(estimator, path, most)

    def save(self, estimator: Any, split: int, seed: int, scores: Scores) -> None:
        """Write a checkpoint of a running fit, for the case that this worker is killed.

        None within an epoch that its backend cannot continue: it begins anew then.
        """
        part = estimator._state.part
        if not estimator.can_continue_elsewhere_ or (part is not None and part.begun is not None):
            return
        self.checkpoints.save(estimator, self.checkpoints.path(self.params, split, seed), scores)

    def finish(self, estimator: Any, split: int, seed: int, scores: Scores) -> None:
        """Write a checkpoint of a finished fit if a larger budget may follow; else delete it."""
        if estimator.n_epochs_ < self.largest:
            self.save(estimator, split, seed, scores)
        else:
            self.checkpoints.path(self.params, split, seed).unlink(missing_ok=True)
