"""Tokens: who asks, and what they may do."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from sqlalchemy import select, update

from sweep.errors import ServiceError
from sweep.service.tables import TOKENS, insert_new, make_tables, transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.engine import Row

    from sweep.ledger.studies import Studies

ROLES = ("read", "submit", "admin")
"""Each may do what those before it may do."""
PREFIX = "sweep"
START = "start"
"""The identifier of the start token."""
LONGEST_NAME = 64


@dataclass(frozen=True)
class Identity:
    """Who asks.

    Attributes
    ----------
    name : str
        The token's name.
    role : str
        One of ``ROLES``.
    token_id : str
        Which token.
    """

    name: str
    role: str
    token_id: str

    def may(self, role: str) -> bool:
        """Return whether the role covers another."""
        return ROLES.index(self.role) >= ROLES.index(role)


@dataclass(frozen=True)
class TokenInfo:
    """A token as a list shows it: everything but its secret."""

    name: str
    role: str
    made_at: str
    made_by: str
    revoked_at: str | None


class Tokens:
    """The tokens of a ledger, and one that lives as long as the server.

    Parameters
    ----------
    ledger : Studies
        Where they are kept.
    start_token : str or None
        The secret in the address that the server prints: role admin, nowhere stored.
    start_name : str
        What it is called in the list of acts.
    reader : Studies or None
        The same ledger, opened to be read: each request asks it.
    """

    def __init__(
        self, ledger: Studies, start_token: str | None = None, start_name: str = "owner",
        reader: Studies | None = None,
    ) -> None:  # fmt: skip
        self._ledger, self._start = ledger, start_token
        self._reader = reader or ledger
        self._owner = Identity(start_name, "admin", START)

    async def owner_of(self, token: str) -> Identity | None:
        """Return what :meth:`identify` does; only a named token is looked up, in a thread."""
        return self._owner if self._is_start(token) else await run_sync(self.identify, token)

    async def still(self, token_id: str) -> Identity | None:
        """Return what :meth:`by_id` does; only a named token is looked up, in a thread."""
        return self.by_id(token_id) if token_id == START else await run_sync(self.by_id, token_id)

    def _is_start(self, token: str) -> bool:
        start = self._start
        return bool(start and hmac.compare_digest(token.encode(), start.encode()))

    def identify(self, token: str) -> Identity | None:
        """Return whose token this is; None for one that is unknown or revoked."""
        if self._is_start(token):
            return self._owner
        prefix, _, rest = token.partition("_")
        token_id, _, _secret = rest.partition("_")
        row = self._row(token_id) if prefix == PREFIX and len(token_id) == 16 else None
        if row is None or not hmac.compare_digest(_digest(token), row.digest):
            return None
        return _identity(row)

    def by_id(self, token_id: str) -> Identity | None:
        """Return who a session belongs to; None where its token was revoked."""
        if token_id == START:
            return self._owner if self._start else None
        row = self._row(token_id)
        return _identity(row) if row is not None else None

    def add(self, name: str, role: str, made_by: str) -> str:
        """Make a token; return it: it is shown this once.

        Raises
        ------
        ServiceError
            If the name is taken or empty, or there is no such role.
        """
        _check(name, role)
        token_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        token = f"{PREFIX}_{token_id}_{secret}"
        row = {
            "id": token_id, "name": name, "role": role, "digest": _digest(token),
            "made_at": now(), "made_by": made_by,
        }  # fmt: skip
        make_tables(self._ledger)
        with transaction(self._ledger) as connection:
            if insert_new(connection, TOKENS, row):
                return token
        raise ServiceError(f"a token named {name!r} exists or existed; give this one another name")

    def revoke(self, name: str) -> None:
        """Refuse a token from now on.

        Raises
        ------
        ServiceError
            If there is no valid token of that name.
        """
        make_tables(self._ledger)
        valid = (TOKENS.c.name == name) & TOKENS.c.revoked_at.is_(None)
        with transaction(self._ledger) as connection:
            changed = connection.execute(update(TOKENS).where(valid).values(revoked_at=now()))
        if not changed.rowcount:
            known = [each.name for each in self.all() if each.revoked_at is None]
            raise ServiceError(
                f"no valid token named {name!r}; there are: {', '.join(known) or 'none'}"
            )

    def all(self) -> Sequence[TokenInfo]:
        """Return the tokens of the ledger, in the order in which they were made."""
        make_tables(self._ledger)
        columns = (TOKENS.c.name, TOKENS.c.role, TOKENS.c.made_at, TOKENS.c.made_by)
        query = select(*columns, TOKENS.c.revoked_at).order_by(TOKENS.c.made_at)
        with transaction(self._ledger) as connection:
            return [TokenInfo(*row) for row in connection.execute(query)]

    def _row(self, token_id: str) -> Row[tuple[str, ...]] | None:
        query = select(TOKENS).where(TOKENS.c.id == token_id, TOKENS.c.revoked_at.is_(None))
        with transaction(self._reader) as connection:
            return connection.execute(query).one_or_none()


def now() -> str:
    """Return the time as the ledger writes it."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


def _identity(row: Row[tuple[str, ...]]) -> Identity:
    return Identity(row.name, row.role, row.id)


def _digest(token: str) -> str:
    """Return what is kept of a token: 256 random bits need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def _check(name: str, role: str) -> None:
    problems = []
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_NAME:
        problems.append(
            f"the token's name: must be 1 to {LONGEST_NAME} printable characters, is {name!r}"
        )
    if role not in ROLES:
        problems.append(f"the token's role: must be one of {', '.join(ROLES)}, is {role!r}")
    if problems:
        raise ServiceError("\n".join(problems))
