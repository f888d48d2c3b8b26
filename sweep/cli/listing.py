"""``sweep list``: the studies of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.options import format_option, storage_option
from sweep.cli.output import emit
from sweep.cli.text import clean, moment, score

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.ledger.records import StudyRecord


@click.command("list")
@format_option
@storage_option
def list_studies(*, form: str, storage: str | None) -> None:
    """List the studies of the ledger.

    \b
    Example:
      sweep list
    """
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.reading import read_study
    from sweep.ledger.storage import storage_url

    ledger = Ledger(storage_url(storage), create=False)
    rows = [_row(read_study(ledger, name)) for name in ledger.names()]
    emit(form, rows, rows, lambda: _drawn(rows))


def _row(record: StudyRecord) -> dict[str, Any]:
    from sweep import selection

    chosen = selection.best(record)
    return {
        "name": record.name,
        "method": record.spec.get("search", {}).get("method"),
        "status": record.status,
        "done": record.done,
        "planned": record.planned,
        "best": selection.mean_score(chosen) if chosen else None,
        "created": record.created,
        "test_opened": record.winner is not None,
    }


def _drawn(rows: list[dict[str, Any]]) -> list[RenderableType]:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return [Text("no studies yet; begin with: sweep run digits-grid")]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("study", overflow="ellipsis", no_wrap=True)
    for name in ("method", "status", "done", "best", "created", "test"):
        right = name in {"done", "best"}
        table.add_column(name, no_wrap=True, justify="right" if right else "left")
    for row in rows:
        done = f"{row['done']}/{row['planned']}"
        opened = "opened" if row["test_opened"] else "closed"
        cells = (row["method"], row["status"], done, score(row["best"]), moment(row["created"]))
        table.add_row(Text(clean(row["name"])), *map(Text, cells), Text(opened))
    return [table]
