"""``sweep worker``: take cells of the ledger's studies, on any machine."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import click

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
from sweep.cli.server_options import ledger_only
from sweep.cli.signals import heard, status_of
from sweep.cli.text import clean, complain, score
from sweep.errors import InterruptedRunError, SweepError
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sweep.cli.progress_lines import ProgressReporter
    from sweep.ledger.overview import StudyOverview
    from sweep.ledger.records import StudyRecord
    from sweep.study.result import StudyResult

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
@ledger_only("its own workers are started by `sweep serve`")
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
        both = "either --study NAME or --all, not both"
        raise click.UsageError(both if every else "name a study with --study NAME, or --all")
    from sweep.cli.run import reporter_for
    from sweep.study.join import join_study, open_studies

    def cells() -> list[str]:
        found = open_studies(storage)
        return found if every else [name for name in names if name in found]

    _look(names, storage, wait=wait)
    reporter = reporter_for(quiet=quiet or ctx.meta[QUIET])
    shift = _Shift(reporter)
    try:
        with heard():
            for name in _taken(cells, shift.aside, wait=wait):
                shift.work(name, lambda name: join_study(
                    name, storage, n_jobs=n_jobs, data_home=data_home, allow=allowed(allow),
                    watcher=reporter, gpus=gpus,
                ))  # fmt: skip
    except (InterruptedRunError, KeyboardInterrupt) as stop:
        complain(f"interrupted; go on with: {command_line(ctx)}")
        ctx.exit(status_of(stop))
    for line in (*shift.lines(), *_standings({*names, *shift.worked}, storage)):
        click.echo(line)
    ctx.exit(2 if shift.refused else 0)


class _Shift:
    """What one worker has done, and what it leaves to others."""

    def __init__(self, reporter: ProgressReporter) -> None:
        self._reporter = reporter
        self._aside: dict[str, float] = {}
        self.worked: set[str] = set()
        self.ended = self.failed = 0
        self.refused = False

    def aside(self) -> set[str]:
        """Return the studies that are left to others, some of them for a while only."""
        now = time.monotonic()
        return {name for name, until in self._aside.items() if until > now}

    def work(self, name: str, join: Callable[[str], StudyResult]) -> None:
        """Take cells of a study until none waits."""
        from sweep.study.join import rest_of

        self._reporter.progress = None
        try:
            record = join(name).record
        except InterruptedRunError:
            raise
        except SweepError as error:  # this machine cannot help here; another study it may
            self._aside[name] = math.inf
            self.refused = True
            complain(f"study {clean(name)} is left to others: {clean(error)}")
            return
        if record.status == "stopped" or _is_unfinished(record):
            # it was stopped, its time is up, or others are at it: who may go before it has ended
            self._aside[name] = time.monotonic() + rest_of(record)
        self.worked.add(name)
        if progress := self._reporter.progress:
            self.ended += progress.done - progress.began_done
            self.failed += progress.failed - progress.began_failed

    def lines(self) -> Iterator[str]:
        """Yield what to say at the end."""
        failed = f", {self.failed} of them failed" if self.failed else ""
        counts = f"; {counted(self.ended, 'cell')} ended here{failed}" if self.ended else ""
        if counts or not self.refused:
            yield f"no cell is left to take{counts}"


def _look(names: tuple[str, ...], storage: str | None, *, wait: bool) -> None:
    """Refuse names that no study has; one that waits makes the ledger, and says what it waits for.

    Raises
    ------
    StudyNotFoundError
        Naming a close match.
    """
    from sweep.study.answers import studies

    for each in studies.awaited_studies(storage, names, wait=wait):
        complain(f"no study named {each.name!r} in {each.place} yet: waiting for it")


def _is_unfinished(record: StudyRecord) -> bool:
    """Return whether a study lacks its winner though it has ended here."""
    wanted = record.settings.search.refit
    return record.status == "finished" and wanted and record.winner is None


def _standings(names: set[str], storage: str | None) -> Iterator[str]:
    """Yield how each of these studies stands, and what to do about one that was stopped."""
    from sweep.study.answers import studies

    for each in studies.standings(storage, names):
        yield _standing(each.overview, each.left)


def _standing(study: StudyOverview, left: int) -> str:
    name, cells = clean(study.name), counted(study.planned, "cell")
    if left:
        how = f"was stopped, {counted(left, 'cell')} left"
        return f"{name} {how}: `sweep submit` or `sweep run` continues it"
    failed = f", {study.failed} failed" if study.failed else ""
    best = "" if study.best is None else f", best score {score(study.best)}"
    return (
        f"{name} is {study.status}: {study.done} of {cells} done{failed}{best}; `sweep show {name}`"
    )


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
