"""Who did what: every change that comes through the service is written down."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from sweep.service.tables import ACTS, transaction
from sweep.service.tokens import now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sweep.ledger.studies import Studies

MOST = 200
log = logging.getLogger("sweep.service")


@dataclass(frozen=True)
class Act:
    """One change: when, who, what, to which study, and details."""

    at: str
    who: str
    act: str
    study: str
    detail: str


def record_act(ledger: Studies, who: str, act: str, study: str = "", detail: str = "") -> None:
    """Write down a change, in the ledger and in the server's log."""
    with acting(ledger, who, act, study, detail):
        pass


@dataclass
class Writing:
    """A change that is being made; its details may be known afterwards alone."""

    detail: str


@contextmanager
def acting(
    ledger: Studies, who: str, act: str, study: str = "", detail: str = ""
) -> Iterator[Writing]:
    """Write down a change that is made inside; nothing where it is refused.

    It is written first: a server that is killed meanwhile leaves no change that nobody made.
    """
    row = {
        "at": now(), "seconds": time.time(), "who": who, "act": act, "study": study,
        "detail": detail,
    }  # fmt: skip
    with transaction(ledger) as connection:
        (written,) = connection.execute(insert(ACTS).values(row)).inserted_primary_key or (None,)
    this, writing = ACTS.c.id == written, Writing(detail)
    try:
        yield writing
    except BaseException:
        with transaction(ledger) as connection:
            connection.execute(delete(ACTS).where(this))
        raise
    if writing.detail != detail:
        with transaction(ledger) as connection:
            connection.execute(update(ACTS).where(this).values(detail=writing.detail))
    more = f" ({writing.detail})" if writing.detail else ""
    log.info("%s: %s%s%s", who, act, f" {study!r}" if study else "", more)


def acts(ledger: Studies, study: str | None = None, most: int = MOST) -> Sequence[Act]:
    """Return the last changes, newest first, of one study or of all."""
    columns = (ACTS.c.at, ACTS.c.who, ACTS.c.act, ACTS.c.study, ACTS.c.detail)
    query = select(*columns).order_by(ACTS.c.id.desc()).limit(most)
    if study is not None:
        query = query.where(ACTS.c.study == study)
    with transaction(ledger) as connection:
        return [Act(*row) for row in connection.execute(query)]
