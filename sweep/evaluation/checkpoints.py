"""Weights of half-finished fits, so that the same parameters go on with a larger budget."""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.spaces import without_epochs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Scores = Mapping[int, tuple[float, float]]

LIMIT_BYTES = 2**30
"""What the checkpoints of one study may take on the disk; the least recently used go first."""


class Checkpoints:
    """The weights and optimizer states of one study, a file for each fit; never a pickle.

    Parameters
    ----------
    folder : Path
        Where they lie: beside the ledger, in the study's own folder, which goes with the study.
    limit : int
        Bytes that they may take together.
    code : str
        What the model is made by: fits of other code are not found.
    """

    def __init__(self, folder: Path, limit: int = LIMIT_BYTES, code: str = "") -> None:
        self.folder, self.limit, self.code = folder, limit, code

    def path(self, params: Mapping[str, Any], split: int, seed: int) -> Path:
        """Return the file of a fit: its parameters without ``epochs``, its split and seed."""
        what = [without_epochs(params), split, seed, self.code]
        said = json.dumps(what, sort_keys=True, default=str)
        return self.folder / f"{hashlib.sha256(said.encode()).hexdigest()[:32]}.npz"

    def resume(self, estimator: Any, path: Path, most: int) -> Scores:
        """Bring an unfitted estimator to where its fit was left.

        Parameters
        ----------
        estimator : estimator
            Its parameters set.
        path : Path
            Of the fit.
        most : int
            Epochs that are asked; a fit that has gone further is no use.

        Returns
        -------
        mapping of int to (float, float)
            Score and loss of the held-out rows by epoch; empty where it begins anew, which a lost
            or damaged file costs.
        """
        from sweep.estimators.weight_files import load_progress, unless_damaged

        try:
            with unless_damaged(estimator, path):
                scores = load_progress(estimator, path, most)
        except LedgerError:
            return {}
        if scores:
            with suppress(OSError):
                os.utime(path)
        return scores

    def keep(self, estimator: Any, path: Path, scores: Scores) -> None:
        """Write where a fit has come to; the longest unused files make room for it."""
        from sweep.estimators.weight_files import save_progress

        with suppress(OSError):  # a fit goes on without its copy
            save_progress(estimator, path, scores)
            self._make_room()

    def _make_room(self) -> None:
        found = []
        for path in self.folder.glob("*.npz"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another worker made room meanwhile
                continue
            found.append((facts.st_mtime_ns, facts.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self.limit:
                return
            path.unlink(missing_ok=True)
            total -= size


@dataclass(frozen=True)
class Store:
    """The checkpoints of one candidate's fits.

    Attributes
    ----------
    checkpoints : Checkpoints
        Those of the study.
    params : mapping of str to value
        The candidate.
    largest : int
        The most epochs that the study may ask: nothing goes on from there; 0 where no larger
        budget may come at all.
    """

    checkpoints: Checkpoints
    params: Mapping[str, Any]
    largest: int

    def resume(self, estimator: Any, split: int, seed: int, most: int) -> Scores:
        """Bring a fit to where it was left; return its scores by epoch."""
        path = self.checkpoints.path(self.params, split, seed)
        return self.checkpoints.resume(estimator, path, most)

    def hold(self, estimator: Any, split: int, seed: int, scores: Scores) -> None:
        """Write where a fit has come to, for a worker that takes the place of this one."""
        if not estimator.can_continue_elsewhere_:
            return
        self.checkpoints.keep(estimator, self.checkpoints.path(self.params, split, seed), scores)

    def keep(self, estimator: Any, split: int, seed: int, scores: Scores) -> None:
        """Write where a fit has ended, if the study may ask for more; else remove it."""
        if estimator.n_epochs_ < self.largest:
            self.hold(estimator, split, seed, scores)
        else:
            self.checkpoints.path(self.params, split, seed).unlink(missing_ok=True)
