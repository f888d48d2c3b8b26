"""A study as Weights & Biases shows it: a run for each candidate, in files, without a network."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sweep.errors import ResultError
from sweep.screens.extras import needed
from sweep.support.file_names import expanded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.ledger.records import StudyRecord
    from sweep.screens.runs import Run

QUIET = {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}


class WandbRuns:
    """Offline runs of Weights & Biases in a folder, for ``wandb sync``.

    Parameters
    ----------
    place : str
        The folder; the runs are in its ``wandb/offline-run-*``.
    record : StudyRecord
        The study: the runs' group.

    Raises
    ------
    ResultError
        If wandb is not installed, or the place is no empty folder.
    """

    def __init__(self, place: str, record: StudyRecord) -> None:
        needed("wandb")
        self.folder = expanded(place).absolute()
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise ResultError(f"{self.folder}: must be a new or an empty folder; name another one")
        self._group = record.name
        os.environ.update(QUIET)

    @property
    def said(self) -> str:
        """Where the study is now, for a person."""
        return f"{self.folder}; wandb sync {self.folder}/wandb/offline-run-*"

    def put(self, record: StudyRecord, runs: Sequence[Run]) -> None:
        """Write an offline run for each candidate."""
        del record
        self.folder.mkdir(parents=True, exist_ok=True)
        for run in runs:
            self._write(run)

    def end(self, record: StudyRecord, files: Path | None) -> None:
        """Wait until all files are written: another process of the library writes them."""
        del record, files
        import wandb

        wandb.teardown()

    def _write(self, run: Run) -> None:
        import wandb

        settings = wandb.Settings(
            console="off", disable_git=True, disable_code=True, x_disable_stats=True,
            x_disable_meta=True, x_disable_machine_info=True,
        )  # fmt: skip
        held = wandb.init(
            dir=str(self.folder), mode="offline", project="sweep", group=self._group, name=run.name,
            config={"sweep": {"state": run.state, "reason": run.reason}, **run.params},
            tags=[run.state], settings=settings, reinit="finish_previous",
        )  # fmt: skip
        for epoch, values in _by_epoch(run).items():
            held.log({"epoch": epoch, **values}, step=run.step(epoch))
        held.summary.update(dict(run.metrics))
        held.finish(exit_code=int(run.state == "FAIL"))


def _by_epoch(run: Run) -> dict[float, dict[str, Any]]:
    found: dict[float, dict[str, Any]] = {}
    for curve in run.curves:
        for name, values in curve.values.items():
            for epoch, value in values.items():
                found.setdefault(epoch, {})[f"{curve.fit}/{name}"] = value
    return dict(sorted(found.items()))
