"""Locks in the ledger: one process at a time does a task (refit, enqueue, ...) of a study.

A lock, called a turn, is a study attribute that names its holder, the task and the start time.
Short transactions write, renew and delete it, so that a refit of hours locks neither the database
nor its file. A turn whose holder has died, or has sent no sign of life for too long, goes to the
next process.
"""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError, StudyNotFoundError
from sweep.storage.attributes import TURN
from sweep.storage.locations import GRACE_SECONDS, HEARTBEAT_SECONDS
from sweep.storage.process_identity import is_alive_here, is_dead, worker_name
from sweep.storage.retries import retry
from sweep.storage.waiting_messages import Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sweep.ledger.studies import Studies

TASKS = {
    "cells": "puts its cells in place",
    "rungs": "decides which of its trials go on",
    "finish": "refits its winner",
    "importances": "works out how much its parameters mattered",
}
"""Tasks that one process at a time may do for a study, as messages describe them."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.02, 1.0
"""Seconds between two looks of a process that waits; the pause grows."""


@contextmanager
def one_at_a_time(ledger: Studies, name: str, task: str) -> Iterator[Callable[[], bool]]:
    """Take a task's lock for a study; wait while another process holds it.

    Parameters
    ----------
    ledger : Studies
        The ledger with the study.
    name : str
        The study.
    task : str
        One of :data:`TASKS`.

    Yields
    ------
    callable
        Returns whether this process still holds the lock: one that was suspended for minutes loses
        it.

    Raises
    ------
    StudyNotFoundError
        If the study is deleted meanwhile.
    """
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{task}"
    mine = {
        "turn": secrets.token_hex(8),
        "worker": worker_name(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        "sign": 0,
    }

    def is_ours() -> bool:
        with ledger.translated():
            found = retry(lambda: turns.read(ledger.storage, study_id, key))
        return found is not None and found["turn"] == mine["turn"]

    try:
        _wait(ledger, name, task, mine)
        with _renewed(ledger, study_id, key, mine):
            yield is_ours
    finally:
        with suppress(LedgerError), ledger.translated():
            retry(lambda: turns.end(ledger.storage, study_id, key, mine))


def taken_by(ledger: Studies, name: str, task: str) -> str | None:
    """Return a text that names the holder of a task's lock; None where the lock is free.

    The holder may be a process of another machine, which only its signs of life show to be alive:
    then this waits for the next sign, or until none has come for too long.
    """
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{task}"
    wait, silence, first = Wait(), _Silence(), None
    while True:
        with ledger.translated():
            turn = retry(lambda: turns.read(ledger.storage, study_id, key))
        if turn is None or silence.is_over(turn):
            return None
        first = first or turn
        if turn != first or is_alive_here(turn["worker"]):
            return _described(name, task, turn)
        wait.look(partial(_described, name, task, turn))
        time.sleep(LONGEST_PAUSE)


def _wait(ledger: Studies, name: str, task: str, mine: dict[str, Any]) -> None:
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{task}"
    wait, silence, pause = Wait(), _Silence(), SHORTEST_PAUSE
    expired: dict[str, Any] | None = None
    while True:
        try:
            with ledger.translated():
                taking = partial(turns.take, ledger.storage, study_id, key, mine, expired)
                turn = retry(taking)
        except KeyError:
            raise StudyNotFoundError(f"study {name!r} was deleted meanwhile") from None
        if turn is None:
            return
        expired = turn if silence.is_over(turn) else None
        if expired is None:
            wait.look(partial(_described, name, task, turn))
            time.sleep(pause)
            pause = min(LONGEST_PAUSE, 1.5 * pause)


def _described(name: str, task: str, turn: dict[str, Any]) -> str:
    host, number, *_ = [*str(turn["worker"]).split(":"), "?"]
    since = datetime.fromisoformat(turn["since"]).astimezone()
    return (
        f"study {name!r}: process {number} on {host} {TASKS[task]}, since {since:%Y-%m-%d %H:%M:%S}"
    )


class _Silence:
    """Measure how long a holder has sent no new sign of life.

    It uses this process's clock alone: clocks of two machines may differ.
    """

    def __init__(self) -> None:
        self._seen: dict[str, Any] | None = None
        self._since = 0.0

    def is_over(self, turn: dict[str, Any]) -> bool:
        """Return whether a turn has expired: its holder is dead or has been silent for too long.

        A holder that is alive on this machine gets more time: the machine may have been suspended.
        """
        if is_dead(turn["worker"]):
            return True
        if turn != self._seen:
            self._seen, self._since = turn, time.monotonic()
        patience = GRACE_SECONDS + 2 * HEARTBEAT_SECONDS * is_alive_here(turn["worker"])
        return time.monotonic() - self._since > patience


@contextmanager
def _renewed(ledger: Studies, study_id: int, key: str, mine: dict[str, Any]) -> Iterator[None]:
    """Send signs of life from a thread while the lock is held."""
    from sweep.storage import turns

    done = threading.Event()

    def renew() -> None:
        sign = 0
        while not done.wait(HEARTBEAT_SECONDS):
            sign += 1
            with suppress(LedgerError), ledger.translated():  # the next sign may get through
                retry(partial(turns.renew, ledger.storage, study_id, key, mine, sign))

    threading.Thread(target=renew, daemon=True).start()
    try:
        yield
    finally:
        done.set()
