"""``sweep settle``: repeat the cross-validation of what is undecided, until it is clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sweep.cli.group import QUIET, command_line
from sweep.cli.options import (
    allow_option,
    allowed,
    data_home_option,
    gpus_option,
    jobs_option,
    storage_option,
    study_argument,
)
from sweep.cli.output import show
from sweep.cli.run import reporter_for
from sweep.cli.server_options import ledger_only
from sweep.cli.signals import heard, status_of
from sweep.cli.text import complain
from sweep.errors import InterruptedRunError
from sweep.support.durations import seconds

if TYPE_CHECKING:
    from pathlib import Path


def _duration(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else seconds(float(value) if value.isdigit() else value)
    except ValueError as error:
        raise click.BadParameter(f'must be a duration ("30m", "2h"), got {value!r}') from error


@click.command(short_help="Repeat what is undecided, until it is clear what to take.")
@study_argument
@click.option("--margin", type=click.FloatRange(min=0, min_open=True), metavar="SCORE",
              help="Differences up to this one do not matter.  [default: 0.005]")  # fmt: skip
@click.option("--within", callback=_duration, metavar="DURATION",
              help="Begin no repeat that would not end within it (30m, 2h).")  # fmt: skip
@jobs_option
@gpus_option
@allow_option
@data_home_option
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@storage_option
@ledger_only("say settle in [search] of the study file, and hand that in")
@click.pass_context
def settle(
    ctx: click.Context, *, study: str, margin: float | None, within: float | None,
    n_jobs: int | None, gpus: str | None, allow: tuple[str, ...], data_home: Path | None,
    quiet: bool, storage: str | None,
) -> None:  # fmt: skip
    """Go on with a finished study until it is clear which settings to take.

    The cross-validation is repeated on other splits and under other seeds, each time only for the
    candidates that can neither be told from the best nor be called as good as it within the
    margin. Ctrl-C stops cleanly; the same command goes on.

    \b
    Example:
      sweep settle digits-grid
      sweep settle digits-grid --margin 0.01 --within 30m
    """
    from sweep.cli.best import drawn
    from sweep.runner.forkserver import forkserver_started
    from sweep.study.answers.best import best_candidate
    from sweep.study.settle import settle_study

    try:
        with heard(), forkserver_started() as forkserver:
            result = settle_study(
                study, storage, margin=margin, within=within, n_jobs=n_jobs, gpus=gpus,
                allow=allowed(allow), data_home=data_home, forkserver=forkserver,
                watcher=reporter_for(quiet=quiet or ctx.meta[QUIET]),
            )  # fmt: skip
    except (InterruptedRunError, KeyboardInterrupt) as stop:
        complain(f"interrupted; go on with: {command_line(ctx)}")
        ctx.exit(status_of(stop))
    show(drawn(best_candidate(result, storage)))
