"""The winner of a study with an estimator of the user's: its last step, and what is not sweep's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.evaluation.stored_estimators import load_stored, read_stored, same_predictions, store
from sweep.evaluation.winner_file import save_winner

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from sweep.errors import ResultError
    from sweep.evaluation.whole_fit import FittedWhole

ROWS = 50
"""Training rows on which what is written must agree with what was fitted."""


def save_fitted_winner(
    fitted: FittedWhole, path: Path, code: str, x: Any, allow: Collection[str] = ()
) -> None:
    """Write a fitted winner: weights of sweep's classifier, all else by skops or as a pickle.

    Parameters
    ----------
    fitted : FittedWhole
        The winner.
    path : Path
        The file of the weights; other files lie beside it.
    code : str
        Identity of its code.
    x : ndarray
        The rows that it was fitted to.
    allow : collection of str
        Modules of the user.
    """
    if fitted.ours:
        save_winner(fitted.last, path, code)
    if rest := rest_of(fitted):
        rows = x[:ROWS]

        def agrees(loaded: Any) -> bool:
            return same_predictions(rest, loaded, rows)

        store(rest, base_of(path), agrees=agrees, allow=allow, code=code)


def rest_of(fitted: FittedWhole) -> Any:
    """Return what sweep cannot keep as plain arrays: the steps before, or the whole estimator."""
    return list(fitted.steps) if fitted.ours else fitted.whole


def load_rest(
    path: Path, code: str, allow: Collection[str], refusal: ResultError, *, trust: bool
) -> Any:
    """Return what :func:`rest_of` was of a winner, if it is of the same code.

    Parameters
    ----------
    path : Path
        As for :func:`save_fitted_winner`.
    code : str
        Identity of the code now.
    allow : collection of str
        Modules of the user.
    refusal : ResultError
        Raised if the code was another.
    trust : bool
        Whether a pickle may be loaded.
    """
    if read_stored(base_of(path)).code not in ("", code):
        raise refusal
    return load_stored(base_of(path), allow, trust=trust)


def base_of(path: Path) -> Path:
    """Return the path, without its end, of what lies beside the weights."""
    return path.with_name(path.stem)
