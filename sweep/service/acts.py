"""Who did what: every change that comes through the service is written down."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from sweep.service.tables import ACTS, transaction
from sweep.service.tokens import now

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    log.info(
        "%s: %s%s%s", who, act, f" {study!r}" if study else "", f" ({detail})" if detail else ""
    )
    row = {
        "at": now(), "seconds": time.time(), "who": who, "act": act, "study": study,
        "detail": detail,
    }  # fmt: skip
    with transaction(ledger) as connection:
        connection.execute(insert(ACTS).values(row))


def acts(ledger: Studies, study: str | None = None, most: int = MOST) -> Sequence[Act]:
    """Return the last changes, newest first, of one study or of all."""
    columns = (ACTS.c.at, ACTS.c.who, ACTS.c.act, ACTS.c.study, ACTS.c.detail)
    query = select(*columns).order_by(ACTS.c.id.desc()).limit(most)
    if study is not None:
        query = query.where(ACTS.c.study == study)
    with transaction(ledger) as connection:
        return [Act(*row) for row in connection.execute(query)]
