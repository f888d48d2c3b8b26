"""A study as MLflow shows it: a parent run, below it a run for each candidate."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.errors import ResultError, SweepError
from sweep.ledger.scores import mean_score
from sweep.screens.extras import needed
from sweep.support.file_names import expanded
from sweep.support.redaction import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sweep.ledger.records import StudyRecord
    from sweep.screens.runs import Run

STUDY, KEY, STATE, REASON = "sweep.study", "sweep.candidate", "sweep.state", "sweep.reason"
STATUS = {"COMPLETE": "FINISHED", "INFEASIBLE": "FINISHED", "FAIL": "FAILED", "PRUNED": "KILLED"}
AT_ONCE = 100
"""Most parameters of one request that a server takes; of metrics it takes more."""
LONGEST = 5000
"""Most characters of a tag or a parameter; a server takes some more."""
SQLITE = "sqlite:///"


class MlflowRuns:
    """Runs in a tracking store, in an experiment of the study's name.

    What is there already of the same study is gone on with: a candidate is shown once.

    Parameters
    ----------
    place : str
        The store: ``sqlite:///mlflow.db``, ``http://host:5000``, a folder.
    record : StudyRecord
        The study.

    Raises
    ------
    ResultError
        If MLflow is not installed, or the store cannot be used.
    """

    def __init__(self, place: str, record: StudyRecord) -> None:
        needed("mlflow")
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # nothing leaves but for the store
        logging.getLogger("alembic").setLevel(logging.WARNING)
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        with _told(place):
            self.place = _address(place)
            self._client = MlflowClient(tracking_uri=self.place)
            self._client.get_experiment_by_name(record.name)
        self._experiment = self._parent = ""
        self._known: set[str] = set()

    @property
    def said(self) -> str:
        """Where the study is now, for a person."""
        shown = scrubbed(self.place)
        local = shown.startswith((SQLITE, "file:"))
        return f"{shown}; mlflow ui --backend-store-uri {shown}" if local else shown

    def put(self, record: StudyRecord, runs: Sequence[Run]) -> None:
        """Write a run below the parent for each candidate that has none yet."""
        with _told(self.place):
            if not self._parent:
                self._experiment = self._experiment_of(record.name)
                self._parent = self._parent_of(record)
                self._known = self._children()
            for run in runs:
                if run.key not in self._known:
                    self._add(run)
                    self._known.add(run.key)

    def end(self, record: StudyRecord, files: Path | None) -> None:
        """Write what the study found into the parent, with its files, and close it."""
        best = analysis.chosen(record)
        score = None if best is None else mean_score(best)
        metrics = {"mean_test_score": score, "candidates": float(len(record.candidates))}
        if record.winner is not None:
            metrics["test_score"] = record.winner.test_score
        with _told(self.place):
            self._client.set_tag(self._parent, STATE, record.standing)
            for name, value in metrics.items():
                if value is not None:
                    self._client.log_metric(self._parent, name, value)
            if best is not None:
                told = {f"best_{name}": value for name, value in best.params.items()}
                for name, value in told.items():
                    self._client.set_tag(self._parent, name, _text(value))
            if files is not None:
                self._client.log_artifacts(self._parent, str(files))
            last = max((t.finished for t in record.trials if t.finished), default=None)
            self._client.set_terminated(self._parent, end_time=_milliseconds(last))

    def _experiment_of(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is None:
            kind = {"mlflow.experimentKind": "custom_model_development"}
            return str(self._client.create_experiment(name, _files(self.place), kind))
        if found.lifecycle_stage != "active":
            raise ResultError(
                f"--to mlflow: the experiment {name!r} is deleted there; restore it (mlflow "
                f"experiments restore --experiment-id {found.experiment_id}), or name another store"
            )
        return str(found.experiment_id)

    def _parent_of(self, record: StudyRecord) -> str:
        asked = f"tags.`{STUDY}` = '{_mark(record)}'"
        found = self._client.search_runs([self._experiment], asked, max_results=1)
        if found:
            return str(found[0].info.run_id)
        tags = {STUDY: _mark(record), "mlflow.note.content": record.settings.study.description}
        begun = _milliseconds(min((t.started for t in record.trials if t.started), default=None))
        made = self._client.create_run(
            self._experiment, start_time=begun, tags=tags, run_name=record.name
        )
        return str(made.info.run_id)

    def _children(self) -> set[str]:
        """Return the candidates that the store has, each whole; take away those that are not."""
        found, page = set[str](), None
        asked = f"tags.`mlflow.parentRunId` = '{self._parent}'"
        while True:
            runs = self._client.search_runs([self._experiment], asked, page_token=page)
            for run in runs:
                if run.info.status == "RUNNING":  # an export was broken off in it
                    self._client.delete_run(run.info.run_id)
                else:
                    found.add(run.data.tags.get(KEY, ""))
            page = runs.token
            if not page:
                return found

    def _add(self, run: Run) -> None:
        from mlflow.entities import Metric, Param

        began, ended = map(_milliseconds, run.span)
        tags = {KEY: run.key, STATE: run.state, "mlflow.parentRunId": self._parent}
        if run.reason:
            tags[REASON] = _text(run.reason)
        made = self._client.create_run(
            self._experiment, start_time=began, tags=tags, run_name=run.name
        )
        own = made.info.run_id
        params = [Param(name, _text(value)) for name, value in run.params.items()]
        metrics = [Metric(*each) for each in _metrics(run, ended or began or 0)]
        for some in _parts(params):
            self._client.log_batch(own, params=some)
        for some in _parts(metrics):
            self._client.log_batch(own, metrics=some)
        self._client.set_terminated(own, STATUS[run.state], end_time=ended)


def _metrics(run: Run, when: int) -> Iterable[tuple[str, float, int, int]]:
    """Return name, value, time and step: of the candidate, then of each fit by epoch."""
    for name, value in run.metrics.items():
        yield name, value, when, run.step(run.candidate.epoch)
    began = _milliseconds(run.span[0]) or when
    for curve in run.curves:
        for name, values in curve.values.items():
            for epoch, value in values.items():
                moment = began + round(1000 * curve.seconds.get(epoch, 0.0))
                yield f"{curve.fit}/{name}", value, moment, run.step(epoch)


def _parts(things: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(things), AT_ONCE):
        yield things[start : start + AT_ONCE]


def _text(value: object) -> str:
    return str(value)[:LONGEST]


def _mark(record: StudyRecord) -> str:
    """Return what tells this study from another one of its name."""
    return record.uid or record.created


def _milliseconds(when: datetime | None) -> int | None:
    return None if when is None else round(when.timestamp() * 1000)


def _address(place: str) -> str:
    """Return a store's address; a plain path is a folder."""
    if place.startswith(SQLITE):
        file = expanded(place.removeprefix(SQLITE)).absolute()
        file.parent.mkdir(parents=True, exist_ok=True)
        return f"{SQLITE}{file}"
    return place if ":" in place else expanded(place).absolute().as_uri()


def _files(address: str) -> str | None:
    """Return where files go; a server and a folder know themselves, for a database beside it."""
    if not address.startswith(SQLITE):
        return None
    return (Path(address.removeprefix(SQLITE)).parent / "mlartifacts").as_uri()


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Say in one line what MLflow cannot do."""
    try:
        yield
    except SweepError:
        raise
    except Exception as error:  # whatever a store or a network raises
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultError(
            f"--to mlflow: {scrubbed(place)} cannot be used: {scrubbed(line)}"
        ) from error
