"""How a study has ended: a line, the leaderboard, the failures, the exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.group import command_line
from sweep.cli.leaderboard import board_parts, failure_lines
from sweep.cli.output import console, show
from sweep.cli.text import clean, complain, duration
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.cli.progress_lines import ProgressReporter
    from sweep.runner.progress import Progress
    from sweep.study.answers.outcome import Leaderboard, Outcome


def show_outcome(board: Leaderboard[Outcome], reporter: ProgressReporter) -> None:
    """Print how a study has ended, and its leaderboard.

    Parameters
    ----------
    board : Leaderboard
        The study and its leaders.
    reporter : ProgressReporter
        What has shown its progress; it has seen none where there was nothing to do.
    """
    study, progress = board.status, reporter.progress
    if progress is None:
        click.echo(f"study {clean(study.name)} is finished; nothing to do")
    else:
        click.echo(f"study {clean(study.name)}: {_ended(study, progress)}")
    click.echo("")
    show(board_parts(board, console().width))


def _ended(study: Outcome, progress: Progress) -> str:
    others = 0 if study.nested else max(0, study.done - progress.done)
    fresh = progress.done - progress.began_done + others
    kept = f", {progress.began_done} kept from before" if progress.began_done else ""
    if study.status == "finished":
        pruned = f", {progress.pruned} pruned" if progress.pruned else ""
        took = duration(progress.seconds)
        cells = counted(fresh, "cell") + (f", {others} of them by other workers," if others else "")
        return f"{study.standing}, {cells} in {took}{pruned}{kept}"
    return (
        f"{study.status}, {study.done} of {counted(study.planned, 'cell')} done; "
        "the same command continues"
    )


def exit_status(ctx: click.Context, study: Outcome) -> int:
    """Say which cells failed, and how to try them again; return the exit status.

    Parameters
    ----------
    ctx : click.Context
        Of a command with ``--retry-failed``.
    study : Outcome
        The study.
    """
    failures = failure_lines(study.reasons)
    if not failures:
        return int(study.status == "finished" and not study.rows.get("COMPLETE"))
    for line in failures:
        complain(line)
    again = "" if ctx.params["retry_failed"] else " --retry-failed"
    complain(f"try them once more with: {command_line(ctx)}{again}")
    return 1
