"""Which candidate is refitted: what ``search.choose`` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.comparisons import compare
from sweep.analysis.intervals import standard_error
from sweep.analysis.ranking import best, by_cost, ranked
from sweep.analysis.settling import settled_choice
from sweep.ledger.scores import mean_score
from sweep.spaces import candidate_identity

if TYPE_CHECKING:
    from sweep.ledger.records import Candidate, StudyRecord


def chosen(record: StudyRecord, choose: str | None = None) -> Candidate | None:
    """Return the candidate to refit.

    Parameters
    ----------
    record : StudyRecord
        The study.
    choose : str, optional
        ``"best"``, the highest mean held-out score; ``"one_standard_error"``, the cheapest of
        :func:`one_standard_error`; ``"cheapest"``, the cheapest of those that cannot be told
        from the best (:func:`sweep.analysis.compare`). Without it what the study says. Where
        further repeats have settled more, :func:`sweep.analysis.settling.settled_choice`.

    Returns
    -------
    Candidate or None
        None where nothing is complete. Cheapest is the first of
        :func:`sweep.analysis.ranking.by_cost`.
    """
    if choose is None:
        choose = rule(record)
    if (found := settled_choice(record, choose)) is not None:
        return found
    if choose == "one_standard_error":
        return next(iter(by_cost(one_standard_error(record))), None)
    if choose == "cheapest" and (compared := compare(record)) is not None:
        return compared.cheapest
    return best(record)


def rule(record: StudyRecord) -> str:
    """Return what the study says about the choice."""
    return record.settings.search.choose


def one_standard_error(record: StudyRecord) -> list[Candidate]:
    """Return the candidates within one standard error of the best, best first.

    The rule is that of L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and
    Regression Trees", 1984, section 3.4.3: a simpler model is taken as long as its score is not
    below the best one's by more than that one's standard error.

    Parameters
    ----------
    record : StudyRecord
        The study.

    Returns
    -------
    list of Candidate
        The best first; empty where nothing is complete.
    """
    order = ranked(record)
    if not order:
        return []
    least = (mean_score(order[0]) or 0.0) - standard_error(record, order[0])
    return [order[0], *(c for c in order[1:] if (mean_score(c) or 0.0) >= least)]


def is_current(record: StudyRecord, candidate: Candidate) -> bool:
    """Return whether the recorded winner is this candidate."""
    winner = record.winner
    return winner is not None and candidate_identity(winner.params) == candidate_identity(
        candidate.params
    )


def test_score(record: StudyRecord, candidate: Candidate) -> float | None:
    """Return what the test set said of a candidate; None where another one was refitted."""
    winner = record.winner
    return winner.test_score if winner is not None and is_current(record, candidate) else None
