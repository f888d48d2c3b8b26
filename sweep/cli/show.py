"""``sweep show``: a study's leaderboard and facts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.importances_text import importance_lines
from sweep.cli.leaderboard import TOP, beyond_lines, board_parts, failure_lines, headline
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.text import classes_of, clean, counted, moment

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord


PARAM = "param_"


@click.command(short_help="Show a study's leaderboard and facts.")
@study_argument
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help=f"How many candidates, best first.  [default: {TOP}; all as json or csv]",
)
@format_option
@storage_option
def show(*, study: str, top: int | None, form: str, storage: str | None) -> None:
    """Show the leaderboard of a study, and what it ran on.

    As JSON or CSV every candidate has a row, those without a score last, with its state, and the
    score of each split.

    \b
    Example:
      sweep show digits-grid --top 3
      sweep show digits-grid --format csv
    """
    from sweep.ledger.reading import read_study
    from sweep.ledger.top_candidates import read_top_candidates

    def read(ledger: Ledger, name: str) -> StudyRecord:
        if form != "table" and top is None:
            return read_study(ledger, name)
        record = read_top_candidates(ledger, name, top or TOP)
        return record if form == "table" or _has(record, top) else read_study(ledger, name)

    record: StudyRecord = opened(study, storage, read=read).record
    rows = [] if form == "table" else _rows(record, top)
    answer = {**_facts(record), "leaderboard": [_with_params(row) for row in rows]}
    emit(form, answer, rows, lambda: _drawn(record, top or TOP))


def _has(record: StudyRecord, top: int | None) -> bool:
    """Return whether that many candidates were read, though only complete ones are leaders."""
    rows = record.tally.rows
    wanted = min(top or TOP, sum(rows.values()))
    return record.counted is None or wanted <= rows.get("COMPLETE", 0)


def _rows(record: StudyRecord, top: int | None) -> list[dict[str, Any]]:
    from sweep.tables import leaderboard_rows

    return leaderboard_rows(record)[:top]


def _with_params(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the leaderboard with the parameters that apply together."""
    params = {n.removeprefix(PARAM): v for n, v in row.items() if n.startswith(PARAM)}
    rest = {name: value for name, value in row.items() if not name.startswith(PARAM)}
    return {**rest, "params": {name: value for name, value in params.items() if value is not None}}


def _facts(record: StudyRecord) -> dict[str, Any]:
    from sweep.analysis import arithmetic
    from sweep.analysis.nested import plain_nested

    search, tally = record.spec.get("search", {}), record.tally
    return {
        "name": record.name,
        "method": search.get("method"),
        "scoring": search.get("scoring", "accuracy"),
        "status": record.status,
        "done": record.done,
        "planned": record.planned,
        "candidates": sum(tally.rows.values()),
        "complete": tally.rows.get("COMPLETE", 0),
        "failed": tally.rows.get("FAIL", 0),
        "pruned": tally.rows.get("PRUNED", 0),
        "infeasible": tally.rows.get("INFEASIBLE", 0),
        "copied": tally.copied,
        "beyond_end": len(record.beyond),
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

    from sweep.analysis import arithmetic

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
    rest = [*beyond_lines(record), *importance_lines(record), *failures, *again]
    return [*map(Text, facts), *board, *map(Text, rest)]
