"""What every tool is told of a study: its candidates as runs, with metrics and curves."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.tables import candidates_frame, folds_frame
from sweep.tables.plain_rows import plain_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import pandas as pd

    from sweep.ledger.records import Candidate, StudyRecord

NO_METRIC = ("candidate", "state", "reason", "copied_from")
NO_CURVE = ("candidate", "trial", "split", "seed", "epoch", "seconds", "state", "rows")


@dataclass(frozen=True)
class Curve:
    """What one fit measured, epoch by epoch.

    Attributes
    ----------
    fit : str
        ``split0``, or ``split0_seed1`` where each split is fitted under several seeds.
    values : mapping of str to mapping of float to float
        By quantity (``test_score``, ``train_score``, ``test_loss``, ``loss``, ...) and epoch, or
        share of the first one.
    seconds : mapping of float to float
        Seconds of fitting to the end of an epoch.
    """

    fit: str
    values: Mapping[str, Mapping[float, float]]
    seconds: Mapping[float, float]


@dataclass(frozen=True)
class Run:
    """A candidate of a study.

    Attributes
    ----------
    candidate : Candidate
        The row of the ledger.
    metrics : mapping of str to float
        Its numbers, named as in ``result.frame``, without ranks: they change while a study runs.
    curves : tuple of Curve
        One for each fit, to the candidate's epoch.
    """

    candidate: Candidate
    metrics: Mapping[str, float]
    curves: tuple[Curve, ...]

    @property
    def key(self) -> str:
        """What tells it from all other runs of its study, also after the study has grown."""
        return f"{self.candidate.trial.number}:{self.candidate.epoch}"

    @property
    def name(self) -> str:
        """Its name on a screen."""
        return f"candidate-{self.candidate.index:04d}"

    @property
    def state(self) -> str:
        """``COMPLETE``, ``PRUNED``, ``FAIL`` or ``INFEASIBLE``."""
        return self.candidate.trial.state

    @property
    def reason(self) -> str:
        """Why it failed or breaks a constraint; empty where there is nothing to say."""
        return self.candidate.trial.reason or ""

    @property
    def params(self) -> Mapping[str, Any]:
        """The searched parameters that apply."""
        return self.candidate.params

    @property
    def span(self) -> tuple[datetime | None, datetime | None]:
        """When its trial started and ended."""
        return self.candidate.trial.started, self.candidate.trial.finished

    def step(self, epoch: float) -> int:
        """Return the whole number by which a tool orders measurements: epochs, or training rows.

        Rows where trials pause after rows: these tools have no step between two whole ones.
        """
        rows = self.candidate.trial.rows_at(epoch)
        return int(epoch) if rows is None else rows


def runs_of(record: StudyRecord) -> list[Run]:
    """Return every candidate of a study that has ended, as a run."""
    rows = plain_rows(candidates_frame(record))
    frame = folds_frame(record)
    by_trial: dict[Any, pd.DataFrame] = dict(iter(frame.groupby("trial")))
    seeded = bool((frame["seed"] > 0).any())
    return [
        Run(candidate, _metrics(row), _curves(candidate, by_trial, seeded=seeded))
        for candidate, row in zip(record.candidates, rows, strict=True)
    ]


def _metrics(row: Mapping[str, Any]) -> dict[str, float]:
    left_out = ("param_", "rank_")
    named = {n: v for n, v in row.items() if n not in NO_METRIC and not n.startswith(left_out)}
    return {n: float(v) for n, v in named.items() if v is not None and isfinite(v)}


def _curves(
    candidate: Candidate, by_trial: Mapping[Any, pd.DataFrame], *, seeded: bool
) -> tuple[Curve, ...]:
    measured = by_trial.get(candidate.trial.number)
    if measured is None:
        return ()
    within = measured[measured["epoch"] <= candidate.epoch]
    return tuple(
        Curve(
            f"split{split}_seed{seed}" if seeded else f"split{split}",
            {name: _by_epoch(fit, name) for name in fit.columns if name not in NO_CURVE},
            _by_epoch(fit, "seconds"),
        )
        for (split, seed), fit in within.groupby(["split", "seed"])
    )


def _by_epoch(fit: pd.DataFrame, name: str) -> dict[float, float]:
    known = zip(fit["epoch"].tolist(), fit[name], strict=True)
    return {epoch: float(value) for epoch, value in known if isfinite(value)}
