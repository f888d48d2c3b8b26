"""The winner's file: weights, the code that they were fitted by, what they say of a few rows.

Other code may make another model of the same weights, without a word. What the winner has said of
rows that are always the same tells it from one that only got another comment.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ReferenceError_, ResultError
from sweep.evaluation.estimator import code_of, make_estimator
from sweep.spec import StudySpec
from sweep.storage.locations import artifacts_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from sweep.ledger.records import StudyRecord

ROWS = 8
TOLERANCE = 1e-3
"""Far above what another processor makes of the same model."""


def winner_path(url: str, name: str, uid: str = "") -> Path:
    """Return where the winner's weights lie."""
    return artifacts_folder(url, name, uid) / "winner.npz"


def save_winner(estimator: Any, path: Path, code: str) -> None:
    """Write a fitted winner, and what it is known by again.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    path : Path
        The file.
    code : str
        What its model is made by; see :func:`sweep.evaluation.estimator.code_of`.
    """
    from sweep.estimators.weight_files import save_fitted

    save_fitted(estimator, path, {"code": np.array(code), "said": predictions_of(estimator)})


def load_winner(record: StudyRecord, url: str, allow: Collection[str]) -> Any:
    """Return a study's refitted winner.

    Raises
    ------
    ReferenceError_
        If its model is code that nobody allowed, or that cannot be loaded.
    ResultError
        If that code makes another model now than the one that was fitted.
    LedgerError
        If its weights are missing or damaged.
    """
    spec, winner = StudySpec.from_plain(record.spec), record.winner
    if winner is None:
        raise ResultError(f"study {record.name!r} has no refitted winner")

    def make() -> Any:
        estimator = make_estimator(spec, winner.params, allow)
        return estimator.set_params(precision=winner.precision or estimator.precision)

    path = winner_path(url, record.name, record.uid)
    return load_known(make, path, code_of(spec, allow), _other_code(record))


def load_known(make: Callable[[], Any], path: Path, code: str, refusal: ResultError) -> Any:
    """Return what :func:`save_winner` wrote, if the code makes the same model of it.

    Parameters
    ----------
    make : callable
        Returns the estimator, its parameters set.
    path : Path
        What was written.
    code : str
        What the estimator's model is made by now. The same code is trusted; other code is where
        it says the same of :func:`probe_rows`.
    refusal : ResultError
        Raised where it does not.
    """
    from sweep.estimators.weight_files import load_fitted

    held = _beside(path)
    same_code = held.get("code", "") in ("", code)
    try:
        estimator = load_fitted(make(), path)
    except ReferenceError_:
        raise
    except Exception as error:
        if same_code:
            raise
        raise refusal from error
    if not same_code and not predictions_agree(predictions_of(estimator), held["said"]):
        raise refusal
    return estimator


def predictions_agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two models have said the same, but for the last digits."""
    alike = one.shape == other.shape
    return alike and np.allclose(one, other, rtol=0, atol=TOLERANCE, equal_nan=True)


def probe_rows(estimator: Any) -> np.ndarray:
    """Return rows of the shape and range that a fitted estimator knows, always the same."""
    drawn = np.random.default_rng(0).random((ROWS, *estimator._row_shape), np.float32)
    scaling = estimator._scaling
    return np.float32(scaling.shift) + np.float32(scaling.scale) * drawn


def predictions_of(estimator: Any) -> np.ndarray:
    """Return its probabilities of these rows; none where it has none for them."""
    with suppress(Exception):  # a model of the person's own may refuse rows that nobody has seen
        return np.asarray(estimator.predict_proba(probe_rows(estimator)))
    return np.empty(0)


def _beside(path: Path) -> dict[str, Any]:
    """Return what is written beside the weights; a file that cannot be read is told of later."""
    with suppress(Exception), np.load(path, allow_pickle=False) as saved:
        return {"code": str(saved["code"]), "said": saved["said"]}
    return {}


def _other_code(record: StudyRecord) -> ResultError:
    module, own, _ = str(record.spec["model"]["factory"]).partition(":")
    where = f"the code of {module}" if own else "sweep's code"
    return ResultError(
        f"study {record.name!r}: {where} has changed since its winner was fitted, and makes "
        "another model of the weights now; bring it back as it was, or run the study anew: "
        f"--name {record.name}-2"
    )
