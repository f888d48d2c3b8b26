"""A study as TensorBoard shows it: a run for each candidate, one below for each fit, HParams."""

from __future__ import annotations

import io
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sweep.errors import ResultError
from sweep.screens.extras import needed
from sweep.spaces import Choices
from sweep.support.file_names import expanded, slug

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from sweep.ledger.records import StudyRecord
    from sweep.screens.runs import Run
    from sweep.spaces import Dimension

EVENTS = "events.out.tfevents.{seconds}.sweep"
STATE = "state"
COLUMNS = (
    "mean_test_score", "std_test_score", "mean_train_score", "mean_fit_time", "parameters",
    "epochs_run",
)  # fmt: skip
"""Metrics of the HParams table before those of each split."""


class TensorBoardFiles:
    """Event files in a folder of TensorBoard's.

    Parameters
    ----------
    place : str
        The folder that ``tensorboard --logdir`` gets; the study has a folder of its name there.
    record : StudyRecord
        The study.

    Raises
    ------
    ResultError
        If TensorBoard is not installed, or the study's folder holds files that are not ours.
    """

    def __init__(self, place: str, record: StudyRecord) -> None:
        needed("tensorboard")
        self.folder = expanded(place) / slug(record.name)
        _check(self.folder)
        self._seen: dict[str, None] = {}

    @property
    def said(self) -> str:
        """Where the study is now, for a person."""
        return f"{self.folder}; tensorboard --logdir {self.folder.parent}"

    def put(self, record: StudyRecord, runs: Sequence[Run]) -> None:
        """Write runs; one that is there already is replaced."""
        if not runs and self.folder.exists():
            return
        found = [each for run in runs for each in run.metrics]
        self._seen |= dict.fromkeys(found)
        names = _types(record)
        created = datetime.fromisoformat(record.created)
        self.folder.mkdir(parents=True, exist_ok=True)
        for run in runs:
            folder = self.folder / run.name
            if folder.exists():
                shutil.rmtree(folder)
            for curve in run.curves:
                _write(folder / curve.fit, _start(run, created), _curve_events(run, curve, created))
            _write(folder, _start(run, created), _run_events(run, names, created))
        told = [each for each in COLUMNS if each in self._seen]
        told += [each for each in self._seen if each not in told]
        _write(self.folder, created, [_event(created, _experiment(record, names, told))])

    def end(self, record: StudyRecord, files: Path | None) -> None:
        """Nothing is left to do."""


def _check(folder: Path) -> None:
    if folder.parent.exists() and not folder.parent.is_dir():
        raise ResultError(f"{folder.parent}: must be a folder; name another one")
    files = (path for path in folder.rglob("*") if not path.is_dir()) if folder.exists() else ()
    for path in files:
        if not (path.name.startswith("events.out.tfevents.") and path.name.endswith(".sweep")):
            raise ResultError(
                f"{path}: is no event file of sweep's, and what is there would be replaced; name "
                "another folder"
            )


def _write(folder: Path, start: datetime, events: Iterable[Any]) -> None:
    """Write an event file in one go: a TensorBoard that looks on sees all of it."""
    from tensorboard.compat.proto import event_pb2
    from tensorboard.summary.writer.record_writer import RecordWriter

    held = io.BytesIO()
    writer = RecordWriter(held)
    first = event_pb2.Event(wall_time=start.timestamp(), file_version="brain.Event:2")
    for event in (first, *events):
        writer.write(event.SerializeToString())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EVENTS.format(seconds=f"{int(start.timestamp()):010d}")
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(held.getvalue())
    part.replace(path)


def _start(run: Run, otherwise: datetime) -> datetime:
    return run.span[0] or otherwise


def _event(when: datetime, summary: Any, step: int = 0, after: float = 0.0) -> Any:
    from tensorboard.compat.proto import event_pb2

    return event_pb2.Event(wall_time=when.timestamp() + after, step=step, summary=summary)


def _scalars(values: Mapping[str, float]) -> Any:
    from tensorboard.compat.proto import summary_pb2

    value = summary_pb2.Summary.Value
    return summary_pb2.Summary(value=[value(tag=n, simple_value=v) for n, v in values.items()])


def _curve_events(run: Run, curve: Any, created: datetime) -> Iterable[Any]:
    epochs = sorted({epoch for values in curve.values.values() for epoch in values})
    for epoch in epochs:
        at = {name: values[epoch] for name, values in curve.values.items() if epoch in values}
        after = curve.seconds.get(epoch, 0.0)
        yield _event(_start(run, created), _scalars(at), run.step(epoch), after)


def _run_events(run: Run, names: Mapping[str, str], created: datetime) -> Iterable[Any]:
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

    began = _start(run, created)
    ended = run.span[1] or began
    held = plugin_data_pb2.HParamsPluginData
    first = plugin_data_pb2.SessionStartInfo(group_name=run.name, start_time_secs=began.timestamp())
    for name, value in {**run.params, _state_name(names): run.state}.items():
        kind = names.get(name, "string")
        setattr(first.hparams[name], f"{kind}_value", str(value) if kind == "string" else value)
    status = {"COMPLETE": "STATUS_SUCCESS", "FAIL": "STATUS_FAILURE"}
    code = api_pb2.Status.Value(status.get(run.state, "STATUS_UNKNOWN"))
    last = plugin_data_pb2.SessionEndInfo(status=code, end_time_secs=ended.timestamp())
    yield _event(began, _hparams("SESSION_START_INFO_TAG", held(session_start_info=first)))
    yield _event(ended, _scalars(run.metrics), run.step(run.candidate.epoch))
    if run.reason:
        yield _event(ended, _text("reason", run.reason))
    yield _event(ended, _hparams("SESSION_END_INFO_TAG", held(session_end_info=last)))


def _hparams(tag: str, data: Any) -> Any:
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.hparams import metadata

    value = summary_pb2.Summary.Value(
        tag=getattr(metadata, tag),
        metadata=metadata.create_summary_metadata(data),
        tensor=metadata.NULL_TENSOR,
    )
    return summary_pb2.Summary(value=[value])


def _text(tag: str, text: str) -> Any:
    from tensorboard.compat.proto import summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
    from tensorboard.plugins.text import metadata

    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(),
        string_val=[text.encode()],
    )
    described = metadata.create_summary_metadata(display_name="", description="")
    value = summary_pb2.Summary.Value(tag=tag, metadata=described, tensor=tensor)
    return summary_pb2.Summary(value=[value])


def _types(record: StudyRecord) -> dict[str, str]:
    """Return for each parameter how HParams holds its values: one type for all of them."""
    return {name: _type(each) for name, each in record.settings.space.dimensions.items()}


def _type(dimension: Dimension) -> str:
    if not isinstance(dimension, Choices):
        return "number"
    if all(isinstance(value, bool) for value in dimension.values):
        return "bool"
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in dimension.values)
    return "number" if numbers else "string"


def _state_name(names: Mapping[str, str]) -> str:
    return STATE if STATE not in names else "state of the trial"


def _experiment(record: StudyRecord, names: Mapping[str, str], metrics: Sequence[str]) -> Any:
    from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2

    types = {"number": "DATA_TYPE_FLOAT64", "bool": "DATA_TYPE_BOOL", "string": "DATA_TYPE_STRING"}
    told = {**names, _state_name(names): "string"}
    experiment = api_pb2.Experiment(
        name=record.name,
        description=record.settings.study.description,
        time_created_secs=datetime.fromisoformat(record.created).astimezone(UTC).timestamp(),
        hparam_infos=[
            api_pb2.HParamInfo(name=name, type=api_pb2.DataType.Value(types[kind]))
            for name, kind in told.items()
        ],
        metric_infos=[
            api_pb2.MetricInfo(name=api_pb2.MetricName(tag=name), display_name=name)
            for name in metrics
        ],
    )
    return _hparams("EXPERIMENT_TAG", plugin_data_pb2.HParamsPluginData(experiment=experiment))
