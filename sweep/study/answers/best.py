"""Which settings to take, how sure one may be, and what no other candidate beats."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.analysis.nested import plain_nested
from sweep.analysis.power import outlook_text
from sweep.analysis.settled_text import plain_settled
from sweep.report.python_code import statements
from sweep.study.answers.status import winner_test
from sweep.support.layer import multiply_adds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.analysis import Comparison, Interval
    from sweep.ledger.records import Candidate, StudyRecord
    from sweep.study.answers.outcome import WinnerTest
    from sweep.study.result import StudyResult


@dataclass(frozen=True)
class Rival:
    """A candidate that cannot be told from the best.

    Attributes
    ----------
    candidate : int
        Its row.
    params : mapping of str to value
        Its settings.
    mean_test_score, mean_fit_time : float or None, float
        Its score; seconds of fitting a split.
    parameters, multiply_adds : int or None
        Weights of its model; multiplications, each with its addition, of a prediction.
    behind_best, behind_low, behind_high : float
        How far its score is behind the best one's, and the interval of that; its ends are infinite
        where nothing bounds it.
    """

    candidate: int
    params: Mapping[str, Any]
    mean_test_score: float | None
    mean_fit_time: float
    parameters: int | None
    multiply_adds: int | None
    behind_best: float
    behind_low: float
    behind_high: float


@dataclass(frozen=True)
class Best:
    """The chosen candidate of a study.

    Attributes
    ----------
    study, status : str
        The study, and how it stands.
    params : mapping of str to value
        The settings to take.
    mean_test_score : float or None
        Mean held-out score.
    interval : Interval or None
        Of the score.
    no_interval : str
        Why there is none.
    choose : str
        The rule of the choice.
    nested : dict or None
        As :func:`sweep.analysis.nested.plain_nested`.
    mean_fit_time : float
        Seconds of fitting a split.
    level : float or None
        Confidence of the comparison with the other candidates.
    alike : int
        Candidates that cannot be told from the best, that one among them.
    indistinguishable : tuple of Rival
        Those of them that were not chosen, cheapest first.
    cheapest : mapping of str to value, or None
        Settings of the cheapest of them.
    test_score : float or None
        The test set's score of this candidate.
    parameters, multiply_adds : int or None
        Weights of its model; multiplications, each with its addition, of a prediction.
    python : str
        Statements that give its estimator.
    winner_test : WinnerTest
        What the test set said of the refitted winner, or why it is closed.
    others : mapping of str to (float or None)
        Mean held-out score by each further scorer of a study with several.
    settled : dict or None
        As :func:`sweep.analysis.settled_text.plain_settled`.
    outlook : str
        What it would take to tell more candidates from the best; empty where nothing is known.
    """

    study: str
    status: str
    params: Mapping[str, Any]
    mean_test_score: float | None
    interval: Interval | None
    no_interval: str
    choose: str
    nested: dict[str, Any] | None
    mean_fit_time: float
    level: float | None
    alike: int
    indistinguishable: tuple[Rival, ...]
    cheapest: Mapping[str, Any] | None
    test_score: float | None
    parameters: int | None
    multiply_adds: int | None
    python: str
    winner_test: WinnerTest
    others: Mapping[str, float | None]
    settled: dict[str, Any] | None
    outlook: str


@dataclass(frozen=True)
class ParetoSet:
    """The candidates that no other one beats in every objective.

    Attributes
    ----------
    study : str
        The study.
    rows : list of dict
        Candidate, parameters, objectives.
    parameters : tuple of str
        Those of the columns that are searched parameters.
    """

    study: str
    rows: list[dict[str, Any]]
    parameters: tuple[str, ...]


def best_candidate(
    result: StudyResult, storage: str | None = None, server: str | None = None
) -> Best:
    """Return the chosen candidate of a study.

    Parameters
    ----------
    result : StudyResult
        The study.
    storage : str or None
        The ledger's address as somebody gave it, for the statements in Python.
    server : str or None
        The server's address, where the study is at one; for the same.

    Raises
    ------
    ResultError
        If nothing is complete yet.
    """
    record, chosen = result.record, result.best
    interval, compared = analysis.score_interval(record, chosen), analysis.compare(record)
    alike = analysis.by_cost(compared.alike) if compared else []
    rivals = [_rival(c, compared) for c in alike if c is not chosen] if compared else []
    why = "" if interval else analysis.no_interval(record, analysis.split_scores(chosen))
    return Best(
        study=record.name,
        status=record.status,
        params=dict(chosen.params),
        mean_test_score=analysis.mean_score(chosen),
        interval=interval,
        no_interval=why,
        choose=analysis.rule(record),
        nested=plain_nested(record),
        mean_fit_time=analysis.fit_seconds(chosen),
        level=compared.level if compared else None,
        alike=len(alike),
        indistinguishable=tuple(rivals),
        cheapest=dict(compared.cheapest.params) if compared else None,
        test_score=analysis.test_score(record, chosen),
        parameters=chosen.trial.parameters,
        multiply_adds=multiply_adds(chosen.trial.layers),
        python="; ".join(statements(record, chosen, storage, server)),
        winner_test=winner_test(record),
        others=analysis.other_means(record, chosen),
        settled=plain_settled(record),
        outlook=outlook_text(record),
    )


def plain_best(best: Best) -> dict[str, Any]:
    """Return the chosen candidate as JSON."""
    held = asdict(best)
    others = {f"mean_test_{name}": score for name, score in best.others.items()}
    left_out = ("no_interval", "winner_test", "others")
    return {**{name: held[name] for name in held if name not in left_out}, **others}


def pareto_set(record: StudyRecord) -> ParetoSet:
    """Return the candidates of a study that no other one beats in every objective."""
    from sweep.tables import parameter_names, pareto, plain_rows

    frame = pareto(record).rename(columns=lambda name: name.removeprefix("param_"))
    return ParetoSet(record.name, plain_rows(frame), tuple(parameter_names(record)))


def plain_pareto(found: ParetoSet) -> dict[str, Any]:
    """Return a Pareto set as JSON."""
    return {"study": found.study, "pareto": found.rows}


def _rival(candidate: Candidate, compared: Comparison) -> Rival:
    low, found, high = compared.behind(candidate)
    return Rival(
        candidate=candidate.index,
        params=dict(candidate.params),
        mean_test_score=analysis.mean_score(candidate),
        mean_fit_time=analysis.fit_seconds(candidate),
        parameters=candidate.trial.parameters,
        multiply_adds=multiply_adds(candidate.trial.layers),
        behind_best=found,
        behind_low=low,
        behind_high=high,
    )
