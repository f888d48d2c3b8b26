"""What comes out of a whole study, as plain frozen dataclasses: winner, openings, data, extras."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

Layer = tuple[str, str, str, int]
"""Name, kind, output shape and number of parameters of one layer."""


@dataclass(frozen=True)
class Opening:
    """One time that the test set was opened.

    Attributes
    ----------
    opened_at : str
        ISO time.
    params : mapping of str to value
        The searched parameters of the candidate that it was opened for: they tell which one it
        is, whatever row it stands in.
    score : float or None
        What the test set said; None where it was opened and scoring failed.
    """

    opened_at: str
    params: Mapping[str, Any]
    score: float | None = None


@dataclass(frozen=True)
class WinnerRecord:
    """The chosen configuration, refitted on all training rows, and what the test set said.

    Attributes
    ----------
    params : mapping of str to value
        Ready for ``set_params``: the searched parameters, ``epochs`` included when searched. They
        tell which candidate it is, whatever row it stands in.
    chosen_at : str
        ISO time of the choice.
    test_score : float
        Score on the test set, opened once, after the choice.
    test_opened_at : str
        ISO time of the opening.
    test_rows, train_rows : int
        Rows scored and rows refitted on.
    test_openings : int
        How often the test set of this study has been opened so far.
    refit_seconds : float
        Seconds of the refit.
    history : mapping of str to tuple of float
        The refit's training history.
    layers : tuple of Layer
        The model, layer by layer.
    confusion : tuple of tuple of int
        Test rows by true class (row) and predicted class (column).
    precision : str
        In which the winner was refitted; empty where an older version did not say.
    test_loss : float or None
        Mean cross-entropy of the test rows.
    weights : tuple of (str, tuple of int)
        Name and shape of each array of weights.
    """

    params: Mapping[str, Any]
    chosen_at: str
    test_score: float
    test_opened_at: str
    test_rows: int
    train_rows: int
    test_openings: int = 1
    refit_seconds: float = 0.0
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    precision: str = ""
    test_loss: float | None = None
    weights: tuple[tuple[str, tuple[int, ...]], ...] = ()


@dataclass(frozen=True)
class OuterFold:
    """One outer fold of a nested cross-validation: the search repeated on its training rows.

    Attributes
    ----------
    score : float
        Of the configuration chosen there, refitted there, on the fold's held-out rows.
    inner_score : float or None
        The mean held-out score that it was chosen by; None where an older version wrote it and
        the fold's own trials no longer tell.
    params : mapping of str to value
        What was chosen there.
    train_rows, test_rows : int
        Rows searched and refitted on, and rows scored.
    candidate : str
        Identity of the chosen candidate (:func:`sweep.spaces.candidate_identity`). Empty where
        an older version wrote the fold: it took the inner score from a row, which may have moved.
    """

    score: float
    inner_score: float | None
    params: Mapping[str, Any]
    train_rows: int
    test_rows: int
    candidate: str = ""


@dataclass(frozen=True)
class NestedRecord:
    """A nested cross-validation.

    Attributes
    ----------
    folds : tuple of OuterFold
        In order.
    planned : int
        Cells of the search when it was repeated; fewer than the study's where that has grown.
    ended_at : str
        ISO time.
    """

    folds: tuple[OuterFold, ...]
    planned: int
    ended_at: str


@dataclass(frozen=True)
class ImportanceRecord:
    """How much each parameter mattered, computed once, when the study ended.

    Attributes
    ----------
    evaluator : str
        ``"fANOVA"`` or ``"PED-ANOVA"``; empty where nothing was computed.
    values : mapping of str to float
        Shares of 1 by parameter, largest first.
    n : int
        Candidates that entered.
    complete : int
        Complete candidates at that time.
    seconds : float
        What it took.
    caution : str
        What the shares say, and what they do not.
    left_out : tuple of str
        Parameters that the evaluator cannot judge: fixed, or absent from some candidates.
    reason : str
        Why nothing was computed.
    """

    evaluator: str
    values: Mapping[str, float]
    n: int
    complete: int
    seconds: float = 0.0
    caution: str = ""
    left_out: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class DataRecord:
    """The data a study ran on.

    Attributes
    ----------
    name : str
        As the study file names it.
    fingerprint : str
        SHA-256 of the prepared arrays, hexadecimal.
    train_rows, test_rows : int
        Rows after subsetting.
    shape : tuple of int
        Shape of one row: ``(28, 28)``, ``(32, 32, 3)``, ``(784,)``.
    classes : tuple of str
        Class names in the order of their labels.
    class_counts : tuple of int
        Training rows of each class.
    positive : str
        Name of the positive class of two; empty with more, or where an older version made it.
    """

    name: str
    fingerprint: str
    train_rows: int
    test_rows: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    class_counts: tuple[int, ...] = ()
    positive: str = ""
