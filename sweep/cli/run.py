"""``sweep run``: start a study, or continue it; see it through; show what it found."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sweep.cli.check import read_spec
from sweep.cli.group import QUIET, command_line, log
from sweep.cli.live_report import LiveReport
from sweep.cli.options import (
    PathOfPerson,
    allow_option,
    allowed,
    data_home_option,
    file_argument,
    gpus_option,
    jobs_option,
    name_option,
    set_option,
    storage_option,
)
from sweep.cli.outcome import exit_status, show_outcome
from sweep.cli.output import console
from sweep.cli.report import written
from sweep.cli.server_options import ledger_only
from sweep.cli.signals import heard, status_of
from sweep.cli.text import clean, complain
from sweep.errors import InterruptedRunError, ResultError
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sweep.cli.progress_lines import ProgressReporter
    from sweep.runner.dask_cluster import DaskCluster
    from sweep.runner.forkserver import ForkServer
    from sweep.study.result import StudyResult


@click.command(short_help="Run a study, or continue it.")
@file_argument
@jobs_option
@gpus_option
@click.option(
    "--nested",
    type=click.IntRange(min=2),
    metavar="K",
    help="Repeat the search in K outer folds: a score that the choice does not flatter.",
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Start the workers on a Dask cluster: tcp://HOST:PORT, or local:N on this machine.",
)
@click.option(
    "--dask-resources",
    metavar="NAME=N",
    help="What each worker takes of a Dask worker's resources, such as GPU=1.",
)
@set_option
@name_option
@allow_option
@data_home_option
@click.option("--retry-failed", is_flag=True, help="Try the cells that failed once more.")
@click.option(
    "--report/--no-report", "reporting", default=True, help="Write the report at the end."
)
@click.option(
    "--report-path",
    metavar="FILE",
    type=PathOfPerson(),
    help="Where to write it.  [default: reports/STUDY.html]",
)
@click.option("-q", "--quiet", is_flag=True, help="Only results and errors.")
@storage_option
@ledger_only("hand the study in there: sweep submit FILE --wait")
@click.pass_context
def run(
    ctx: click.Context, *, file: str, n_jobs: int | None, gpus: str | None, nested: int | None,
    changes: tuple[str, ...], name: str | None, allow: tuple[str, ...],
    data_home: Path | None, retry_failed: bool, reporting: bool, dask: str | None,
    dask_resources: str | None,
    report_path: Path | None, quiet: bool, storage: str | None,
) -> None:  # fmt: skip
    """Run a study, or continue it where it stopped.

    FILE is a study file; NAME one that comes with sweep. Ctrl-C stops cleanly: what is done is
    kept, and the same command continues. A finished study is only shown.

    \b
    Example:
      sweep run digits-grid
      sweep run study.toml --n-jobs 4 --set search.cv=5 --name five-fold
    """
    if reporting and report_path is not None and report_path.is_dir():
        raise ResultError(f"--report-path: must be a file, {report_path} is a folder")
    outer = () if nested is None else (f"search.nested={nested}",)
    reporter = reporter_for(quiet=quiet or ctx.meta[QUIET])
    try:
        with heard():
            with _cluster(dask, dask_resources) as cluster, _forkserver(dask) as forkserver:
                from sweep.study.answers.leaderboard import leaderboard
                from sweep.study.run import run_study

                spec = read_spec(file, (*changes, *outer), name, allow)
                if reporting:
                    threading.Thread(target=_load_drawing, daemon=True).start()
                keeper = LiveReport(spec.study.name, storage, report_path)
                with keeper if reporting else nullcontext():
                    result = run_study(
                        spec, storage=storage, n_jobs=n_jobs, data_home=data_home,
                        allow=allowed(allow), retry_failed=retry_failed, watcher=reporter,
                        forkserver=forkserver, gpus=gpus, cluster=cluster,
                    )  # fmt: skip
            board = leaderboard(result.record)
            show_outcome(board, reporter)
            if reporting:
                click.echo(f"report: {clean(_report(result, report_path, reporter))}")
    except (InterruptedRunError, KeyboardInterrupt) as stop:
        ctx.exit(_stopped(ctx, reporter, stop))
    ctx.exit(exit_status(ctx, board.status))


@contextmanager
def _cluster(address: str | None, resources: str | None) -> Iterator[DaskCluster | None]:
    """Name the cluster that the person asks for; leave it at the end."""
    if address is None:
        if resources is not None:
            raise click.UsageError("--dask-resources needs --dask ADDRESS")
        yield None
        return
    from sweep.runner.dask_cluster import DaskCluster

    with closing(DaskCluster(address, resources)) as cluster:
        yield cluster


def _forkserver(dask: str | None) -> AbstractContextManager[ForkServer | None]:
    from sweep.runner.forkserver import forkserver_started  # not for `sweep --help`

    return forkserver_started() if dask is None else nullcontext()


def _load_drawing() -> None:
    """Load what the report is drawn with while the workers are at work."""
    import matplotlib.backends.backend_svg
    import matplotlib.figure  # noqa: F401
    import scipy.special  # noqa: F401

    import sweep.report  # noqa: F401


def reporter_for(*, quiet: bool) -> ProgressReporter:
    """Return what shows a run: a display in a terminal, lines elsewhere, or nothing."""
    from sweep.cli.progress_lines import LineReporter, ProgressReporter

    if quiet:
        return ProgressReporter()
    err = console(err=True)
    if not err.is_terminal or err.is_dumb_terminal:
        return LineReporter()
    from sweep.cli.progress_display import ProgressDisplay

    return ProgressDisplay(err)


def _stopped(ctx: click.Context, reporter: ProgressReporter, stop: BaseException) -> int:
    progress = reporter.progress
    log.info("interrupted")
    if progress is not None and (progress.done or progress.phase != "starting"):
        kept = f"{progress.done} of {counted(progress.planned, 'cell')} done and kept"
        complain(f"interrupted: {kept}")
    else:
        complain("interrupted before a cell was begun; what was done before is kept")
    complain(f"continue with: {command_line(ctx)}")
    return status_of(stop)


def _report(result: StudyResult, output: Path | None, reporter: ProgressReporter) -> Path:
    """Write the report, unless nothing has happened since it was written."""
    from sweep.storage.locations import sqlite_path
    from sweep.study.index import write_index
    from sweep.study.report_paths import report_path

    ledger, standing = sqlite_path(result.url), report_path(result.name)
    idle = output is None and reporter.progress is None
    if idle and ledger is not None and _newer(standing, ledger):
        return _near(standing)
    path = written(result, output)
    if output is None:
        write_index(result.url)
    return _near(path)


def _newer(file: Path, other: Path) -> bool:
    return file.is_file() and file.stat().st_mtime > other.stat().st_mtime


def _near(path: Path) -> Path:
    """Return a path as seen from here, where it lies below."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
