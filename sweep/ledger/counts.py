"""A study in numbers: how many cells, in which state, and how it stands by them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sweep.ledger.records import Candidate, TrialRecord

ENDED = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "INFEASIBLE": "past a limit",
    "FAIL": "failed",
}
"""The states of trials that are an end of their cell, and what people call them."""


@dataclass(frozen=True)
class StudyCounts:
    """A study's trials in numbers.

    Attributes
    ----------
    done : int
        Cells with a recorded end: complete, pruned or failed.
    states : collection of str
        States that its trials are in.
    rows : mapping of str to int
        Rows of the table of candidates, by state.
    cells : mapping of str to int
        Trials behind these rows, by state; several rows may share one.
    copied : int
        Rows whose result was taken over from another trial.
    reasons : mapping of str to int
        Failed cells, by reason.
    """

    done: int
    states: Collection[str]
    rows: Mapping[str, int]
    cells: Mapping[str, int]
    copied: int
    reasons: Mapping[str, int]


def counts_of(trials: Sequence[TrialRecord], candidates: Sequence[Candidate]) -> StudyCounts:
    """Return what a study that was read whole comes to in numbers."""
    behind = {candidate.trial.number: candidate.trial for candidate in candidates}.values()
    failed = [trial for trial in behind if trial.state == "FAIL"]
    return StudyCounts(
        done=len({trial.key for trial in trials if trial.state in ENDED}),
        states={trial.state for trial in trials},
        rows=Counter(candidate.trial.state for candidate in candidates),
        cells=Counter(trial.state for trial in behind),
        copied=sum(candidate.trial.copied_from is not None for candidate in candidates),
        reasons=Counter(trial.reason or "no reason recorded" for trial in failed),
    )


def status_of(states: Collection[str], done: int, planned: int, *, early: bool = False) -> str:
    """Return how a study stands, from its trials' states and its cells.

    Parameters
    ----------
    states : collection of str
        Of all trials.
    done, planned : int
        Cells that have ended, and all of them.
    early : bool
        Whether the search ended before its last cell.
    """
    if not {"WAITING", "RUNNING"}.intersection(states) and (early or done >= planned):
        return "finished"
    if states and set(states) == {"WAITING"}:
        return "waiting"
    return "running" if "RUNNING" in states else "stopped"
