"""``sweep show``: a study's leaderboard and facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.board import (
    TOP,
    board_parts,
    failure_lines,
    flat,
    headline,
    leaders,
    plain,
)
from sweep.cli.importances import importance_lines
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.text import classes_of, clean, counted, moment

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord


@click.command(short_help="Show a study's leaderboard and facts.")
@study_argument
@click.option(
    "--top", type=click.IntRange(min=1), default=TOP, show_default=True, help="How many candidates."
)
@format_option
@storage_option
def show(*, study: str, top: int, form: str, storage: str | None) -> None:
    """Show the leaderboard of a study, and what it ran on.

    \b
    Example:
      sweep show digits-grid --top 3
    """
    from sweep.ledger.leading import read_leading

    def read(ledger: Ledger, name: str) -> StudyRecord:
        return read_leading(ledger, name, top)

    record: StudyRecord = opened(study, storage, read=read).record
    lines = leaders(record, top)
    answer = {**_facts(record), "leaderboard": [plain(line) for line in lines]}
    emit(form, answer, [flat(line) for line in lines], lambda: _drawn(record, top))


def _facts(record: StudyRecord) -> dict[str, Any]:
    from sweep.nested import plain_nested
    from sweep.selection import arithmetic

    search, tally = record.spec.get("search", {}), record.tally
    return {
        "name": record.name,
        "method": search.get("method"),
        "scoring": search.get("scoring", "accuracy"),
        "status": record.status,
        "done": record.done,
        "planned": record.planned,
        "candidates": sum(tally.rows.values()),
        "failed": tally.rows.get("FAIL", 0),
        "pruned": tally.rows.get("PRUNED", 0),
        "copied": tally.copied,
        "precision": arithmetic(record),
        "created": record.created,
        "test_score": record.winner.test_score if record.winner else None,
        "nested": plain_nested(record),
        "importances": record.importances,
        "test_openings": [asdict(opening) for opening in record.openings],
        "data": record.data,
        "environment": dict(record.environment),
        "damage": list(record.damage),
    }


def _drawn(record: StudyRecord, top: int) -> list[RenderableType]:
    from rich.text import Text

    from sweep.selection import arithmetic

    data = record.data
    shape = " x ".join(str(side) for side in data.shape)
    ran = f"made {moment(record.created)} with " + ", ".join(
        f"{name} {clean(record.environment[name])}"
        for name in ("tensorflow", "scikit-learn")
        if name in record.environment
    )
    rows = (
        f"data {clean(data.name)}: {counted(data.train_rows, 'training row')}, "
        f"{data.test_rows:,} test, {shape}, {classes_of(data)}"
    )
    facts = [
        headline(record),
        rows,
        f"{ran}, in {clean(arithmetic(record))}",
        "",
    ]
    board = board_parts(record, console().width, top)
    failures = failure_lines(record)
    again = ["`sweep run` with --retry-failed tries them once more"] if failures else []
    rest = [*importance_lines(record), *failures, *again]
    return [*map(Text, facts), *board, *map(Text, rest)]
