"""Count a study's cells by state, and derive the study's status from the counts."""

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
"""States of trials that finish their cell, and their names in texts."""


@dataclass(frozen=True)
class StudyCounts:
    """Counts of a study's trials.

    Attributes
    ----------
    done : int
        Finished cells: complete, pruned, past a limit or failed.
    states : collection of str
        The states that occur among its trials.
    rows : mapping of str to int
        Rows of the table of candidates, by state.
    cells : mapping of str to int
        Trials of these rows, by state; several rows may share one.
    copied : int
        Rows whose result was copied from another trial.
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
    """Return the counts of a study from all its trials and candidates."""
    cells = {candidate.trial.number: candidate.trial for candidate in candidates}.values()
    failed = [trial for trial in cells if trial.state == "FAIL"]
    return StudyCounts(
        done=len({trial.key for trial in trials if trial.state in ENDED}),
        states={trial.state for trial in trials},
        rows=Counter(candidate.trial.state for candidate in candidates),
        cells=Counter(trial.state for trial in cells),
        copied=sum(candidate.trial.copied_from is not None for candidate in candidates),
        reasons=Counter(trial.reason or "no reason recorded" for trial in failed),
    )


def status_of(states: Collection[str], done: int, planned: int, *, early: bool = False) -> str:
    """Return a study's status: finished, waiting, running or stopped.

    Parameters
    ----------
    states : collection of str
        The states that occur among its trials.
    done, planned : int
        Finished cells, and all cells of the plan.
    early : bool
        Whether the search ended before its last cell.
    """
    if not {"WAITING", "RUNNING"}.intersection(states) and (early or done >= planned):
        return "finished"
    if states and set(states) == {"WAITING"}:
        return "waiting"
    return "running" if "RUNNING" in states else "stopped"
