"""How a study has ended: a line, the leaderboard, the failures, the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sweep.cli.group import command_line
from sweep.cli.leaderboard import board_parts, failure_lines
from sweep.cli.output import console, show
from sweep.cli.text import clean, complain, duration
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.cli.progress_lines import ProgressReporter
    from sweep.study.result import StudyResult


def show_outcome(result: StudyResult, reporter: ProgressReporter) -> None:
    """Print how a study has ended, and its leaderboard.

    Parameters
    ----------
    result : StudyResult
        The study.
    reporter : ProgressReporter
        What has shown its progress; it has seen none where there was nothing to do.
    """
    from sweep.study.answers.leaderboard import leaderboard

    record, progress = result.record, reporter.progress
    if progress is None:
        click.echo(f"study {clean(record.name)} is finished; nothing to do")
    else:
        click.echo(f"study {clean(record.name)}: {_outcome(result, progress)}")
    click.echo("")
    show(board_parts(leaderboard(record), console().width))


def _outcome(result: StudyResult, progress: Any) -> str:
    record = result.record
    fresh = progress.done - progress.began_done
    kept = f", {progress.began_done} kept from before" if progress.began_done else ""
    if record.status == "finished":
        pruned = f", {progress.pruned} pruned" if progress.pruned else ""
        took = duration(progress.seconds)
        return f"{record.standing}, {counted(fresh, 'cell')} in {took}{pruned}{kept}"
    return (
        f"{record.status}, {record.done} of {counted(record.planned, 'cell')} done; "
        "the same command continues"
    )


def exit_status(ctx: click.Context, result: StudyResult) -> int:
    """Say which cells failed, and how to try them again; return the exit status.

    Parameters
    ----------
    ctx : click.Context
        Of a command with ``--retry-failed``.
    result : StudyResult
        The study.
    """
    record = result.record
    failures = failure_lines(record.tally.reasons)
    if not failures:
        return int(record.status == "finished" and not record.tally.rows.get("COMPLETE"))
    for line in failures:
        complain(line)
    again = "" if ctx.params["retry_failed"] else " --retry-failed"
    complain(f"try them once more with: {command_line(ctx)}{again}")
    return 1
