"""A fitted estimator as an ``.npz`` of plain arrays, and back; never a pickle."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

import numpy as np

from sweep.datasets import Scaling
from sweep.errors import LedgerError
from sweep.training.engine import FitState

if TYPE_CHECKING:
    from pathlib import Path

Fitted = TypeVar("Fitted")


def save_fitted(estimator: Any, path: Path) -> None:
    """Write what prediction needs of a fitted estimator; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"weight_{i:04d}": w for i, w in enumerate(estimator._state.weights)}
    facts = {
        "classes": estimator.classes_,
        "scaling": np.array([estimator._scaling.shift, estimator._scaling.scale]),
        "row_shape": np.array(estimator._row_shape, np.int64),
        "counts": np.array(
            [
                estimator._seed,
                estimator.n_epochs_,
                estimator.best_epoch_,
                estimator.n_features_in_,
            ]
        ),
        **{f"history_{name}": np.array(values) for name, values in estimator.history_.items()},
    }
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp.npz")
    np.savez(unfinished, **arrays, **facts)
    unfinished.replace(path)


def load_fitted(estimator: Fitted, path: Path) -> Fitted:
    """Return ``estimator`` (its parameters set) fitted as it was when saved.

    Raises
    ------
    LedgerError
        If the file is missing or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            arrays = dict(saved)
    except FileNotFoundError:
        raise LedgerError(
            f"{path}: the winner's weights are missing; run the study again"
        ) from None
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise LedgerError(f"{path}: the winner's weights are damaged ({error})") from error
    _restore(estimator, arrays)
    return estimator


def _restore(estimator: Any, arrays: dict[str, np.ndarray]) -> None:
    seed, epochs, best, features = (int(number) for number in arrays["counts"])
    weights = [arrays[name] for name in sorted(arrays) if name.startswith("weight_")]
    vars(estimator).update(
        classes_=arrays["classes"],
        history_={
            name.removeprefix("history_"): list(map(float, values))
            for name, values in arrays.items()
            if name.startswith("history_")
        },
        n_epochs_=epochs,
        n_features_in_=features,
        _row_shape=tuple(int(side) for side in arrays["row_shape"]),
        _scaling=Scaling(*(float(number) for number in arrays["scaling"])),
        _seed=seed,
        _slow=None,
        _is_fast=bool(estimator.fast),
        _checkpoints={},
        best_epoch_=best,
    )
    estimator._make_architecture()
    fresh = estimator._engine().start(seed)
    estimator._state = FitState(weights, fresh.optimizer, epochs)
