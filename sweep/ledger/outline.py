"""The studies of a ledger in a few numbers each, counted by the database.

Reading a study whole costs milliseconds a trial; here the trials of all studies are one query.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sweep.ledger.digest import is_whole
from sweep.ledger.keys import CELL, REASON, STUDY, WINNER
from sweep.ledger.records import status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.studies import Studies

BY_READING = ("max_fit_seconds", "objectives", "patience")
"""Settings of a search whose best, or whose end, only its trials' whole results tell."""

TRIALS = """
    WITH own AS (
        SELECT t.study_id, t.trial_id, t.number, CAST(t.state AS VARCHAR) AS state,
            {key} AS cell_key, reason.trial_id AS told, v.value
        FROM trials t
        JOIN trial_user_attributes cell ON cell.trial_id = t.trial_id AND cell.key = :cell
        LEFT JOIN trial_user_attributes reason
            ON reason.trial_id = t.trial_id AND reason.key = :reason
        LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0
    ), ended AS (
        SELECT study_id, state, ROW_NUMBER() OVER (
            PARTITION BY study_id, cell_key ORDER BY number DESC
        ) AS turn
        FROM own
        WHERE state IN ('COMPLETE', 'PRUNED') OR (state = 'FAIL' AND told IS NOT NULL)
    ), ranked AS (
        SELECT study_id, trial_id, value, ROW_NUMBER() OVER (
            PARTITION BY study_id ORDER BY value DESC
        ) AS turn
        FROM own WHERE state = 'COMPLETE' AND value IS NOT NULL
    )
    SELECT study_id, 'ended', state, COUNT(*), NULL FROM ended WHERE turn = 1
        GROUP BY study_id, state
    UNION ALL SELECT study_id, 'held', state, COUNT(*), NULL FROM own GROUP BY study_id, state
    UNION ALL SELECT study_id, 'best', '', trial_id, value FROM ranked WHERE turn = 1
"""
"""Of each study: cells by their last end, trials by their state, and the best complete trial."""

KEYS = {
    "sqlite": "json_extract(cell.value_json, '$.key')",
    "postgresql": "CAST(cell.value_json AS json) ->> 'key'",
}
"""How a database reads the key of a cell."""


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
    sums = _sums(ledger) if plain else {}
    sound = [s for s in plain if _is_sound(ledger, sums.get(s._study_id, _Sums()))]
    found = [_outline(s.study_name, s.user_attrs, sums.get(s._study_id, _Sums())) for s in sound]
    return found, [s.study_name for s in ours if s not in sound]


def _by_reading(header: Mapping[str, Any]) -> bool:
    search = header["spec"]["search"]
    return any(search.get(name) not in (None, ["score"]) for name in BY_READING)


@dataclass
class _Sums:
    """What the database has counted of a study."""

    ended: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    best: float | None = None
    best_trial: int | None = None


def _sums(ledger: Studies) -> dict[int, _Sums]:
    from sqlalchemy import text

    found: dict[int, _Sums] = {}
    key = KEYS.get(ledger.storage.engine.name, KEYS["sqlite"])
    with ledger.translated(), ledger.storage.engine.connect() as connection:
        names = {"cell": CELL, "reason": REASON}
        for study, kind, state, count, value in connection.execute(
            text(TRIALS.format(key=key)), names
        ):
            sums = found.setdefault(study, _Sums())
            if kind == "best":
                sums.best_trial, sums.best = int(count), float(value)
            else:
                (sums.ended if kind == "ended" else sums.held)[state] += count
    return found


def _is_sound(ledger: Studies, sums: _Sums) -> bool:
    """Return whether the best trial is what was recorded; otherwise the study is to be read."""
    if sums.best_trial is None:
        return True
    with ledger.translated():
        return is_whole(ledger.storage.get_trial(sums.best_trial))


def _outline(name: str, attributes: Mapping[str, Any], sums: _Sums) -> Outline:
    header = attributes[STUDY]
    done = sum(sums.ended.values())
    return Outline(
        name=name,
        method=header["spec"]["search"]["method"],
        status=status_of(tuple(sums.held), done, header["planned"]),
        done=done,
        planned=header["planned"],
        failed=sums.ended["FAIL"],
        best=sums.best,
        created=header["created"],
        test_opened=WINNER in attributes,
        owner=str(header.get("owner", "")),
    )
