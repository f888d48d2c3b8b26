"""Studies that were imported: how they are written, and that nothing goes on with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.ledger.checksums import trial_digest
from sweep.ledger.codec import result_to_plain
from sweep.ledger.objectives import directions, objective_values
from sweep.ledger.scores import mean_split_score
from sweep.ledger.stored_spec import StoredSearch
from sweep.ledger.summary import summary_of
from sweep.storage.attributes import (
    CELL,
    DIGEST,
    FORMAT,
    IMPORTED,
    REASON,
    RESULT,
    STUDY,
    SUMMARY,
)
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from optuna.trial import FrozenTrial

    from sweep.ledger.records import SplitResult
    from sweep.ledger.studies import Studies


@dataclass(frozen=True)
class EndedTrial:
    """One trial of another tool.

    Attributes
    ----------
    state : str
        ``COMPLETE``, ``PRUNED`` or ``FAIL``.
    params : mapping of str to value
        Plain values, as a study file holds them.
    splits : tuple of SplitResult
        Scores that are higher for the better; none for a failed trial.
    epoch : int
        The epoch that its score is of; 1 where nothing is known of epochs.
    reason : str or None
        Why it failed or was pruned.
    parameters : int or None
        Weights of its model.
    started, finished : datetime or None
        With a time zone.
    """

    state: str
    params: Mapping[str, Any]
    splits: tuple[SplitResult, ...] = ()
    epoch: int = 1
    reason: str | None = None
    parameters: int | None = None
    started: datetime | None = None
    finished: datetime | None = None


def check_own(name: str, header: Mapping[str, Any], act: str) -> None:
    """Refuse to go on with an imported study.

    Parameters
    ----------
    name : str
        The study.
    header : mapping
        Its header.
    act : str
        What is asked: ``"continued"``, ``"stopped"``.

    Raises
    ------
    LedgerError
        If its results come from another tool.
    """
    held = header.get(IMPORTED)
    if held is not None:
        raise LedgerError(
            f"study {name!r} was imported ({held['tool']}, {held['source']}), so it cannot be "
            f"{act}: its models, its data and its search stayed where they were; read it with "
            f"show, best, pivot, report or compare, or run a study of your own under another "
            f"name: --name {name}-2"
        )


def add_imported(
    ledger: Studies, name: str, header: Mapping[str, Any], trials: Sequence[EndedTrial]
) -> bool:
    """Write a study that another tool ran, all of it or nothing; False if the name is taken.

    Its trials get cells, digests and summaries as those that workers record.
    """
    from optuna.study import StudyDirection

    from sweep.storage.whole_studies import add_whole_study

    search = StoredSearch(header)
    aims = [StudyDirection[d.upper()] for d in directions(search.objectives)]
    attributes = {STUDY: {"format": FORMAT, **header}}
    frozen = [_frozen(number, trial, search.objectives) for number, trial in enumerate(trials)]
    with ledger.translated():
        return retry(lambda: add_whole_study(ledger.storage, name, aims, attributes, frozen))


def _frozen(number: int, trial: EndedTrial, objectives: Sequence[str]) -> FrozenTrial:
    import optuna

    cell = {"key": f"slot:{number}", "params": dict(trial.params), "epochs": [trial.epoch]}
    attributes: dict[str, Any] = {CELL: cell}
    values: list[float] | None = None
    if trial.state != "FAIL":
        result = result_to_plain(trial.splits, ())
        attributes[RESULT] = {**result, "parameters": trial.parameters}
        values = _values(trial, objectives)
    if trial.reason is not None:
        attributes[REASON] = trial.reason[:2000]
    digest = trial_digest(trial.state, values, {}, attributes)
    summary = summary_of(trial.state, values, attributes, digest)
    made = optuna.trial.create_trial(
        state=optuna.trial.TrialState[trial.state],
        values=values,
        user_attrs={**attributes, DIGEST: digest, SUMMARY: summary},
    )
    made.datetime_start, made.datetime_complete = trial.started, trial.finished
    return made


def _values(trial: EndedTrial, objectives: Sequence[str]) -> list[float] | None:
    """Return the trial's objectives; None for a pruned one that has none of all its splits."""
    if not trial.splits or any(trial.epoch not in split.test for split in trial.splits):
        return None
    score = mean_split_score(trial.splits, trial.epoch)
    return objective_values(objectives, score, trial.splits, trial.epoch, trial.parameters)
