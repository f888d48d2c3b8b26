"""A study as plain Optuna has it: a trial for each candidate, in a database of its own."""

from __future__ import annotations

import warnings
from datetime import datetime
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import numpy as np

from sweep.errors import ResultError
from sweep.ledger.objectives import directions, objective_values
from sweep.ledger.scores import mean_split_score
from sweep.spaces.distributions import distributions, encode
from sweep.storage.locations import storage_url
from sweep.support.redaction import scrubbed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sweep.ledger.records import StudyRecord
    from sweep.screens.runs import Run

SCORES = ("mean_", "std_", "split")
"""Metrics that become attributes of a trial."""


class OptunaStudy:
    """A new study of Optuna's.

    Parameters
    ----------
    place : str
        A file or the address of a database.
    record : StudyRecord
        The study.
    ledger : str
        The address of the ledger that it is read from.

    Raises
    ------
    ResultError
        If the place is that ledger, cannot be used, or has a study of this name.
    """

    def __init__(self, place: str, record: StudyRecord, ledger: str) -> None:
        import optuna

        self.url = storage_url(place)
        if self.url == ledger:
            raise ResultError(
                f"--to optuna: {place} is the study's own ledger, which Optuna reads already; name "
                "another database"
            )
        self._created = datetime.fromisoformat(record.created)
        self._objectives = tuple(record.settings.search.objectives)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                optuna.logging.set_verbosity(optuna.logging.WARNING)
                self._storage = optuna.storages.RDBStorage(self.url)
                self._study = optuna.create_study(
                    storage=self._storage,
                    study_name=record.name,
                    directions=directions(self._objectives),
                )
                self._study.set_metric_names(list(self._objectives))
        except optuna.exceptions.DuplicatedStudyError as error:
            self._close()
            raise ResultError(
                f"--to optuna: {place} has a study {record.name!r} already; name another database"
            ) from error
        except Exception as error:  # whatever a database driver raises
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ResultError(f"--to optuna: {place} cannot be used: {line}") from error

    @property
    def said(self) -> str:
        """Where the study is now, for a person."""
        return scrubbed(self.url)

    def put(self, record: StudyRecord, runs: Sequence[Run]) -> None:
        """Add runs as trials."""
        known = distributions(record.settings.space.dimensions)
        for run in runs:
            self._study.add_trial(self._trial(run, known))

    def end(self, record: StudyRecord, files: Path | None) -> None:
        """Close the database."""
        del record, files
        self._close()

    def _close(self) -> None:
        self._storage.remove_session()
        self._storage.engine.dispose()

    def _trial(self, run: Run, known: dict[str, Any]) -> Any:
        from optuna.trial import FrozenTrial, TrialState

        values = self._values(run)
        state = {"PRUNED": "PRUNED"}.get(run.state, "COMPLETE" if values else "FAIL")
        began, ended = run.span
        began = began or ended or self._created  # an imported study may have no times
        ended = ended or began
        attributes = {n: v for n, v in run.metrics.items() if n.startswith(SCORES)}
        return FrozenTrial(
            number=-1,  # the storage counts
            trial_id=-1,
            state=TrialState[state],
            value=None,
            values=values,
            datetime_start=began.astimezone().replace(tzinfo=None),
            datetime_complete=ended.astimezone().replace(tzinfo=None),
            params={name: encode(value) for name, value in run.params.items()},
            distributions={name: known[name] for name in run.params},
            user_attrs={**attributes, **({"reason": run.reason} if run.reason else {})},
            system_attrs={"constraints": [1.0]} if run.state == "INFEASIBLE" else {},
            intermediate_values={} if len(self._objectives) > 1 else _means(run),
        )

    def _values(self, run: Run) -> list[float] | None:
        candidate = run.candidate
        splits = candidate.trial.splits
        if run.state not in ("COMPLETE", "INFEASIBLE") or not splits:
            return None
        scored = all(candidate.epoch in split.test for split in splits)
        score = mean_split_score(splits, candidate.epoch) if scored else nan
        values = objective_values(
            self._objectives, score, splits, candidate.epoch, candidate.trial.parameters
        )
        return values if all(map(isfinite, values)) else None


def _means(run: Run) -> dict[int, float]:
    """Return the mean held-out score over the fits that have measured an epoch."""
    found: dict[int, list[float]] = {}
    for curve in run.curves:
        for epoch, score in curve.values["test_score"].items():
            found.setdefault(run.step(epoch), []).append(score)
    return {epoch: float(np.mean(scores)) for epoch, scores in sorted(found.items())}
