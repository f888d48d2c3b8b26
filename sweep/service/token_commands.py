"""Tokens of a ledger, as the command line asks for them."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from sweep.ledger.ledger import Ledger
from sweep.service.acts import record_act
from sweep.service.tokens import TokenInfo, Tokens
from sweep.storage.locations import storage_url
from sweep.study.preparation import owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextmanager
def _tokens(storage: str | None) -> Iterator[tuple[Ledger, Tokens]]:
    with closing(Ledger(storage_url(storage))) as ledger:
        yield ledger, Tokens(ledger)


def add_token(storage: str | None, name: str, role: str) -> str:
    """Make a token; return it: it is shown this once.

    Raises
    ------
    ServiceError
        If the name is taken or empty, or there is no such role.
    """
    with _tokens(storage) as (ledger, tokens):
        made = tokens.add(name, role, owner())
        record_act(ledger, owner(), "token add", detail=f"{name}, {role}")
        return made


def list_tokens(storage: str | None) -> Sequence[TokenInfo]:
    """Return the tokens of a ledger, in the order in which they were made."""
    with _tokens(storage) as (_, tokens):
        return tokens.all()


def revoke_token(storage: str | None, name: str) -> None:
    """Refuse a token from now on.

    Raises
    ------
    ServiceError
        If there is no valid token of that name.
    """
    with _tokens(storage) as (ledger, tokens):
        tokens.revoke(name)
        record_act(ledger, owner(), "token revoke", detail=name)
