"""How far a run is: what a display shows while it goes on."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.analysis.idle import IdleFinder


@dataclass
class Current:
    """What one worker is doing: a trial's parameters, its split and epoch."""

    trial: int
    params: Mapping[str, Any]
    split: int = 0
    epoch: float = 0
    epochs: float = 0


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    study : str
        Its name; that of an outer fold while its search is repeated.
    planned, done, failed, pruned : int
        Cells of the plan; cells with a recorded end, and how many of them failed or were pruned.
    splits : int
        Fits of each cell: splits times seeds.
    current : mapping of int to Current
        What each worker is doing, by its number.
    best : tuple of float and mapping, or None
        The best value so far, and its parameters.
    phase : str
        ``"starting"``, ``"searching"``, ``"refitting"`` or ``"done"``.
    outer : bool
        Whether this is the search of an outer fold.
    began_done, began_failed : int
        Cells that were done before this run, and how many of them failed.
    idle : IdleFinder or None
        Finds parameters of a user's factory that change nothing; None where no trial shows any.
    prefix : str
        What the names of its parameters begin with: ``"clf__"`` in a pipeline.
    """

    study: str
    planned: int
    done: int = 0
    failed: int = 0
    pruned: int = 0
    splits: int = 1
    current: dict[int, Current] = field(default_factory=dict)
    best: tuple[float, Mapping[str, Any]] | None = None
    phase: str = "starting"
    outer: bool = False
    began_done: int = 0
    began_failed: int = 0
    began: float = field(default_factory=time.monotonic)
    searching_since: float | None = None
    idle: IdleFinder | None = None
    prefix: str = ""

    def turn_to(self, study: str, *, outer: bool) -> None:
        """Begin the next search of the run; what is done stays counted."""
        self.study, self.phase, self.best, self.outer = study, "starting", None, outer
        self.idle = None
        self.current.clear()

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    @property
    def seconds_left(self) -> float | None:
        """Seconds left, from the pace so far, running cells counted in part; or None."""
        if self.searching_since is None:
            return None
        parts = sum(self._part(current) for current in self.current.values())
        fresh = self.done - self.began_done + parts
        spent = time.monotonic() - self.searching_since
        if fresh <= 0 or spent < 1:
            return None
        return max(0.0, spent / fresh * (self.planned - self.done - parts))

    def _part(self, current: Current) -> float:
        if not current.epochs:
            return 0.0
        return min(1.0, (current.split + current.epoch / current.epochs) / max(1, self.splits))


class Watcher:
    """Receives a run's progress. This one shows nothing; a display inherits from it."""

    def begin(self, progress: Progress) -> None:
        """Take note that a run begins."""

    def update(self, progress: Progress) -> None:
        """Look at the progress: called at every event and several times a second."""

    def ended(self, progress: Progress, trial: Mapping[str, Any]) -> None:
        """Take note that a cell has ended; ``trial``: state, value or reason, params."""

    def say(self, message: str) -> None:
        """Show a line that matters."""

    def end(self, progress: Progress) -> None:
        """Take note that the run has ended, however it did."""
