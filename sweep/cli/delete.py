"""``sweep delete``: a study and its weights, after a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.options import opened, storage_option, study_argument
from sweep.cli.server_options import server_at, server_option
from sweep.cli.text import clean
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.client.address import ServerAddress


@click.command(short_help="Delete a study, trials and fitted winner.")
@study_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@storage_option
@server_option
@click.pass_context
def delete(
    ctx: click.Context, *, study: str, yes: bool, storage: str | None,
    server: ServerAddress | None,
) -> None:  # fmt: skip
    """Delete a study, its trials and its fitted winner. Its reports stay.

    \b
    Example:
      sweep delete digits-grid
    """
    from sweep.study.delete import delete_study

    record = opened(study, storage, server=server).record
    held = f"{clean(record.name)} ({counted(len(record.trials) + len(record.beyond), 'trial')})"
    if not yes and not _sure(held):
        click.echo("kept", err=True)
        ctx.exit(1)
    left = server_at(server).delete(study) if server else delete_study(study, storage)
    click.echo(f"deleted {held}")
    for line in left:
        click.echo(clean(line), err=True)


def _sure(held: str) -> bool:
    try:
        return click.confirm(f"Delete {held} for good?", err=True)
    except click.Abort:
        # No answer (a closed input, Ctrl-C) is no consent.
        click.echo("", err=True)
        return False
