"""Show a study in another tool: as it stands, or until it ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Protocol

from sweep.screens.attachments import attached
from sweep.screens.runs import runs_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sweep.ledger.records import StudyRecord
    from sweep.screens.runs import Run
    from sweep.study.result import StudyResult

LOOK_SECONDS = 2.0
"""Between two looks at a study that runs."""
SHARE = 10
"""A look may take one part in about so many of the time."""
IDLE_SECONDS = 10.0
"""How long nothing may run, or the refit be left, before following ends."""


class Screen(Protocol):
    """What a tool's file does."""

    @property
    def said(self) -> str:
        """Where the study is now, for a person."""

    def put(self, record: StudyRecord, runs: Sequence[Run]) -> None:
        """Show runs: new ones, or ones that have changed."""

    def end(self, record: StudyRecord, files: Path | None) -> None:
        """Show what belongs to the whole study, and leave."""


def screen_of(tool: str, place: str, result: StudyResult) -> Screen:
    """Return a tool's screen of a study; it refuses what it cannot use before it writes."""
    record = result.record
    if tool == "tensorboard":
        from sweep.screens.tensorboard_files import TensorBoardFiles

        return TensorBoardFiles(place, record)
    if tool == "mlflow":
        from sweep.screens.mlflow_runs import MlflowRuns

        return MlflowRuns(place, record)
    if tool == "wandb":
        from sweep.screens.wandb_runs import WandbRuns

        return WandbRuns(place, record)
    from sweep.screens.optuna_study import OptunaStudy

    return OptunaStudy(place, record, result.url)


def show(
    tool: str, place: str, read: Callable[[], StudyResult], *, follow: bool = False
) -> tuple[str, int]:
    """Show a study in another tool.

    Parameters
    ----------
    tool : {"tensorboard", "mlflow", "optuna", "wandb"}
        The tool.
    place : str
        A folder (``tensorboard``, ``wandb``) or an address.
    read : callable
        Reads the study anew.
    follow : bool, default=False
        Whether to go on until it ends, or until nothing runs any more.

    Returns
    -------
    str
        Where it is now.
    int
        How many candidates are shown.

    Raises
    ------
    ResultError
        If the tool is not installed, or the place cannot be used; nothing is written then.
    """
    result = read()
    screen, shown, ends = screen_of(tool, place, result), set[str](), _Ends()
    takes_files = tool == "mlflow"
    if not follow:  # the files come first: where they cannot be made, nothing is written
        with attached(result if takes_files else None) as files:
            _put(screen, result.record, shown)
            screen.end(result.record, files)
        return screen.said, len(shown)
    _put(screen, result.record, shown)
    pause = LOOK_SECONDS
    while not ends.reached(result.record):
        time.sleep(pause)
        began = time.monotonic()
        result = read()
        _put(screen, result.record, shown)
        pause = max(LOOK_SECONDS, SHARE * (time.monotonic() - began))
    with attached(result if takes_files else None) as files:
        screen.end(result.record, files)
    return screen.said, len(shown)


def _put(screen: Screen, record: StudyRecord, shown: set[str]) -> None:
    new = [run for run in runs_of(record) if run.key not in shown]
    screen.put(record, new)
    shown.update(run.key for run in new)


class _Ends:
    """Decide whether anything more will come."""

    def __init__(self) -> None:
        self._idle_since: float | None = None

    def reached(self, record: StudyRecord) -> bool:
        refit = record.settings.search.refit and bool(record.tally.rows.get("COMPLETE"))
        if record.status == "finished" and (record.winner or not refit):
            return True
        if record.status in ("running", "waiting"):
            self._idle_since = None
            return False
        now = time.monotonic()
        self._idle_since = self._idle_since or now
        return now - self._idle_since > IDLE_SECONDS
