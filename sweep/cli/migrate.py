"""``sweep migrate``: bring a ledger that an older Optuna made up to date, after a backup."""

from __future__ import annotations

import click

from sweep.cli.options import storage_option
from sweep.cli.server_options import ledger_only
from sweep.cli.text import clean


@click.command(short_help="Bring an older ledger up to date.")
@click.option("-y", "--yes", is_flag=True, help="A backup of the database server's has been made.")
@storage_option
@ledger_only("run it where `sweep serve` runs, while that is ended")
def migrate(*, yes: bool, storage: str | None) -> None:
    """Bring a ledger that an older version of Optuna made up to date.

    Of a ledger in a file a backup is kept beside it, and `sweep run` does this by itself. A
    database server's backup is yours to make: --yes says that there is one.

    \b
    Example:
      sweep migrate
    """
    from sweep.study.answers import actions

    found = actions.migrate(storage, backed_up=yes)
    place = clean(found.place)
    if not found.changed:
        click.echo(f"{place}: nothing to do")
    elif found.backup:
        click.echo(f"{place} is up to date; how it was: {clean(found.backup)}")
    else:
        click.echo(f"{place} is up to date")
