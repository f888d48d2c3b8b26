"""``sweep worker``: take cells of the ledger's studies, on any machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from sweep.cli.ending import heard, status_of
from sweep.cli.group import QUIET, command_line
from sweep.cli.options import (
    allow_option,
    allowed,
    complete_study,
    data_home_option,
    gpus_option,
    jobs_option,
    storage_option,
)
from sweep.cli.text import clean, complain
from sweep.errors import InterruptedRunError, SweepError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOK_SECONDS = 5.0
"""How often a worker that waits looks for cells."""


@click.command(short_help="Take cells of the ledger's studies, on any machine.")
@click.option("--study", "names", multiple=True, metavar="STUDY", shell_complete=complete_study,
              help="Take cells of this study; repeat for more.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Take cells of every study that has some.")
@click.option("--wait", is_flag=True, help="Stay when none is left, and wait for more.")
@jobs_option
@gpus_option
@allow_option
@data_home_option
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@storage_option
@click.pass_context
def worker(
    ctx: click.Context, *, names: tuple[str, ...], every: bool, wait: bool, n_jobs: int | None,
    gpus: str | None, allow: tuple[str, ...], data_home: Path | None, quiet: bool,
    storage: str | None,
) -> None:  # fmt: skip
    """Take cells of studies that are in the ledger, evaluate and record them.

    Start as many as you like, on as many machines: each needs the ledger's address and the data.
    A worker leaves when no cell waits; with --wait it stays for more.

    \b
    Example:
      sweep worker --all --wait
    """
    if bool(names) == every:
        raise click.UsageError("name a study with --study NAME, or take all with --all")
    from sweep.cli.run import reporter_for
    from sweep.study.join import join_study, open_studies

    def cells() -> list[str]:
        found = open_studies(storage)
        return found if every else [name for name in names if name in found]

    reporter = reporter_for(quiet=quiet or ctx.meta[QUIET])
    trouble: dict[str, str] = {}
    aside: set[str] = set()
    try:
        with heard():
            for name in _taken(cells, lambda: aside | trouble.keys(), wait=wait):
                try:
                    found = join_study(
                        name, storage, n_jobs=n_jobs, data_home=data_home, allow=allowed(allow),
                        watcher=reporter, gpus=gpus,
                    )  # fmt: skip
                except InterruptedRunError:
                    raise
                except SweepError as error:  # this machine cannot help here; another study it may
                    trouble[name] = str(error)
                    complain(f"study {clean(name)} is left to others: {clean(error)}")
                else:
                    if found.record.status == "stopped":  # its time is up, or it was stopped
                        aside.add(name)
    except (InterruptedRunError, KeyboardInterrupt) as stop:
        complain(f"interrupted; go on with: {command_line(ctx)}")
        ctx.exit(status_of(stop))
    if not trouble:
        click.echo("no cell is left to take")
    ctx.exit(2 if trouble else 0)


def _taken(
    cells: Callable[[], list[str]], aside: Callable[[], set[str]], *, wait: bool
) -> Iterator[str]:
    """Yield the studies to take cells of, one after another, while there are some."""
    while True:
        names = [name for name in cells() if name not in aside()]
        if names:
            yield names[0]
        elif wait:
            time.sleep(LOOK_SECONDS)
        else:
            return
