"""A run's progress on a terminal: drawn anew a few times a second, gone when it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sweep.cli.progress_lines import ProgressReporter, outcome
from sweep.cli.text import clean, duration, score, settings
from sweep.support.redaction import redacted
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console, Group
    from rich.table import Table
    from rich.text import Text

    from sweep.runner.progress import Current, Progress

REFRESH_SECONDS = 0.2
MOST_WORKERS = 16
"""Lines for workers; a terminal has only so many."""
NARROW = 90
"""Columns below which the clock and the bar share less room."""
PHASES = {
    "waiting": "waiting for a worker of the server",
    "starting": "reading the data, starting workers",
    "interrupting": "time is up, ending what runs",
    "refitting": "refitting the winner on all training rows, opening the test set",
}


class ProgressDisplay(ProgressReporter):
    """Draw the progress in place; failures and messages stay above it.

    Parameters
    ----------
    console : Console
        A terminal.
    """

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        super().__init__()
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn = float("-inf")
        self._reasons: set[str] = set()

    def begin(self, progress: Progress) -> None:
        """Start drawing."""
        super().begin(progress)
        self._live.start()
        self._draw(progress)

    def update(self, progress: Progress) -> None:
        """Draw, unless that was done a moment ago."""
        if time.monotonic() - self._drawn >= REFRESH_SECONDS:
            self._draw(progress)

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Leave a line for each new reason of failure."""
        super().ended(progress, trial)
        if trial["state"] == "FAIL" and (reason := str(trial.get("reason"))) not in self._reasons:
            self._reasons.add(reason)
            self.show(f"{settings(trial.get('params') or {})}: {outcome(trial)}")

    def show(self, line: str) -> None:
        """Put a line above the drawing."""
        from rich.text import Text

        self._live.console.print(Text(clean(redacted(line)), style="yellow"))

    def end(self, progress: Progress) -> None:
        """Take the drawing away."""
        del progress
        self._live.stop()

    def _draw(self, progress: Progress) -> None:
        self._drawn = time.monotonic()
        self._live.update(picture(progress, self._console.width), refresh=True)


def picture(progress: Progress, width: int) -> Group:
    """Return a run's progress as it stands, ``width`` columns wide."""
    from rich.console import Group

    parts = [_overall(progress, width), *_workers(progress)]
    if progress.best is not None:
        value, params = progress.best
        parts.append(_line(f"best {score(value)}  {settings(params)}", "bold green"))
    ends = {"failed": progress.failed, "pruned": progress.pruned}
    if notes := [f"{number} {word}" for word, number in ends.items() if number]:
        parts.append(_line(", ".join(notes), "yellow" if progress.failed else "dim"))
    # The terminal echoes ^C where the cursor stands: on a line of its own that shifts nothing.
    return Group(*parts, _line(""))


def _overall(progress: Progress, width: int) -> Table:
    from rich.progress_bar import ProgressBar
    from rich.table import Table

    done = progress.done + sum(_part(each, progress.splits) for each in progress.current.values())
    bar = ProgressBar(total=max(1, progress.planned), completed=min(done, progress.planned))
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis", max_width=max(12, width // 3))
    grid.add_column(ratio=1, min_width=8)
    grid.add_column(no_wrap=True)
    counts = f"{progress.done}/{progress.planned}"
    grid.add_row(
        _line(clean(progress.study), "bold"), bar, _line(f"{counts}  {_clock(progress, width)}")
    )
    if note := _note(progress):
        outer = Table.grid(expand=True)
        outer.add_row(grid)
        outer.add_row(_line(note, "dim"))
        return outer
    return grid


def _note(progress: Progress) -> str | None:
    if progress.outer and progress.phase == "refitting":
        return "refitting what the fold chose, scoring its held-out rows"
    return PHASES.get(progress.phase)


def _clock(progress: Progress, width: int) -> str:
    left = progress.seconds_left if progress.phase == "searching" else None
    gone = duration(progress.seconds)
    if left is None:
        return gone
    return f"{gone} / {duration(left)} left" if width < NARROW else (
        f"{gone} elapsed, {duration(left)} left"
    )  # fmt: skip


def _workers(progress: Progress) -> list[Any]:
    held = sorted(progress.current.items())
    lines = [
        _line(f"  {number + 1}  {_doing(current, progress.splits)}{_with(current)}")
        for number, current in held[:MOST_WORKERS]
    ]
    more = len(held) - MOST_WORKERS
    return [*lines, _line(f"  and {counted(more, 'more worker')}", "dim")] if more > 0 else lines


def _doing(current: Current, splits: int) -> str:
    if not current.epochs:
        return "building      "
    wide = len(str(current.epochs))
    return f"split {current.split + 1}/{splits}, epoch {current.epoch:>{wide}}/{current.epochs}"


def _with(current: Current) -> str:
    return f"  {settings(current.params)}" if current.params else ""


def _part(current: Current, splits: int) -> float:
    if not current.epochs:
        return 0.0
    return min(1.0, (current.split + current.epoch / current.epochs) / max(1, splits))


def _line(text: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
