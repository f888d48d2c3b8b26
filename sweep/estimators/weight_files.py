"""Save a fitted estimator as an ``.npz`` of plain arrays, and load it; never a pickle."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from sweep.datasets import Scaling
from sweep.errors import LedgerError, SweepError
from sweep.estimators.fit_setup import prepare_blueprint, start_fit
from sweep.support import npz_archives
from sweep.training.backend import EpochPart, FitState
from sweep.training.backend_choice import STORED_BEFORE_NAMES, backend_names, first_choice

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Fitted = TypeVar("Fitted")


def save_fitted(
    estimator: Any, path: Path, extra_arrays: Mapping[str, np.ndarray] | None = None
) -> None:
    """Write what a fitted estimator needs to predict, all of it or no file at all."""
    write_arrays(path, {**_arrays(estimator), **(extra_arrays or {})})


def save_progress(estimator: Any, path: Path, scores: Mapping[float, tuple[float, ...]]) -> None:
    """Write what a fit needs to continue: also the optimizer's state and the scores so far."""
    state = estimator._state
    rate = np.nan if state.learning_rate is None else state.learning_rate
    arrays = {f"optimizer_{i:04d}": v for i, v in enumerate(state.optimizer)}
    arrays |= {f"trained_{i:04d}": v for i, v in enumerate(state.weights) if state.averaged}
    facts = {
        "rate": np.array(rate),
        "scored": np.array(sorted(scores)) if scores else np.array([], np.int64),
        "scores": np.array([scores[epoch] for epoch in sorted(scores)], np.float64),
    }
    if estimator.part_seconds_:
        facts["part_seconds"] = np.array([*estimator.part_seconds_.items()], np.float64)
    if state.part is not None:
        facts["part"] = np.array([state.part.batches, state.part.seconds, *state.part.totals])
        arrays |= {f"random_{i:04d}": v for i, v in enumerate(state.part.random)}
    write_arrays(path, {**_arrays(estimator), **arrays, **facts})


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays to a file, all of them or no file at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _arrays(estimator: Any) -> dict[str, np.ndarray]:
    """Return weights and attributes of a fitted estimator as plain arrays."""
    arrays = {f"weight_{i:04d}": w for i, w in enumerate(estimator._state.fitted)}
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
        "backend": np.array(estimator._backend_name),
        "meaning": np.array(estimator._blueprint.meaning),
        **{f"history_{name}": np.array(values) for name, values in estimator.history_.items()},
    }
    return {**arrays, **facts}


def load_fitted(estimator: Fitted, path: Path) -> Fitted:
    """Return ``estimator`` (its parameters set) fitted as it was when saved.

    Raises
    ------
    LedgerError
        If the file is missing or damaged.
    """
    with unless_damaged(estimator, path):
        _restore(estimator, read_arrays(path))
    return estimator


@contextmanager
def unless_damaged(estimator: Any, path: Path) -> Iterator[None]:
    """Restore an estimator's attributes if loading a file into it fails.

    Raises
    ------
    LedgerError
        If the file holds something else than weights of this estimator.
    """
    before = dict(vars(estimator))
    try:
        yield
    except (KeyError, TypeError, IndexError, AttributeError, ValueError, OSError) as error:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        if isinstance(error, SweepError):
            raise
        raise LedgerError(f"{path}: the weights are damaged ({error!r})") from error
    except LedgerError:
        estimator.__dict__.clear()
        estimator.__dict__.update(before)
        raise


def load_progress(estimator: Any, path: Path, most: int) -> dict[float, tuple[float, ...]]:
    """Load what :func:`save_progress` wrote into an estimator with its parameters set.

    Parameters
    ----------
    estimator : BaseKerasClassifier
        Not fitted; not changed if nothing is returned.
    path : Path
        The file.
    most : int
        A fit with more epochs than this is not loaded.

    Returns
    -------
    dict of float to tuple of float
        Score, loss and other scores by epoch, or share of the first one; empty if the fit has more
        epochs.

    Raises
    ------
    LedgerError
        If the file is missing or damaged.
    """
    arrays = read_arrays(path)
    done = int(arrays["counts"][1])
    if done > most:
        return {}
    _restore(estimator, arrays)
    slots = [arrays[name] for name in sorted(arrays) if name.startswith("optimizer_")]
    rate = float(arrays["rate"])
    fitted = estimator._state.weights
    trained = [arrays[name] for name in sorted(arrays) if name.startswith("trained_")]
    set_rate = None if np.isnan(rate) else rate
    averaged = fitted if trained else None
    estimator._state = FitState(trained or fitted, slots, done, set_rate, averaged, _part(arrays))
    estimator.part_seconds_ = dict(arrays.get("part_seconds", np.zeros((0, 2))).tolist())
    scored = [int(each) if each >= 1 else each for each in arrays["scored"].tolist()]
    return dict(zip(scored, map(tuple, arrays["scores"].tolist()), strict=True))


def _part(arrays: Mapping[str, np.ndarray]) -> EpochPart | None:
    if "part" not in arrays:
        return None
    batches, seconds, *totals = arrays["part"].tolist()
    random = [arrays[name] for name in sorted(arrays) if name.startswith("random_")]
    return EpochPart(int(batches), seconds, np.array(totals), random)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote.

    Raises
    ------
    LedgerError
        If the file is missing or damaged.
    """
    try:
        return npz_archives.read_arrays(path)[1]
    except FileNotFoundError:
        raise LedgerError(
            f"{path}: the winner's weights are not here: another machine has refitted it, or the "
            "file was removed; copy its folder from that machine, or have all machines name one "
            "folder in SWEEP_ARTIFACTS before the study is run"
        ) from None
    # A damaged file fails anywhere from zipfile and zlib to the parser of array headers.
    except Exception as error:
        raise LedgerError(f"{path}: the winner's weights are damaged ({error})") from error


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
        part_seconds_={},
        n_epochs_=epochs,
        n_features_in_=features,
        _row_shape=tuple(int(side) for side in arrays["row_shape"]),
        _scaling=Scaling(*(float(number) for number in arrays["scaling"])),
        _seed=seed,
        _backend_name=_backend_name(estimator, arrays),
        _checkpoints={},
        best_epoch_=best,
        _best=None,
    )
    # There are no rows to predict here: the fit has found out and stored what the model outputs.
    meaning = str(arrays["meaning"]) if "meaning" in arrays else None
    start_fit(
        estimator,
        prepare_blueprint(estimator, np.zeros((1, *estimator._row_shape), np.uint8), meaning),
    )
    fresh = estimator._state
    if [np.shape(each) for each in weights] != [np.shape(each) for each in fresh.weights]:
        raise ValueError("weights of another model")
    estimator._state = FitState(weights, fresh.optimizer, epochs)


def _backend_name(estimator: Any, arrays: Mapping[str, np.ndarray]) -> str:
    """Return the backend that has fitted what a file holds."""
    if "backend" in arrays:
        name = str(arrays["backend"])
        if name not in backend_names():
            known = ", ".join(backend_names())
            raise LedgerError(
                f"the weights were fitted by the training backend {name!r}, and this version of "
                f"sweep has: {known}; load them with the version that wrote them"
            )
        return name
    if "engine" in arrays:  # written before backends had names
        return STORED_BEFORE_NAMES[bool(arrays["engine"][0])]
    return first_choice(fast=bool(estimator.fast))
