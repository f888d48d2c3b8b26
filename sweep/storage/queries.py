"""Small SQL queries about a study that stay fast however many trials it has."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sweep.storage.attributes import CELL, DIGEST, LOST, REASON, TURN, WORKER

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

COUNTS = "SELECT state, COUNT(*) FROM trials WHERE study_id = :study GROUP BY state"
WAITING = """
    SELECT t.trial_id, t.number, cell.value_json
    FROM trials t
    JOIN trial_user_attributes cell ON cell.trial_id = t.trial_id AND cell.key = :cell
    WHERE t.study_id = :study AND t.state = 'WAITING'
"""
CELLS = """
    SELECT t.trial_id, CAST(t.state AS VARCHAR), cell.value_json, lost.value_json, reason.trial_id,
        digest.trial_id
    FROM trials t
    JOIN trial_user_attributes cell ON cell.trial_id = t.trial_id AND cell.key = :cell
    LEFT JOIN trial_user_attributes lost ON lost.trial_id = t.trial_id AND lost.key = :lost
    LEFT JOIN trial_user_attributes reason ON reason.trial_id = t.trial_id AND reason.key = :reason
    LEFT JOIN trial_user_attributes digest ON digest.trial_id = t.trial_id AND digest.key = :digest
    WHERE t.study_id = :study ORDER BY t.trial_id
"""
SIGNS = """
    SELECT s.study_name, worker.value_json, beat.heartbeat, t.datetime_complete
    FROM trials t
    JOIN studies s ON s.study_id = t.study_id
    LEFT JOIN trial_user_attributes worker
        ON worker.trial_id = t.trial_id AND worker.key = :worker AND t.state = 'RUNNING'
    LEFT JOIN trial_heartbeats beat ON beat.trial_id = t.trial_id AND t.state = 'RUNNING'
    WHERE t.state = 'RUNNING'
        OR t.trial_id IN (SELECT MAX(trial_id) FROM trials
                          WHERE datetime_complete IS NOT NULL GROUP BY study_id)
"""

STATE = """
    SELECT s.study_id, '', s.study_name FROM studies s {one}
    UNION ALL SELECT t.study_id, CAST(t.state AS VARCHAR), CAST(COUNT(*) AS VARCHAR)
        FROM trials t {of_one} GROUP BY t.study_id, t.state
    UNION ALL SELECT t.study_id, t.key, t.value_json
        FROM study_user_attributes t {of_one} {and_} t.key NOT LIKE :turns
"""
ONE = {
    "one": "WHERE s.study_name = :name",
    "of_one": "WHERE t.study_id = (SELECT study_id FROM studies WHERE study_name = :name)",
    "and_": "AND",
}
ALL = {"one": "", "of_one": "", "and_": "WHERE"}


@dataclass(frozen=True)
class WaitingCell:
    """A cell that no worker has claimed.

    Attributes
    ----------
    trial_id, number : int
        Optuna's identifiers.
    cell : mapping of str to value
        The cell as stored.
    """

    trial_id: int
    number: int
    cell: dict[str, Any]

    @property
    def turn(self) -> int:
        """Its place in the order of claims: for ``slot:17`` the 17, else the trial's number.

        A slot that was interrupted is enqueued again with a higher trial number; it still goes
        before the later slots, because promotions depend on the order of the slots.
        """
        slot = str(self.cell.get("key", "")).partition("slot:")[2]
        return int(slot) if self.cell.get("params") is None and slot.isdigit() else self.number


def counted(connection: Connection, study_id: int) -> Counter[str]:
    """Return how many trials of a study are in each state."""
    from sqlalchemy import text

    rows = connection.execute(text(COUNTS), {"study": study_id})
    return Counter({str(state): int(count) for state, count in rows})


def state_of(connection: Connection, name: str | None = None) -> str | None:
    """Return what differs whenever a study has changed, or any of them; None where there is none.

    Who holds a study's locks is not part of it. Trials only move on, from waiting to running to an
    end, so each of their changes moves a count.
    """
    from sqlalchemy import text

    values = {"turns": f"{TURN}%"} | ({} if name is None else {"name": name})
    rows = connection.execute(text(STATE.format(**(ALL if name is None else ONE))), values)
    found = sorted(map(tuple, rows))
    return sha256(repr(found).encode()).hexdigest() if found else None


def waiting_cells(connection: Connection, study_id: int) -> list[WaitingCell]:
    """Return the waiting cells of a study, in the order in which they are to be claimed."""
    from sqlalchemy import text

    rows = connection.execute(text(WAITING), {"study": study_id, "cell": CELL})
    found = [WaitingCell(int(row[0]), int(row[1]), json.loads(row[2])) for row in rows]
    return sorted(found, key=lambda each: each.turn)


@dataclass(frozen=True, slots=True)
class CellState:
    """State of one trial, for deciding which cells of the plan are missing.

    Attributes
    ----------
    trial_id : int
        Optuna's identifier.
    state, key : str
        The trial's state, and the key of its cell.
    epochs : tuple of int
        Epochs that the cell scores.
    lost : str or None
        How its worker died, if it died.
    has_reason : bool
        Whether the trial recorded a reason of failure.
    has_digest : bool
        Whether the trial recorded a result or a reason, with a digest.
    """

    trial_id: int
    state: str
    key: str
    epochs: tuple[int, ...]
    lost: str | None
    has_reason: bool
    has_digest: bool


def cell_states(connection: Connection, study_id: int) -> list[CellState]:
    """Return the state of each trial of a study whose cell can be read, oldest first."""
    from sqlalchemy import text

    names = {"cell": CELL, "lost": LOST, "reason": REASON, "digest": DIGEST}
    found = []
    for trial_id, state, cell, lost, reason, digest in connection.execute(
        text(CELLS), {"study": study_id, **names}
    ):
        with suppress(ValueError, LookupError, TypeError):
            plain = json.loads(cell)
            how = None if lost is None else str(json.loads(lost))
            first = (int(trial_id), state, plain["key"], tuple(plain["epochs"]), how)
            found.append(CellState(*first, reason is not None, digest is not None))
    return found


@dataclass(frozen=True)
class Signs:
    """Signs of life of a study's workers.

    Attributes
    ----------
    hosts : tuple of str
        Host names of the workers that evaluate cells now, sorted; one entry for each such cell.
    last : float or None
        Seconds since the last sign: a heartbeat, or the end of a trial.
    """

    hosts: tuple[str, ...] = ()
    last: float | None = None


def signs(connection: Connection) -> dict[str, Signs]:
    """Return the signs of life of each study's workers, by the study's name."""
    from sqlalchemy import DateTime, func, select, text

    shape = {"heartbeat": DateTime, "datetime_complete": DateTime}
    rows = connection.execute(text(SIGNS).columns(**shape), {"worker": WORKER})
    # heartbeats are stamped by the database's clock, ends of trials by a worker's, in UTC
    now = connection.execute(select(func.now())).scalar_one().replace(tzinfo=None)
    utc = datetime.now(UTC).replace(tzinfo=None)
    hosts: dict[str, list[str]] = {}
    ages: dict[str, list[float]] = {}
    for study, worker, beat, ended in rows:
        if worker:
            hosts.setdefault(study, []).append(json.loads(worker).partition(":")[0])
        found = [(now - beat).total_seconds()] if beat else []
        found += [(utc - ended).total_seconds()] if ended else []
        ages.setdefault(study, []).extend(found)
    return {
        study: Signs(tuple(sorted(hosts.get(study, ()))), max(0.0, min(found)) if found else None)
        for study, found in ages.items()
    }
