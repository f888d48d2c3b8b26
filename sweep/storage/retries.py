"""Go on when a database was away for a moment: a server's restart, a lost connection, a lock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from optuna.storages import RDBStorage
    from sqlalchemy.engine import Engine

T = TypeVar("T")

PATIENCE_SECONDS = 120.0
"""How long a server may be away before that is an error."""

TRIES = 5
"""How often a transaction that lost its connection is begun again."""

GONE = (
    "terminating connection", "server closed", "starting up", "shutting down", "Connection refused",
    "connection is lost", "connection failed", "consuming input failed", "connection is closed",
    "database is locked",
)  # fmt: skip
"""What databases and their drivers say then."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def is_gone(error: BaseException) -> bool:
    """Return whether an error says that the database was away, or held by another process."""
    from sqlalchemy.exc import DBAPIError

    for each in causes(error):
        if isinstance(each, DBAPIError) and each.connection_invalidated:
            return True
        if any(word in str(each) for word in GONE):
            return True
    return False


def retry(act: Callable[[], T], but: tuple[str, ...] = ()) -> T:
    """Run a transaction; once more where its connection was lost on the way.

    It must be one that may be repeated: whatever was written before the loss is found there.
    An error that says one of the words in ``but`` is raised at once.
    """
    for tried in range(1, TRIES + 1):
        try:
            return act()
        except Exception as error:
            said = " ".join(str(each) for each in causes(error))
            if tried == TRIES or not is_gone(error) or any(word in said for word in but):
                raise
            time.sleep(0.2 * tried)
    raise AssertionError


REPEATABLE = (
    "get_all_studies", "get_study_id_from_name", "get_study_user_attrs", "get_study_system_attrs",
    "get_n_trials", "get_trial", "get_all_trials", "set_study_user_attr",
    "set_study_system_attr", "_get_stale_trial_ids", "set_trial_user_attr",
    "set_trial_system_attr", "record_heartbeat",
)  # fmt: skip
"""What may be asked of an Optuna storage twice: the second time changes nothing."""


def add_retries(storage: RDBStorage) -> None:
    """Have a storage's repeatable calls go on after a lost connection or a lock."""

    def steady(call: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *given, **named: retry(lambda: call(*given, **named))

    for name in REPEATABLE:
        setattr(storage, name, steady(getattr(storage, name)))


def wait_for_server(engine: Engine) -> None:
    """Let new connections of an engine wait until the server is back."""
    from sqlalchemy import event

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
        end, pause = time.monotonic() + PATIENCE_SECONDS, 0.1
        while True:
            try:
                return dialect.connect(*arguments, **options)
            except Exception as error:
                if time.monotonic() > end or not is_gone(error):
                    raise
            time.sleep(pause)
            pause = min(2.0, 2 * pause)
