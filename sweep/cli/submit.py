"""``sweep submit``: put a study into the ledger for workers elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.check import read_spec
from sweep.cli.group import QUIET
from sweep.cli.options import (
    allow_option,
    allowed,
    data_home_option,
    file_argument,
    name_option,
    set_option,
    storage_option,
)
from sweep.cli.text import clean
from sweep.support.text import counted

if TYPE_CHECKING:
    from pathlib import Path


@click.command(short_help="Put a study into the ledger, for workers to take.")
@file_argument
@set_option
@name_option
@allow_option
@data_home_option
@click.option("--retry-failed", is_flag=True, help="Try the cells that failed once more.")
@storage_option
@click.pass_context
def submit(
    ctx: click.Context, *, file: str, changes: tuple[str, ...], name: str | None,
    allow: tuple[str, ...], data_home: Path | None, retry_failed: bool, storage: str | None,
) -> None:  # fmt: skip
    """Check a study, put it into the ledger, and leave its cells to `sweep worker`.

    \b
    Example:
      sweep submit study.toml
    """
    from sweep.cli.run import reporter_for
    from sweep.study.answers import actions

    found = actions.submit(
        storage, read_spec(file, changes, name), data_home=data_home, allow=allowed(allow),
        retry_failed=retry_failed, watcher=reporter_for(quiet=ctx.meta[QUIET]),
    )  # fmt: skip
    study, waiting = clean(found.study), found.waiting
    wait = f"{counted(waiting, 'cell')} {'waits' if waiting == 1 else 'wait'} for a worker"
    more = f"; sweep worker --study {study}" if waiting else ""
    click.echo(f"study {study}: {counted(found.enqueued, 'cell')} enqueued, {wait}{more}")
