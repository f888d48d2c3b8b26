"""``sweep stop``: have a study's workers finish their cells and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.options import storage_option, study_argument
from sweep.cli.server_options import server_at, server_option
from sweep.cli.text import clean
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress
    from sweep.study.answers.actions import Stop


@click.command(short_help="Have a study's workers finish their cells and leave.")
@study_argument
@storage_option
@server_option
def stop(*, study: str, storage: str | None, server: ServerAddress | None) -> None:
    """Have every worker of a study finish its cell and leave, wherever it runs.

    `sweep run` continues the study, and `sweep submit` lets workers take its cells again.

    \b
    Example:
      sweep stop digits-grid
    """
    from sweep.study.answers import actions

    found = server_at(server).stop(study) if server else actions.stop(storage, study)
    if not found.requested:
        click.echo(clean(f"{study}: {_left(found, at_server=server is not None)}"))
        return
    running = counted(found.running, "cell")
    at_work = f"{running} in hand will be finished" if found.running else "none runs"
    click.echo(f"{clean(study)} stops: {at_work}; `sweep run` or `sweep submit` continues it")


def _left(found: Stop, *, at_server: bool) -> str:
    """Say what is left of a study of which no cell can be stopped."""
    if not found.refit:
        return "no cell waits or runs; nothing to stop"
    if at_server:
        return "only the refit of the winner is left; it ends by itself"
    who = found.refit.removeprefix(f"study {found.study!r}: ")
    return f"only the refit of the winner is left: {who}; end that there, by Ctrl-C"
