"""A browser's session: a signed cookie that names a token, never the token itself."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from sweep.service.tables import KEYS, insert_new, transaction

if TYPE_CHECKING:
    from sweep.ledger.studies import Studies

COOKIE = "sweep_session"
SECONDS = 30 * 24 * 3600
"""How long a session lasts; one whose token is revoked ends at once."""


class Sessions:
    """Make and read session cookies.

    Parameters
    ----------
    ledger : Studies
        Keeps the key, so that sessions of named tokens outlive the server.
    start_key : str
        Signs sessions of the start token beside that: they end with the server.
    """

    def __init__(self, ledger: Studies, start_key: str) -> None:
        self._key = _shared_key(ledger)
        self._start_key = start_key

    def cookie(self, token_id: str) -> str:
        """Return the cookie of a new session."""
        held = f"{token_id}.{int(time.time()) + SECONDS}"
        return f"{held}.{self._signature(held)}"

    def token_id(self, cookie: str) -> str | None:
        """Return the token that a cookie names; None for a false or an old one."""
        held, _, signature = cookie.rpartition(".")
        if not held.isascii() or not hmac.compare_digest(
            signature.encode(), self._signature(held).encode()
        ):
            return None
        token_id, _, until = held.partition(".")
        return token_id if until.isdigit() and int(until) > time.time() else None

    def _signature(self, held: str) -> str:
        key = self._key + (self._start_key if held.startswith("start.") else "")
        return hmac.new(key.encode(), held.encode(), hashlib.sha256).hexdigest()


def _shared_key(ledger: Studies) -> str:
    """Return the key of the ledger's sessions; the first server makes it."""
    query = select(KEYS.c.value).where(KEYS.c.name == "sessions")
    with transaction(ledger) as connection:
        found = connection.execute(query).scalar_one_or_none()
    if found is not None:
        return str(found)
    with transaction(ledger) as connection:
        insert_new(connection, KEYS, {"name": "sessions", "value": secrets.token_hex(32)})
    return _shared_key(ledger)  # another server may have been faster
