"""Retry when a database was unavailable for a moment: a restart, a lost connection, a lock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optuna.storages import RDBStorage
    from sqlalchemy.engine import Engine

T = TypeVar("T")

PATIENCE_SECONDS = 120.0
"""How long a server may be unavailable before that is an error."""

TRIES = 5
"""How often a transaction is tried before its error is raised."""

TRANSIENT = (
    "terminating connection", "server closed", "starting up", "shutting down", "Connection refused",
    "connection is lost", "connection failed", "consuming input failed", "connection is closed",
    "database is locked",
)  # fmt: skip
"""Error texts of databases and drivers that mean: unavailable for the moment, try again."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and the chain of errors that it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_transient(error: BaseException) -> bool:
    """Return whether an error means that the database was unavailable or locked for a moment."""
    from sqlalchemy.exc import DBAPIError

    for each in causes(error):
        if isinstance(each, DBAPIError) and each.connection_invalidated:
            return True
        if any(word in str(each) for word in TRANSIENT):
            return True
    return False


def retry(act: Callable[[], T], but: tuple[str, ...] = ()) -> T:
    """Run a transaction; run it again if the database was unavailable meanwhile.

    The connection may be lost after the commit, so ``act`` must allow repeating: it has to find
    what an earlier try wrote. An error with one of the texts in ``but`` is raised at once.
    """
    for tried in range(1, TRIES + 1):
        try:
            return act()
        except Exception as error:
            message = " ".join(str(each) for each in causes(error))
            if tried == TRIES or not is_transient(error) or any(word in message for word in but):
                raise
            time.sleep(0.2 * tried)
    raise AssertionError


REPEATABLE = (
    "get_all_studies", "get_study_id_from_name", "get_study_user_attrs", "get_study_system_attrs",
    "get_n_trials", "get_trial", "get_all_trials", "set_study_user_attr",
    "set_study_system_attr", "_get_stale_trial_ids", "set_trial_user_attr",
    "set_trial_system_attr", "record_heartbeat",
)  # fmt: skip
"""Idempotent methods of Optuna's storage: calling one twice changes nothing."""


def add_retries(storage: RDBStorage) -> None:
    """Wrap a storage's idempotent methods in :func:`retry`."""

    def retried(call: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: retry(lambda: call(*args, **kwargs))

    for name in REPEATABLE:
        setattr(storage, name, retried(getattr(storage, name)))


def until_there(act: Callable[[], T]) -> T:
    """Do something as soon as the server that it needs is back; raise its error after a while."""
    end, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
    while True:
        try:
            return act()
        except Exception as error:
            if time.monotonic() > end or not is_transient(error):
                raise
        time.sleep(pause)
        pause = min(2.0, 2 * pause)


def wait_for_server(engine: Engine) -> None:
    """Make new connections of an engine wait until the server is back."""
    from sqlalchemy import event

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        return until_there(lambda: dialect.connect(*arguments, **options))
