"""A running fit, saved to a folder and continued from there; plain arrays, never a pickle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.estimators.weight_files import load_progress, read_arrays, save_progress, write_arrays
from sweep.training.backend import FitState

if TYPE_CHECKING:
    from pathlib import Path

STATE, BEST = "state.npz", "best.npz"


@dataclass(frozen=True)
class PartialFit:
    """How far a saved fit had come.

    Attributes
    ----------
    epochs : int
        Finished epochs.
    best : tuple of (float, int, FitState) or None
        Loss, epoch and weights of the best epoch so far, with early stopping.
    """

    epochs: int
    best: tuple[float, int, FitState] | None = None


def save_partial_fit(estimator: Any, folder: Path) -> None:
    """Save all that a fit needs to continue.

    The state is written last: if the process dies before, the old state is still complete.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        Between two epochs of a fit.
    folder : Path
        Of this fit alone.
    """
    for epoch, checkpoint in estimator._checkpoints.items():
        path = _checkpoint_path(folder, epoch)
        if not path.exists():
            write_arrays(path, _weights(checkpoint))
    if estimator._best is not None:
        loss, epoch, state = estimator._best
        facts = {"loss": np.array(loss), "at": np.array(epoch)}
        write_arrays(folder / BEST, {**_weights(state), **facts})
    save_progress(estimator, folder / STATE, {})


def load_partial_fit(estimator: Any, folder: Path) -> bool:
    """Load a saved fit into an unfitted estimator; its ``fit`` continues from there.

    Returns
    -------
    bool
        False if nothing was saved there.

    Raises
    ------
    LedgerError
        If a file is damaged, or one is missing.
    """
    if not (folder / STATE).exists():
        return False
    load_progress(estimator, folder / STATE, estimator.epochs)
    done = estimator.n_epochs_
    due = [epoch for epoch in estimator.checkpoint_epochs or () if epoch <= done]
    estimator._checkpoints = {epoch: _state(_checkpoint_path(folder, epoch)) for epoch in due}
    estimator._resumed = PartialFit(done, _best(folder) if estimator.early_stopping else None)
    return True


def _best(folder: Path) -> tuple[float, int, FitState]:
    arrays = read_arrays(folder / BEST)
    return float(arrays["loss"]), int(arrays["at"]), _state(folder / BEST)


def _weights(state: FitState) -> dict[str, np.ndarray]:
    weights = {f"weight_{i:04d}": values for i, values in enumerate(state.fitted)}
    return {**weights, "epoch": np.array(state.epoch)}


def _state(path: Path) -> FitState:
    arrays = read_arrays(path)
    weights = [arrays[name] for name in sorted(arrays) if name.startswith("weight_")]
    return FitState(weights, [], int(arrays["epoch"]))


def _checkpoint_path(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch:06d}.npz"
