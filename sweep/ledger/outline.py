"""The studies of a ledger in a few numbers each, counted by the database.

Reading a study whole costs milliseconds a trial; here the trials of all studies are one query.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.ledger.keys import CELL, REASON, SOURCE, STUDY, WINNER
from sweep.ledger.records import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.studies import Studies

BY_READING = ("max_fit_seconds", "objectives", "patience")
"""Settings of a search whose best, or whose end, only its trials' whole results tell."""

TRIALS = """
    SELECT t.study_id, t.state, cell.value_json, reason.trial_id, v.value
    FROM trials t
    JOIN trial_user_attributes cell ON cell.trial_id = t.trial_id AND cell.key = :cell
    LEFT JOIN trial_user_attributes reason ON reason.trial_id = t.trial_id AND reason.key = :reason
    LEFT JOIN trial_user_attributes taught ON taught.trial_id = t.trial_id AND taught.key = :source
    LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
    WHERE taught.trial_id IS NULL
    ORDER BY t.study_id, t.number
"""
"""Of each trial of a study's own: state, cell, whether a reason is recorded, value."""


@dataclass(frozen=True)
class Outline:
    """A study in a few numbers.

    Attributes
    ----------
    name, method, status : str
        ``status`` as :attr:`sweep.ledger.records.StudyRecord.status`.
    done, planned, failed : int
        Cells.
    best : float or None
        The highest mean held-out score.
    created : str
        ISO time.
    test_opened : bool
        Whether a refitted winner met the test set.
    owner : str
        Who made the study: ``user@host``; empty where an older version did not say.
    hosts : tuple of str
        Machines that work on it now, each as often as cells are in hand there.
    last_sign : float or None
        Seconds since the last sign of life of its workers.
    """

    name: str
    method: str
    status: str
    done: int
    planned: int
    failed: int
    best: float | None
    created: str
    test_opened: bool
    owner: str = ""
    hosts: tuple[str, ...] = ()
    last_sign: float | None = None


def outlines(ledger: Studies) -> tuple[list[Outline], list[str]]:
    """Return the studies that the database can outline, oldest first, and the names of the others.

    The others limit fit seconds, have patience or several objectives: read them whole.

    Raises
    ------
    LedgerError
        If the ledger cannot be read.
    """
    with ledger.translated():
        studies = ledger.storage.get_all_studies()
    headers = ((s, s.user_attrs.get(STUDY)) for s in studies)
    ours = [s for s, head in headers if isinstance(head, dict) and "part" not in head]
    plain = [s for s in ours if not _by_reading(s.user_attrs[STUDY])]
    trials = _trials(ledger) if plain else {}
    found = [_outline(s.study_name, s.user_attrs, trials.get(s._study_id, [])) for s in plain]
    return found, [s.study_name for s in ours if s not in plain]


def _by_reading(header: Mapping[str, Any]) -> bool:
    search = header["spec"]["search"]
    return any(search.get(name) not in (None, ["score"]) for name in BY_READING)


def _trials(ledger: Studies) -> dict[int, list[tuple[Any, ...]]]:
    from sqlalchemy import text

    found: dict[int, list[tuple[Any, ...]]] = {}
    with ledger.translated(), ledger.storage.engine.connect() as connection:
        names = {"cell": CELL, "reason": REASON, "source": SOURCE}
        for study, *trial in connection.execute(text(TRIALS), names):
            found.setdefault(study, []).append(tuple(trial))
    return found


def _outline(
    name: str, attributes: Mapping[str, Any], trials: Sequence[tuple[Any, ...]]
) -> Outline:
    header = attributes[STUDY]
    ended: dict[str, str] = {}
    for state, cell, reason, _ in trials:
        if state in ("COMPLETE", "PRUNED") or (state == "FAIL" and reason is not None):
            ended[json.loads(cell)["key"]] = state
    states = [state for state, *_ in trials]
    values = [v for state, *_, v in trials if state == "COMPLETE" and v is not None]
    return Outline(
        name=name,
        method=header["spec"]["search"]["method"],
        status=status_of(states, len(ended), header["planned"]),
        done=len(ended),
        planned=header["planned"],
        failed=sum(state == "FAIL" for state in ended.values()),
        best=max(values, default=None),
        created=header["created"],
        test_opened=WINNER in attributes,
    )
