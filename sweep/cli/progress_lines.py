"""A run's progress as plain lines: for logs, pipes and schedulers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import click

from sweep.cli.text import clean, duration, score, settings
from sweep.runner.progress import Progress, Watcher
from sweep.support.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Mapping

log = logging.getLogger("sweep")


class ProgressReporter(Watcher):
    """Keeps the log, and remembers whether the run began; shows nothing else.

    Attributes
    ----------
    progress : Progress or None
        The last that was seen; None where there was nothing to do.
    """

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def begin(self, progress: Progress) -> None:
        """Take note that a run begins."""
        self.progress = progress

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Log an ended cell."""
        log.info("%s", ended_line(progress, trial))

    def say(self, message: str) -> None:
        """Log and show what matters."""
        log.info("%s", message)
        self.show(message)

    def show(self, line: str) -> None:
        """Put a line before the person."""


class LineReporter(ProgressReporter):
    """One line for each ended cell: a log that leaves some out cannot be searched."""

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Show a cell's line."""
        super().ended(progress, trial)
        self.show(ended_line(progress, trial))

    def show(self, line: str) -> None:
        """Write a line to standard error."""
        click.echo(clean(redacted(line)), err=True)


def ended_line(progress: Progress, trial: Mapping[str, Any]) -> str:
    """Return ``[12/90] hidden_size=64: 0.9228, best 0.9338, 1:20 left``."""
    words = [f"[{progress.done}/{progress.planned}]"]
    params = settings(trial.get("params") or {})
    words.append(f"{params}: {outcome(trial)}" if params else outcome(trial))
    line = " ".join(words)
    if progress.best is not None:
        line += f", best {score(progress.best[0])}"
    left = progress.seconds_left
    return f"{line}, {duration(left)} left" if left else line


def outcome(trial: Mapping[str, Any]) -> str:
    """Return a cell's end in a few words."""
    state = trial["state"]
    if state == "FAIL":
        return f"failed ({clean(trial.get('reason'))})"
    if trial.get("value") is None and trial.get("reason"):
        return f"not trained ({clean(trial['reason'])})"
    value = score(trial.get("value"))
    outcomes = {
        "COMPLETE": value,
        "PRUNED": f"pruned at {value}",
        "PAUSED": f"paused at {value}",
        "INFEASIBLE": f"{value}, but past a limit",
    }
    return outcomes.get(state, "ended elsewhere")
