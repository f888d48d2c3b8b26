"""How a study has ended and who leads it: what a run prints at its end, here or at a server."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
S_co = TypeVar("S_co", bound="Outcome", covariant=True)


@dataclass(frozen=True)
class WinnerTest:
    """What the test set said of the refitted winner, or why it is still closed.

    Attributes
    ----------
    score : float or None
        None where no winner is recorded.
    rows : int
        Rows of the test set that were scored.
    opened_at : str
        ISO time; empty where it was not opened.
    openings : int
        How often it was opened.
    other : mapping of str to value, or None
        The parameters of the refitted winner, where it is not the first of the leaderboard.
    closed : {"", "no refit", "not refitted", "not ended"}
        Why it is closed: the study file says ``refit = false``, the refit is still to be made, or
        the search has not ended. Empty where it was opened.
    others : mapping of str to (float or None)
        Scores by the further scorers of a study with several.
    """

    score: float | None
    rows: int
    opened_at: str
    openings: int
    other: Mapping[str, Any] | None
    closed: str
    others: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a study has ended, or how it stands.

    Attributes
    ----------
    name : str
        The study.
    status, standing : str
        As :class:`sweep.ledger.records.StudyRecord` has them.
    done, planned : int
        Cells.
    rows : mapping of str to int
        Candidates by state.
    reasons : mapping of str to int
        Failed cells by reason.
    strict : tuple of str
        Settings of the search that may have been too strict for its candidates.
    winner_test : WinnerTest
        The test set.
    nested : dict or None
        As :func:`sweep.analysis.nested.plain_nested`.
    cautions : tuple of str
        What to keep in mind when scores are compared.
    """

    name: str
    status: str
    standing: str
    done: int
    planned: int
    rows: Mapping[str, int]
    reasons: Mapping[str, int]
    strict: tuple[str, ...]
    winner_test: WinnerTest
    nested: dict[str, Any] | None
    cautions: tuple[str, ...]


@dataclass(frozen=True)
class Leader:
    """One line of the leaderboard.

    Attributes
    ----------
    rank : int
        From 1; ties share the smaller rank.
    score, std : float, float or None
        Mean and standard deviation over the fits, in the scorer's unit; no deviation of one fit.
    seconds : float
        Of fitting a split.
    params : mapping of str to value
        The searched parameters that apply.
    copied : bool
        Whether the result is that of an equal trial.
    others : mapping of str to (float or None)
        Mean by each further scorer of a study with several; None for one without a number.
    """

    rank: int
    score: float
    std: float | None
    seconds: float
    params: Mapping[str, Any]
    copied: bool
    others: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaderboard(Generic[S_co]):
    """The leaders of a study.

    Attributes
    ----------
    status : Outcome
        The study.
    leaders : tuple of Leader
        Complete candidates, best first.
    parameters : tuple of str
        Parameters of the leaders, in the order of the study file.
    more : int
        Complete candidates below the leaders.
    """

    status: S_co
    leaders: tuple[Leader, ...]
    parameters: tuple[str, ...]
    more: int


def plain_leaderboard(board: Leaderboard[Outcome]) -> dict[str, Any]:
    """Return the leaders of a study, and how it has ended, as JSON."""
    status = {each.name: getattr(board.status, each.name) for each in fields(Outcome)}
    return {
        "status": {**status, "winner_test": asdict(board.status.winner_test)},
        "leaders": [asdict(each) for each in board.leaders],
        "parameters": list(board.parameters),
        "more": board.more,
    }


def leaderboard_from_plain(plain: Mapping[str, Any]) -> Leaderboard[Outcome]:
    """Read what :func:`plain_leaderboard` wrote."""
    status = dict(plain["status"])
    status["winner_test"] = _known(WinnerTest, status["winner_test"])
    for name in ("strict", "cautions"):
        status[name] = tuple(status[name])
    return Leaderboard(
        _known(Outcome, status), tuple(_known(Leader, each) for each in plain["leaders"]),
        tuple(plain["parameters"]), plain["more"],
    )  # fmt: skip


def _known(kind: type[T], plain: Mapping[str, Any]) -> T:
    """Make a dataclass of what it knows: a newer server may say more."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: plain[name] for name in names if name in plain})
