"""``sweep submit --wait``: a study at a server, seen through as with ``sweep run``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import click

from sweep.cli.group import QUIET
from sweep.cli.outcome import exit_status, show_outcome
from sweep.cli.progress_lines import LineReporter
from sweep.cli.run import reporter_for
from sweep.cli.signals import heard, status_of
from sweep.cli.text import clean, complain, duration, score
from sweep.support.file_names import slug

if TYPE_CHECKING:
    from sweep.cli.progress_lines import ProgressReporter
    from sweep.client.server import Server
    from sweep.runner.progress import Progress
    from sweep.study.answers.actions import Submission


class ServerLines(LineReporter):
    """One line each time that cells have ended: a server says how many, not which."""

    def __init__(self) -> None:
        super().__init__()
        self._told = -1

    def begin(self, progress: Progress) -> None:
        """Begin where the study stands."""
        super().begin(progress)
        self._told = progress.done

    def update(self, progress: Progress) -> None:
        """Show a line where cells have ended since the last one."""
        if progress.done > self._told:
            self._told = progress.done
            self.say(_line(progress))


def _line(progress: Progress) -> str:
    """Return ``[12/90] best 0.9338, 1:20 left``."""
    best = [] if progress.best is None else [f"best {score(progress.best[0])}"]
    left = [f"{duration(progress.seconds_left)} left"] if progress.seconds_left else []
    return f"[{progress.done}/{progress.planned}] {', '.join([*best, *left])}".rstrip()


def see_through(ctx: click.Context, server: Server, found: Submission) -> int:
    """Show how far a study is until it has ended, then what it found; return the exit status.

    Parameters
    ----------
    ctx : click.Context
        Of ``sweep submit``.
    server : Server
        Where the study is.
    found : Submission
        The study.
    """
    reporter = _reporter(quiet=ctx.meta[QUIET])
    threading.Thread(target=_load_drawing, daemon=True).start()
    try:
        with heard():
            if not ctx.meta[QUIET]:
                complain(f"watching {server.url}/studies/{slug(found.study)}")
            server.watch(found.study, reporter, found.waiting)
            board = server.outcome(found.study)
    except KeyboardInterrupt as stop:
        _leave(server, found.study)
        return status_of(stop)
    show_outcome(board, reporter)
    click.echo(f"report: {server.url}/studies/{slug(found.study)}/report")
    return exit_status(ctx, board.status)


def _reporter(*, quiet: bool) -> ProgressReporter:
    found = reporter_for(quiet=quiet)
    return ServerLines() if isinstance(found, LineReporter) else found


def _load_drawing() -> None:
    """Load what draws the leaderboard while the server is at work."""
    import sweep.study.answers.outcome  # noqa: F401


def _leave(server: Server, name: str) -> None:
    study = clean(name)
    complain(f"interrupted: the study goes on at {server.url}")
    complain(f"see it again with: sweep show {study}; end it with: sweep stop {study}")
