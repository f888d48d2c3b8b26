"""Recover lost cells: fail the trials of dead workers, enqueue what is missing."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sweep.ledger.checksums import has_digests, is_whole
from sweep.ledger.limits import search_end
from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.attributes import CELL, WORKER
from sweep.storage.locations import GRACE_SECONDS, HEARTBEAT_SECONDS
from sweep.storage.locks import one_at_a_time
from sweep.storage.process_identity import is_alive_here, is_dead
from sweep.storage.queries import cell_states
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from optuna.trial import FrozenTrial

    from sweep.ledger.ledger import Ledger
    from sweep.search.plan import Plan
    from sweep.storage.queries import CellState

DEATHS_ALLOWED = 3
"""A cell that has killed this many workers is quarantined: recorded as failed."""


def fail_orphaned_trials(
    ledger: Ledger, name: str, gone: str | None = None, how: str | None = None
) -> int:
    """Fail the running trials of workers that are dead, or silent for too long.

    Parameters
    ----------
    ledger : Ledger
        Where they are.
    name : str
        The study.
    gone : str or None
        A worker known to be dead.
    how : str or None
        How that worker died, recorded with its trial.

    Returns
    -------
    int
        How many trials.
    """
    failed = 0
    for trial in _in_state(ledger, name, "RUNNING"):
        worker = trial.user_attrs.get(WORKER)
        if worker == gone or (worker and is_dead(worker)) or (not worker and _is_overdue(trial)):
            lost = (how or "the worker ended") if worker == gone else None
            failed += ledger.cut(trial._trial_id, lost)
    silent = f"the worker gave no sign of life for {GRACE_SECONDS} s"
    return failed + sum(ledger.cut(trial_id, silent) for trial_id in _silent(ledger, name))


def _silent(ledger: Ledger, name: str) -> list[int]:
    """Return the trials without a sign of life; those of workers alive here when seen so twice.

    The clock of a machine may jump, and a laptop sleep; a worker that lives beats again soon.
    """
    stale = ledger.stale_trials(name)
    if not stale:
        return []
    alive = {
        trial._trial_id
        for trial in _in_state(ledger, name, "RUNNING")
        if is_alive_here(trial.user_attrs.get(WORKER, ""))
    }
    now = time.monotonic()
    ledger.seen_silent = {each: ledger.seen_silent.get(each, now) for each in stale}
    return [
        each
        for each in stale
        if each not in alive or now - ledger.seen_silent[each] > 2 * HEARTBEAT_SECONDS
    ]


def enqueue_missing(
    ledger: Ledger, name: str, plan: Plan, *, retry_failed: bool = False,
    say: Callable[[str], None] = lambda _line: None,
) -> int:  # fmt: skip
    """Enqueue every cell of the plan that is neither ended, nor waiting, nor running.

    Parameters
    ----------
    ledger : Ledger
        Where they are.
    name : str
        The study.
    plan : Plan
        Its cells.
    retry_failed : bool
        Those that failed too.
    say : callable
        Called with a line for each cell that is quarantined.

    Returns
    -------
    int
        Cells enqueued.
    """

    def act() -> int:
        with one_at_a_time(ledger, name, "cells"):
            lines = ledger.query(name, cell_states)
            if reasons := _quarantine(ledger, name, lines):
                lines = ledger.query(name, cell_states)
            for reason in reasons:
                say(f"cell quarantined: it {reason}")
            return _enqueue(ledger, name, plan, lines, retry_failed=retry_failed)

    return retry(act)  # what was enqueued before a connection was lost is then found there


def patience_exhausted(ledger: Ledger, name: str) -> bool:
    """Return whether a study's patience is at its end."""
    header = ledger.header(name)
    if not StoredSearch(header).patience:
        return False
    return search_end(own_trials(ledger, name), header) is not None


def own_trials(ledger: Ledger, name: str) -> list[FrozenTrial]:
    """Return the trials of a study's own cells, without what their fits have measured."""
    found = ledger.trials(name, results=False)
    return [trial for trial in found if CELL in trial.user_attrs]


def cancel_waiting(ledger: Ledger, name: str) -> int:
    """Take back the waiting cells; a run that continues the study enqueues them again."""
    waiting = _in_state(ledger, name, "WAITING")
    return sum(ledger.cut(trial._trial_id) for trial in waiting)


def _enqueue(
    ledger: Ledger, name: str, plan: Plan, lines: Sequence[CellState], *, retry_failed: bool
) -> int:
    changed = _altered(ledger, name) if retry_failed else set()
    missing = plan.cells_without(
        (line.key, line.epochs)
        for line in lines
        if _settles(line, retry_failed=retry_failed) and line.trial_id not in changed
    )
    ledger.enqueue(name, missing, plan.distributions)
    return len(missing)


def _settles(line: CellState, *, retry_failed: bool) -> bool:
    """Return whether a trial settles its cell, or is about to."""
    return line.state != "FAIL" or (not retry_failed and (line.has_reason or line.has_digest))


def _altered(ledger: Ledger, name: str) -> set[int]:
    """Return the trials that are not what was recorded: failures, until they are tried again."""
    strict = has_digests(ledger.header(name))
    return {t._trial_id for t in ledger.trials(name) if not is_whole(t, strict=strict)}


def _quarantine(ledger: Ledger, name: str, lines: Sequence[CellState]) -> list[str]:
    """Record a failure for each cell that has ended its worker too often; return the reasons."""
    reasons = []
    deaths = Counter(line.key for line in lines if line.lost is not None)
    ended = {line.key for line in lines if line.has_reason}
    often = {key for key, count in deaths.items() if count >= DEATHS_ALLOWED} - ended
    for key in often:
        last = [line for line in lines if line.key == key][-1]
        reason = f"ended its worker {deaths[key]} times: {last.lost}"
        ledger.quarantine(name, last.trial_id, reason)
        reasons.append(reason)
    return reasons


def _in_state(ledger: Ledger, name: str, state: str) -> list[FrozenTrial]:
    return ledger.trials(name, state, results=False)


def _is_overdue(trial: FrozenTrial) -> bool:
    began = trial.datetime_start
    now = datetime.now()  # noqa: DTZ005 - Optuna's clock
    return began is not None and now - began > timedelta(seconds=GRACE_SECONDS)
