"""The winner's file: its weights, the identity of its code, its predictions of fixed probe rows.

Changed code may make another model with the same weights, without an error. If the code's digest
differs, the predictions of the probe rows show whether the model is still the same.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ReferenceError_, ResultError
from sweep.evaluation.estimator import code_of, make_estimator
from sweep.evaluation.pipeline_parts import parts_of
from sweep.storage.locations import artifacts_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from sweep.ledger.records import StudyRecord

ROWS = 8
TOLERANCE = 1e-3
"""Largest difference of predictions of the same model; far above that between two processors."""


def winner_path(url: str, name: str, uid: str = "") -> Path:
    """Return the path of the winner's file."""
    return artifacts_folder(url, name, uid) / "winner.npz"


def save_winner(estimator: Any, path: Path, code: str) -> None:
    """Write a fitted winner with the identity of its code and its predictions of the probe rows.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    path : Path
        The file.
    code : str
        Identity of its code; see :func:`sweep.evaluation.estimator.code_of`.
    """
    from sweep.estimators.weight_files import save_fitted

    # the key "said" is part of the file format
    save_fitted(estimator, path, {"code": np.array(code), "said": predictions_of(estimator)})


def load_winner(
    record: StudyRecord, url: str, allow: Collection[str], *, trust: bool = False
) -> Any:
    """Return a study's refitted winner; with ``trust`` a pickle is loaded too.

    Raises
    ------
    ReferenceError_
        If its model's code is not allowed or cannot be loaded.
    ResultError
        If there is no winner, or its code has changed and makes another model now.
    LedgerError
        If its weights are missing or damaged.
    """
    from sweep.evaluation.winner_parts import load_rest

    spec, winner = record.settings, record.winner
    if winner is None:
        raise ResultError(f"study {record.name!r} has no refitted winner")

    def make() -> Any:
        last = parts_of(make_estimator(spec, winner.params, allow)).last
        return last.set_params(precision=winner.precision or last.precision)

    path, code = winner_path(url, record.name, record.uid), code_of(spec, allow)
    parts = parts_of(make_estimator(spec, winner.params, allow))
    if not parts.ours:
        return load_rest(path, code, allow, _other_code(record), trust=trust)
    last = load_known(make, path, code, _other_code(record))
    if not parts.steps:
        return parts.fitted((), last)
    steps = load_rest(path, code, allow, _other_code(record), trust=trust)
    return parts.fitted(steps, last)


def load_known(make: Callable[[], Any], path: Path, code: str, refusal: ResultError) -> Any:
    """Return the estimator that :func:`save_winner` wrote, if the code still makes the same model.

    Parameters
    ----------
    make : callable
        Returns the unfitted estimator, its parameters set.
    path : Path
        The winner's file.
    code : str
        Identity of the code now. The same code is trusted; other code is accepted if the
        predictions of :func:`probe_rows` agree.
    refusal : ResultError
        Raised if they do not.
    """
    from sweep.estimators.weight_files import load_fitted

    stored = _stored_checks(path)
    same_code = stored.get("code", "") in ("", code)
    try:
        estimator = load_fitted(make(), path)
    except ReferenceError_:
        raise
    except Exception as error:
        if same_code:
            raise
        raise refusal from error
    if not same_code and not predictions_agree(predictions_of(estimator), stored["said"]):
        raise refusal
    return estimator


def predictions_agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two predictions are equal up to the tolerance."""
    same_shape = one.shape == other.shape
    return same_shape and np.allclose(one, other, rtol=0, atol=TOLERANCE, equal_nan=True)


def probe_rows(estimator: Any) -> np.ndarray:
    """Return fixed random rows in the shape and the range of an estimator's training rows."""
    drawn = np.random.default_rng(0).random((ROWS, *estimator._row_shape), np.float32)
    scaling = estimator._scaling
    return np.float32(scaling.shift) + np.float32(scaling.scale) * drawn


def predictions_of(estimator: Any) -> np.ndarray:
    """Return an estimator's probabilities of the probe rows; an empty array if it refuses them."""
    with suppress(Exception):  # a user's model may refuse random rows
        return np.asarray(estimator.predict_proba(probe_rows(estimator)))
    return np.empty(0)


def _stored_checks(path: Path) -> dict[str, Any]:
    """Return code and predictions from the winner's file; empty if it cannot be read.

    The error is raised later, when the weights are loaded.
    """
    with suppress(Exception), np.load(path, allow_pickle=False) as saved:
        return {"code": str(saved["code"]), "said": saved["said"]}
    return {}


def _other_code(record: StudyRecord) -> ResultError:
    module, own, _ = record.settings.model.code.partition(":")
    where = f"the code of {module}" if own else "sweep's code"
    return ResultError(
        f"study {record.name!r}: {where} has changed since its winner was fitted, and makes "
        "another model of the weights now; bring it back as it was, or run the study anew: "
        f"--name {record.name}-2"
    )
