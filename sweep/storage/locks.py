"""Keep other processes out of the same part of their work on a study: by turns, in the ledger.

A turn is a line of the ledger that says who is at which part of which study, and since when. It is
written and taken away in transactions of a moment each, and renewed while it is held: a refit of
hours locks neither the database nor its file. A turn whose holder has died, or gave no sign of life
for too long, goes to the next.
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

PARTS = {
    "cells": "puts its cells in place",
    "rungs": "decides which of its trials go on",
    "finish": "refits its winner",
    "importances": "works out how much its parameters mattered",
}
"""What a process is at, which no other may be at for the same study."""

SOONEST_SECONDS, LATEST_SECONDS = 0.02, 1.0
"""How often a process that waits looks: ever more seldom."""


@contextmanager
def one_at_a_time(ledger: Studies, name: str, part: str) -> Iterator[Callable[[], bool]]:
    """Wait until no other process is in that part of its work on a study, and keep others out.

    Parameters
    ----------
    ledger : Studies
        Where the study is.
    name : str
        The study.
    part : str
        One of :data:`PARTS`.

    Yields
    ------
    callable
        Says whether others are still kept out: a process that was stopped for minutes lets them in.

    Raises
    ------
    StudyNotFoundError
        If the study is deleted meanwhile.
    """
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{part}"
    mine = {
        "turn": secrets.token_hex(8),
        "worker": worker_name(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
        "sign": 0,
    }

    def held() -> bool:
        with ledger.translated():
            found = retry(lambda: turns.read(ledger.storage, study_id, key))
        return found is not None and found["turn"] == mine["turn"]

    try:
        _wait(ledger, name, part, mine)
        with _renewed(ledger, study_id, key, mine):
            yield held
    finally:
        with suppress(LedgerError), ledger.translated():
            retry(lambda: turns.end(ledger.storage, study_id, key, mine))


def taken_by(ledger: Studies, name: str, part: str) -> str | None:
    """Return who is in that part of its work on a study, in words; None where nobody is.

    For a process of another machine this waits until it has given a sign of life, or none for too
    long.
    """
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{part}"
    wait, silence, first = Wait(), _Silence(), None
    while True:
        with ledger.translated():
            held = retry(lambda: turns.read(ledger.storage, study_id, key))
        if held is None or silence.is_over(held):
            return None
        first = first or held
        if held != first or is_alive_here(held["worker"]):
            return _described(name, part, held)
        wait.look(partial(_described, name, part, held))
        time.sleep(LATEST_SECONDS)


def _wait(ledger: Studies, name: str, part: str, mine: dict[str, Any]) -> None:
    from sweep.storage import turns

    study_id, key = ledger.study_id(name), f"{TURN}{part}"
    wait, silence, pause = Wait(), _Silence(), SOONEST_SECONDS
    over: dict[str, Any] | None = None
    while True:
        try:
            with ledger.translated():
                taking = partial(turns.take, ledger.storage, study_id, key, mine, over)
                held = retry(taking)
        except KeyError:
            raise StudyNotFoundError(f"study {name!r} was deleted meanwhile") from None
        if held is None:
            return
        over = held if silence.is_over(held) else None
        if over is None:
            wait.look(partial(_described, name, part, held))
            time.sleep(pause)
            pause = min(LATEST_SECONDS, 1.5 * pause)


def _described(name: str, part: str, held: dict[str, Any]) -> str:
    host, number, *_ = [*str(held["worker"]).split(":"), "?"]
    since = datetime.fromisoformat(held["since"]).astimezone()
    return (
        f"study {name!r}: process {number} on {host} {PARTS[part]}, since {since:%Y-%m-%d %H:%M:%S}"
    )


class _Silence:
    """How long one holder has been seen without a new sign of life; no two clocks are compared."""

    def __init__(self) -> None:
        self._seen: dict[str, Any] | None = None
        self._since = 0.0

    def is_over(self, held: dict[str, Any]) -> bool:
        """Return whether a holder is dead, or silent for so long that others may go on.

        One that lives on this machine gets more time: a laptop may have slept.
        """
        if is_dead(held["worker"]):
            return True
        if held != self._seen:
            self._seen, self._since = held, time.monotonic()
        patience = GRACE_SECONDS + 2 * HEARTBEAT_SECONDS * is_alive_here(held["worker"])
        return time.monotonic() - self._since > patience


@contextmanager
def _renewed(ledger: Studies, study_id: int, key: str, mine: dict[str, Any]) -> Iterator[None]:
    """Give signs of life as long as a turn is held."""
    from sweep.storage import turns

    done = threading.Event()

    def renew() -> None:
        sign = 0
        while not done.wait(HEARTBEAT_SECONDS):
            sign += 1
            with suppress(LedgerError), ledger.translated():  # the next may reach it again
                retry(partial(turns.renew, ledger.storage, study_id, key, mine, sign))

    threading.Thread(target=renew, daemon=True).start()
    try:
        yield
    finally:
        done.set()
