"""Results of a whole study as frozen dataclasses: winner, openings, outer folds, importances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.support.layer import Layer


@dataclass(frozen=True)
class Opening:
    """One opening of the test set.

    Attributes
    ----------
    opened_at : str
        ISO time.
    params : mapping of str to value
        The searched parameters of the candidate that it was opened for. They identify the
        candidate; its row may change.
    score : float or None
        The score on the test set; None where scoring failed.
    other_scores : mapping of str to (float or None)
        Those by further scorers; None for one that could not be computed.
    """

    opened_at: str
    params: Mapping[str, Any]
    score: float | None = None
    other_scores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class WinnerRecord:
    """The chosen configuration, refitted on all training rows, and its score on the test set.

    Attributes
    ----------
    params : mapping of str to value
        Ready for ``set_params``: the searched parameters, ``epochs`` included when searched. They
        identify the candidate; its row may change.
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
        Precision of the refit; empty where an older version did not record it.
    test_loss : float or None
        Mean cross-entropy of the test rows.
    weights : tuple of (str, tuple of int)
        Name and shape of each array of weights.
    other_scores : mapping of str to (float or None)
        Scores on the test set by the further scorers of a study with several; None for one that
        cannot be computed.
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
    other_scores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class OuterFold:
    """One outer fold of a nested cross-validation: the search repeated on its training rows.

    Attributes
    ----------
    score : float
        Score of the fold's winner, refitted on the fold's training rows, on its held-out rows.
    inner_score : float or None
        The mean held-out score by which the winner was chosen; None where an older version wrote
        the fold and its trials no longer exist.
    params : mapping of str to value
        Parameters of the fold's winner.
    train_rows, test_rows : int
        Rows searched and refitted on, and rows scored.
    candidate : str
        Identity of the winner (:func:`sweep.spaces.candidate_identity`). Empty where an older
        version wrote the fold: it read the inner score by row number, which may have changed.
    other_scores : mapping of str to (float or None)
        Scores on the held-out rows by the further scorers of a study with several.
    """

    score: float
    inner_score: float | None
    params: Mapping[str, Any]
    train_rows: int
    test_rows: int
    candidate: str = ""
    other_scores: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class NestedRecord:
    """A nested cross-validation.

    Attributes
    ----------
    folds : tuple of OuterFold
        In order.
    planned : int
        Cells of the search in each outer fold; fewer than the study's if the study has grown since.
    ended_at : str
        ISO time.
    """

    folds: tuple[OuterFold, ...]
    planned: int
    ended_at: str


@dataclass(frozen=True)
class Runner:
    """A candidate of a race that has further repeats, or was left when it ended.

    Attributes
    ----------
    candidate : str
        Its identity (:func:`sweep.spaces.candidate_identity`).
    params : mapping of str to value
        Its parameters.
    standing : str
        ``"as good"``: no other one is better by more than the margin. ``"worse"``: another one
        is, by more than chance explains. ``"open"``: neither. ``"lost"``: a further fit failed.
    splits : int
        Splits that it has scores of, those of the search among them.
    mean : float
        Its mean score over all of them.
    low, behind, high : float
        How far it was behind the highest mean when both were last compared, and the interval of
        that; infinite where nothing bounds it.
    """

    candidate: str
    params: Mapping[str, Any]
    standing: str
    splits: int
    mean: float
    low: float
    behind: float
    high: float


@dataclass(frozen=True)
class RaceRecord:
    """What further repeats of the cross-validation have settled.

    Attributes
    ----------
    margin : float
        Differences up to this one do not matter, in the unit of the score.
    level : float
        Confidence of all that it says, 0.95 for 95 %.
    repeats, most : int
        Further repeats that are complete, and how many there may be.
    candidates : int
        Candidates that were compared: the complete ones, each once.
    complete : int
        Complete trials of the study at that time.
    end : str
        ``"settled"``; ``"in vain"``, where more repeats would hardly tell more; ``"last"``, after
        the last repeat; ``"time"``, where another repeat would not have ended in time.
    runners : tuple of Runner
        By falling mean; those that were told from the best at the first look are not among them.
    ended_at : str
        ISO time.
    """

    margin: float
    level: float
    repeats: int
    most: int
    candidates: int
    complete: int
    end: str
    runners: tuple[Runner, ...]
    ended_at: str


@dataclass(frozen=True)
class IdleRecord:
    """A parameter of a user's factory that changed nothing wherever it alone differed.

    Attributes
    ----------
    name : str
        The parameter.
    first, second : int
        Numbers of the first two trials that show it.
    pairs : int
        Pairs of trials that show it.
    """

    name: str
    first: int
    second: int
    pairs: int = 1


@dataclass(frozen=True)
class ImportanceRecord:
    """How much each parameter mattered, computed once, when the study ended.

    Attributes
    ----------
    evaluator : str
        ``"fANOVA"`` or ``"PED-ANOVA"``; empty where nothing was computed.
    values : mapping of str to float
        Share of each parameter, largest first; their sum is 1.
    n : int
        Candidates used.
    complete : int
        Complete candidates at that time.
    seconds : float
        Duration of the computation.
    caution : str
        How to interpret the shares.
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
class ImportRecord:
    """Where the results of an imported study come from: another tool's search.

    Attributes
    ----------
    tool : str
        What searched: ``"GridSearchCV"``, ``"Optuna"``.
    version : str
        Its version, where it is known.
    source : str
        The file, folder or database, without a password.
    notes : tuple of str
        What a reader must know: scores that were negated, rows that were left out.
    """

    tool: str
    version: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Where it comes from, in words: ``Optuna 5.0.0, study.db``."""
        tool = f"{self.tool} {self.version}".strip()
        return f"{tool}, {self.source}" if self.source else tool


@dataclass(frozen=True)
class DataRecord:
    """The data that a study uses.

    Attributes
    ----------
    name : str
        Name in the study file.
    fingerprint : str
        SHA-256 of the prepared arrays, hexadecimal.
    train_rows, test_rows : int
        Rows after subsetting; 0 where nobody knows them (an imported study).
    shape : tuple of int
        Shape of one row: ``(28, 28)``, ``(32, 32, 3)``, ``(784,)``.
    classes : tuple of str
        Class names in the order of their labels.
    class_counts : tuple of int
        Training rows of each class.
    positive : str
        Name of the positive class of two; empty with more classes, or in older ledgers.
    notes : tuple of str
        How the data were read: folders, resized pictures; empty in older ledgers.
    """

    name: str
    fingerprint: str
    train_rows: int
    test_rows: int
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    class_counts: tuple[int, ...] = ()
    positive: str = ""
    notes: tuple[str, ...] = ()
