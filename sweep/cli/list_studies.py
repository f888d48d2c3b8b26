"""``sweep list``: the studies of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.fitted_table import fitted
from sweep.cli.options import format_option, storage_option
from sweep.cli.output import console, emit
from sweep.cli.server_options import server_at, server_option
from sweep.cli.text import clean, duration, moment, score
from sweep.support.text import places

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.client.address import ServerAddress

HIDDEN = ("owner", "created", "method", "sign of life")
"""Columns that a narrow terminal does without, first to last."""


@click.command("list", short_help="List the studies of the ledger.")
@format_option
@storage_option
@server_option
def list_studies(*, form: str, storage: str | None, server: ServerAddress | None) -> None:
    """List the studies of the ledger, or of a server.

    \b
    Example:
      sweep list
    """
    from sweep.study.answers import studies

    found = server_at(server).studies() if server else studies.list_studies(storage)
    rows = studies.plain_studies(found)
    emit(form, rows, rows, lambda: _drawn(rows))


def _drawn(rows: list[dict[str, Any]]) -> list[RenderableType]:
    from rich.text import Text

    if not rows:
        return [Text("no studies yet; begin with: sweep run digits-grid")]
    lines = [_cells(row) for row in rows]
    return [fitted(lines, console().width, hidden=HIDDEN, right={"done", "best"})]


def _cells(row: dict[str, Any]) -> dict[str, str]:
    return {
        "study": clean(row["name"]),
        "method": clean(row["method"]),
        "status": row["status"] + (f", {row['failed']} failed" if row["failed"] else ""),
        "done": f"{row['done']}/{row['planned']}",
        "best": score(row["best"]),
        "created": moment(row["created"]),
        "test": "opened" if row["test_opened"] else "closed",
        "owner": clean(row["owner"]),
        "sign of life": _life(row),
    }


def _life(row: dict[str, Any]) -> str:
    """Return when a study's workers were last heard of, and where they are."""
    if row["last_sign"] is None:
        return ""
    ago = f"{duration(row['last_sign'])} ago"
    where = places(map(clean, row["hosts"]))
    return f"{ago} ({where})" if where else ago
