"""``sweep prune``: remove files that no study of the ledger needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.options import storage_option
from sweep.cli.server_options import ledger_only
from sweep.cli.text import clean
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.study.cleanup import Leftover


@click.command(short_help="Remove files that no study needs any more.")
@click.option(
    "--days",
    type=click.FloatRange(min=0),
    default=30,
    show_default=True,
    help="Leave alone what was touched in the last days.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@storage_option
@ledger_only("run it where `sweep serve` runs")
@click.pass_context
def prune(
    ctx: click.Context, *, days: float, dry_run: bool, yes: bool, storage: str | None
) -> None:
    """Remove weights of studies that are not in the ledger, and what fits of finished ones left.

    Only folders whose owner.json names a study of this ledger are removed: several ledgers may
    share a folder. What nobody surely owns is named, for you to remove by hand.

    \b
    Example:
      sweep prune --days 7
    """
    from sweep.study.cleanup import leftovers, remove_leftovers

    found = leftovers(storage, days)
    owned = [each for each in found if each.owned]
    for each in owned:
        click.echo(_line(each))
    if len(found) > len(owned):
        click.echo("left alone; remove by hand (rm -r) what no other ledger needs:", err=True)
    for each in found:
        if not each.owned:
            click.echo(_line(each), err=True)
    if not owned:
        click.echo(f"nothing to remove that is older than {days:g} days (--days)")
    if not owned or dry_run:
        return
    if not yes and not click.confirm(f"Remove {counted(len(owned), 'folder')}?", err=True):
        click.echo("kept", err=True)
        ctx.exit(1)
    click.echo(f"removed {_megabytes(remove_leftovers(found))}")


def _line(each: Leftover) -> str:
    return f"{_megabytes(each.size):>9}  {clean(each.path)} ({clean(each.why)})"


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f} MB"
