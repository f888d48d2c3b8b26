"""``sweep migrate``: bring a ledger that an older Optuna made up to date, after a backup."""

from __future__ import annotations

import click

from sweep.cli.options import storage_option
from sweep.cli.text import clean
from sweep.errors import LedgerError


@click.command(short_help="Bring an older ledger up to date.")
@click.option("-y", "--yes", is_flag=True, help="A backup of the database server's has been made.")
@storage_option
def migrate(*, yes: bool, storage: str | None) -> None:
    """Bring a ledger that an older version of Optuna made up to date.

    Of a ledger in a file a backup is kept beside it, and `sweep run` does this by itself. A
    database server's backup is yours to make: --yes says that there is one.

    \b
    Example:
      sweep migrate
    """
    from sweep.ledger.ledger import Ledger
    from sweep.storage.locations import shown_url, sqlite_path, storage_url
    from sweep.storage.migrations import is_older, is_older_server, upgrade, upgrade_tables

    url = storage_url(storage)
    path = sqlite_path(url)
    if path is not None:
        if is_older(path) and (backup := upgrade(path)):
            click.echo(f"{clean(path)} is up to date; how it was: {clean(backup)}")
            return
        Ledger(url, reading=True).close()  # or says that it is none
        click.echo(f"{clean(path)}: nothing to do")
        return
    if not is_older_server(url):
        click.echo(f"{clean(shown_url(url))}: nothing to do")
        return
    if not yes:
        raise LedgerError(
            f"{shown_url(url)}: make a backup (pg_dump), stop all workers, then: "
            "sweep migrate --yes"
        )
    upgrade_tables(url)
    click.echo(f"{clean(shown_url(url))} is up to date")
