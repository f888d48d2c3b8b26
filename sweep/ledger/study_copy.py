"""Copy one study and its outer folds, row by row, into an SQLite ledger file of its own.

Whoever gets the file reads the study with the code that reads any ledger. Nothing else of the
ledger is in it: no other study, no token of the service.
"""

from __future__ import annotations

import tempfile
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import column, create_engine, insert, select, table

from sweep.ledger.ledger import Ledger
from sweep.storage.locations import sqlite_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select, TableClause
    from sqlalchemy.engine import Connection

BATCH = 1000
"""Rows that are read and written at once."""
OF_STUDIES = ("studies", "study_directions", "study_user_attributes", "study_system_attributes",
              "trials")  # fmt: skip
OF_TRIALS = ("trial_user_attributes", "trial_system_attributes", "trial_params", "trial_values",
             "trial_intermediate_values", "trial_heartbeats")  # fmt: skip
"""Optuna's tables whose rows belong to a study, or to a trial."""


def copy_study(ledger: Ledger, name: str, path: Path) -> None:
    """Write a study and its outer folds into a new SQLite ledger file.

    Parameters
    ----------
    ledger : Ledger
        Where the study is: a file or a database server. Open it for reading, so that no worker
        has to wait.
    name : str
        The study.
    path : Path
        The file to be made.

    Raises
    ------
    StudyNotFoundError
        If there is no such study.
    """
    ids = [ledger.study_id(each) for each in (name, *ledger.parts(name))]
    path.write_bytes(_empty_ledger())
    target = create_engine(sqlite_url(path))
    try:
        with ledger.translated(), _at_one_moment(ledger) as source, target.begin() as copy:
            for rows_of, query in _queries(ids):
                for rows in _batches(source, query):
                    copy.execute(insert(rows_of), rows)
    finally:
        target.dispose()


def _at_one_moment(ledger: Ledger) -> Connection:
    """Return a connection that sees the database as it is at its first query."""
    connection = ledger.storage.engine.connect()
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="REPEATABLE READ")
    return connection


def _queries(ids: Sequence[int]) -> Iterator[tuple[TableClause, Select[Any]]]:
    """Yield each table with the query for its rows.

    Columns are read without their types: a value that was damaged arrives as it is.
    """
    trials = _plain_table("trials")
    its_trials = select(trials.c.trial_id).where(trials.c.study_id.in_(ids))
    for name in OF_STUDIES:
        each = _plain_table(name)
        yield each, select(each).where(each.c.study_id.in_(ids))
    for name in OF_TRIALS:
        each = _plain_table(name)
        yield each, select(each).where(each.c.trial_id.in_(its_trials))


def _plain_table(name: str) -> TableClause:
    from optuna.storages._rdb.models import BaseModel

    return table(name, *(column(each.name) for each in BaseModel.metadata.tables[name].columns))


def _batches(source: Connection, query: Select[Any]) -> Iterator[list[dict[str, Any]]]:
    found = source.execution_options(yield_per=BATCH).execute(query)
    for rows in found.mappings().partitions(BATCH):
        yield [{name: _for_sqlite(value) for name, value in row.items()} for row in rows]


def _for_sqlite(value: Any) -> Any:
    """Return a value as SQLAlchemy writes it into an SQLite file."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


@lru_cache(maxsize=1)
def _empty_ledger() -> bytes:
    """Return the bytes of a ledger without a study; to make its tables takes long."""
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        path = Path(folder) / "ledger.db"
        Ledger(sqlite_url(path)).close()
        return path.read_bytes()
