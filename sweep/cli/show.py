"""``sweep show``: a study's leaderboard and facts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from sweep.cli.importances_text import importance_lines
from sweep.cli.leaderboard import beyond_lines, board_parts, failure_lines, headline
from sweep.cli.options import format_option, opened, storage_option, study_argument
from sweep.cli.output import console, emit
from sweep.cli.output import show as show_parts
from sweep.cli.server_options import server_option
from sweep.cli.text import classes_of, clean, moment
from sweep.study.answers import TOP
from sweep.support.text import counted

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweep.client.address import ServerAddress
    from sweep.study.answers.outcome import Leaderboard
    from sweep.study.answers.status import StudyStatus


@click.command(short_help="Show a study's leaderboard and facts.")
@study_argument
@click.option(
    "--top",
    type=click.IntRange(min=1),
    help=f"How many candidates, best first.  [default: {TOP}; all as json or csv]",
)
@format_option
@storage_option
@server_option
def show(
    *, study: str, top: int | None, form: str, storage: str | None, server: ServerAddress | None
) -> None:
    """Show the leaderboard of a study, and what it ran on.

    As JSON or CSV every candidate has a row, those without a score last, with its state, and the
    score of each split.

    \b
    Example:
      sweep show digits-grid --top 3
      sweep show digits-grid --format csv
    """
    from sweep.study.answers import leaderboard as answers

    if form == "table":
        find = partial(answers.find_leaders, top=top or TOP)
        board = answers.leaderboard(
            opened(study, storage, find=find, server=server).record, top or TOP
        )
        show_parts(_drawn(board))
        return
    find = partial(answers.find_candidates, top=top)
    table = answers.candidate_table(opened(study, storage, find=find, server=server).record, top)
    emit(form, answers.plain_candidates(table), table.rows, list)


def _drawn(board: Leaderboard[StudyStatus]) -> list[RenderableType]:
    from rich.text import Text

    status = board.status
    data = status.data
    shape = " x ".join(str(side) for side in data.shape)
    ran = f"made {moment(status.created)} with " + ", ".join(
        f"{name} {clean(status.environment[name])}"
        for name in ("tensorflow", "scikit-learn")
        if name in status.environment
    )
    rows = (
        f"imported: {clean(status.imported.origin)}"
        if status.imported
        else f"data {clean(data.name)}: {counted(data.train_rows, 'training row')}, "
        f"{data.test_rows:,} test, {shape}, {classes_of(data)}"
    )
    facts = [
        headline(status),
        rows,
        *([] if status.imported else [f"{ran}, in {clean(status.precision)}"]),
        "",
    ]
    failures = failure_lines(status.reasons)
    again = ["`sweep run` with --retry-failed tries them once more"] if failures else []
    again = list(map(clean, status.imported.notes)) if status.imported else again
    rest = [*beyond_lines(status), *importance_lines(status), *failures, *again]
    return [*map(Text, facts), *board_parts(board, console().width), *map(Text, rest)]
