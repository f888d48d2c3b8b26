"""What the service keeps beside the studies, in tables of its own in the ledger's database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import Column, Float, Integer, MetaData, String, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import Connection

    from sweep.ledger.studies import Studies

METADATA = MetaData()

TOKENS = Table(
    "sweep_tokens",
    METADATA,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("made_at", String(40), nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("revoked_at", String(40)),
)
"""Tokens by their name; only a digest of the secret is kept."""

ACTS = Table(
    "sweep_acts",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", String(40), nullable=False),
    Column("seconds", Float, nullable=False),
    Column("who", String(64), nullable=False),
    Column("act", String(32), nullable=False),
    Column("study", String(512), nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
)
"""Who did what, in order."""

KEYS = Table(
    "sweep_keys",
    METADATA,
    Column("name", String(32), primary_key=True),
    Column("value", String(128), nullable=False),
)
"""Secrets of the service itself: the key that signs browser sessions."""

TOLD = Table(
    "sweep_told",
    METADATA,
    Column("study", String(512), primary_key=True),
    Column("ended", String(160), primary_key=True),
    Column("at", String(40), nullable=False),
)
"""Ends of studies that somebody was notified of, and studies whose ends are awaited."""


def make_tables(ledger: Studies) -> None:
    """Make the tables where they are missing."""
    with ledger.translated():
        METADATA.create_all(ledger.storage.engine, checkfirst=True)


@contextmanager
def transaction(ledger: Studies) -> Iterator[Connection]:
    """Open a transaction on the ledger's database; errors are said in the ledger's words."""
    with ledger.translated(), ledger.storage.engine.begin() as connection:
        yield connection


def insert_new(connection: Connection, table: Table, row: Mapping[str, str]) -> bool:
    """Insert a row unless one of its keys is taken; return whether it was inserted."""
    from sqlalchemy.dialects import postgresql, sqlite

    kind = postgresql if connection.dialect.name == "postgresql" else sqlite
    insert = kind.insert(table).values(row).on_conflict_do_nothing()
    # Without this option psycopg's count of rows is lost.
    done = connection.execute(insert, execution_options={"preserve_rowcount": True})
    return bool(done.rowcount == 1)
