"""``sweep submit``: put a study into the ledger, or hand it to a server, for workers elsewhere."""

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
from sweep.cli.server_options import refuse_at_server, server_at, server_option
from sweep.cli.text import clean
from sweep.support.text import counted

if TYPE_CHECKING:
    from pathlib import Path

    from sweep.client.address import ServerAddress
    from sweep.client.server import Server
    from sweep.study.answers.actions import Submission


@click.command(short_help="Put a study into the ledger, for workers to take.")
@file_argument
@set_option
@name_option
@allow_option
@data_home_option
@click.option("--retry-failed", is_flag=True, help="Try the cells that failed once more.")
@click.option("--wait", is_flag=True, help="At a server: watch the study until it has ended.")
@storage_option
@server_option
@click.pass_context
def submit(
    ctx: click.Context, *, file: str, changes: tuple[str, ...], name: str | None,
    allow: tuple[str, ...], data_home: Path | None, retry_failed: bool, wait: bool,
    storage: str | None, server: ServerAddress | None,
) -> None:  # fmt: skip
    """Check a study, put it into the ledger, and leave its cells to `sweep worker`.

    With --server, or SWEEP_SERVER, it is handed in at a server, whose workers take the cells.
    With --wait one sees it through, as with `sweep run`; Ctrl-C ends the watching, not the study.

    \b
    Example:
      sweep submit study.toml
      sweep submit study.toml --server http://127.0.0.1:8080 --wait
    """
    reason = "the code and the data that a study may load are decided by"
    refuse_at_server(server, reason, allow=allow, data_home=data_home)
    if server is not None:
        from sweep.client.source import sent_file

        at = server_at(server)
        study = read_spec(file, changes, name, None) if changes else sent_file(file, name)
        _submitted(ctx, at, at.hand_in(study, retry_failed=retry_failed, label=file), wait=wait)
        return
    if wait:
        raise click.UsageError(
            "--wait watches a study at a server: name one with --server or SWEEP_SERVER; in a "
            "ledger, `sweep run` sees a study through"
        )
    from sweep.cli.run import reporter_for
    from sweep.study.answers import actions

    found = actions.submit(
        storage, read_spec(file, changes, name, allow), data_home=data_home, allow=allowed(allow),
        retry_failed=retry_failed, watcher=reporter_for(quiet=ctx.meta[QUIET]),
    )  # fmt: skip
    more = f"; sweep worker --study {clean(found.study)}" if found.waiting else ""
    click.echo(f"{_handed_in(found)}{more}")


def _submitted(ctx: click.Context, server: Server, found: Submission, *, wait: bool) -> None:
    from sweep.support.file_names import slug

    if wait:
        from sweep.cli.submit_wait import see_through

        ctx.exit(see_through(ctx, server, found))
    click.echo(f"{_handed_in(found)}; {server.url}/studies/{slug(found.study)}")


def _handed_in(found: Submission) -> str:
    waiting = found.waiting
    wait = f"{counted(waiting, 'cell')} {'waits' if waiting == 1 else 'wait'} for a worker"
    return f"study {clean(found.study)}: {counted(found.enqueued, 'cell')} enqueued, {wait}"
