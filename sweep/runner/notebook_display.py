"""A run's progress in a notebook: cells and their splits, the best so far, the time left."""

from __future__ import annotations

import html
import time
from typing import TYPE_CHECKING, Any

from sweep.runner.progress import Watcher
from sweep.support.notebook import COLOURS, in_notebook
from sweep.support.redaction import redacted
from sweep.support.text import counted, duration, score, setting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sweep.runner.progress import Current, Progress

REFRESH_SECONDS = 0.5
MOST_BOXES = 1500
"""Splits of cells that are drawn as boxes; a larger study has a bar."""
FILLS = {"COMPLETE": "var(--accent)", "FAIL": "#d04545", "PRUNED": "var(--s2)", "": "var(--accent)"}
PHASES = {
    "starting": "reading the data, starting workers",
    "interrupting": "ending what runs",
    "refitting": "refitting the winner, opening the test set",
}
BOX = "display: block; width: 12px; height: 7px; margin: 0 2px 1px 0; background: {fill}"
COLUMN = '<span title="{title}" style="display: inline-block; margin-bottom: 4px">{boxes}</span>'
BAR = (
    '<div style="background: var(--rule); height: 8px; max-width: 40rem">'
    '<div style="background: var(--accent); height: 8px; width: {part:.1f}%"></div></div>'
)


class NotebookDisplay(Watcher):
    """Draws a run's progress below the cell of a notebook, in place; it stays when the run ends."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = float("-inf")
        self._ended: list[tuple[str, str]] = []
        self._said: list[str] = []

    def begin(self, progress: Progress) -> None:
        """Start drawing; a nested study goes on in the same place."""
        self._ended = []
        self._draw(progress)

    def update(self, progress: Progress) -> None:
        """Draw, unless that was done a moment ago."""
        if time.monotonic() - self._drawn >= REFRESH_SECONDS:
            self._draw(progress)

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Keep how a cell has ended."""
        del progress
        value = trial.get("value")
        found = trial.get("reason") if value is None else score(value, "-")
        told = f"{_settings(trial.get('params') or {})}: {found or trial['state'].lower()}"
        self._ended.append((str(trial["state"]), redacted(told)))

    def say(self, message: str) -> None:
        """Keep a line, to stand below the drawing."""
        self._said.append(redacted(message))

    def end(self, progress: Progress) -> None:
        """Leave the last state."""
        progress.current.clear()
        self._draw(progress, over=True)

    def _draw(self, progress: Progress, *, over: bool = False) -> None:
        from IPython.display import HTML, display

        self._drawn = time.monotonic()
        page = HTML(drawing(progress, self._ended, self._said, over=over))
        if self._handle is None:
            self._handle = display(page, display_id=True)
        else:
            self._handle.update(page)


def notebook_watcher() -> Watcher | None:
    """Return what draws a run's progress in a notebook; None elsewhere."""
    return NotebookDisplay() if in_notebook() else None


def drawing(
    progress: Progress, ended: list[tuple[str, str]], said: Iterable[str], *, over: bool = False
) -> str:
    """Return a run's progress as HTML: boxes of cells x splits, and what is known so far.

    Parameters
    ----------
    progress : Progress
        How far the run is.
    ended : list of (str, str)
        State and description of the cells that this run has ended.
    said : iterable of str
        Lines that stand below.
    over : bool, default=False
        Whether the run has ended.
    """
    lines = [_head(progress, over=over), _cells(progress, ended)]
    if progress.best is not None:
        value, params = progress.best
        best = f"best so far {score(value, '-')}  {_settings(params)}"
        lines.append(f"<div><b>{html.escape(best)}</b></div>")
    ends = {"failed": progress.failed, "pruned": progress.pruned}
    notes = [f"{number} {word}" for word, number in ends.items() if number]
    failures = dict.fromkeys(told for state, told in ended if state == "FAIL")
    told = [*([", ".join(notes)] if notes else []), *failures, *said]
    lines += [f'<div style="opacity: 0.75">{html.escape(line)}</div>' for line in told]
    return f'<div style="{COLOURS}; line-height: 1.5">{"".join(lines)}</div>'


def _head(progress: Progress, *, over: bool) -> str:
    left = progress.seconds_left if progress.phase == "searching" and not over else None
    parts = [f"{progress.done}/{counted(progress.planned, 'cell')}"]
    parts.append(f"{duration(progress.seconds)} elapsed")
    if left is not None:
        parts.append(f"{duration(left)} left")
    if not over and (phase := PHASES.get(progress.phase)):
        parts.append(phase)
    told = html.escape(", ".join(parts))
    return f"<div><b>{html.escape(progress.study)}</b>&ensp;{told}</div>"


def _cells(progress: Progress, ended: list[tuple[str, str]]) -> str:
    if progress.planned * progress.splits > MOST_BOXES:
        return BAR.format(part=100 * progress.done / max(1, progress.planned))
    before = max(0, progress.done - len(ended))
    full = progress.splits
    columns = [_column("evaluated before this run, or elsewhere", full, full, "")] * before
    columns += [_column(told, full, full, state) for state, told in ended]
    for current in progress.current.values():
        title = f"{_settings(current.params)}: {_doing(current, full)}"
        columns.append(_column(title, current.split, full, "", runs=True))
    waiting = progress.planned - len(columns)
    columns += [_column("waiting", 0, full, "")] * max(0, waiting)
    return f'<div style="max-width: 60rem; line-height: 1">{"".join(columns)}</div>'


def _column(title: str, filled: int, full: int, state: str, *, runs: bool = False) -> str:
    def fill(place: int) -> str:
        if place < filled:
            return FILLS.get(state, FILLS[""])
        return "var(--ghost)" if runs and place == filled else "var(--rule)"

    boxes = "".join(f'<i style="{BOX.format(fill=fill(place))}"></i>' for place in range(full))
    return COLUMN.format(title=html.escape(title), boxes=boxes)


def _doing(current: Current, splits: int) -> str:
    if not current.epochs:
        return "building"
    return f"split {current.split + 1}/{splits}, epoch {current.epoch}/{current.epochs}"


def _settings(params: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={setting(value)}" for name, value in params.items())
