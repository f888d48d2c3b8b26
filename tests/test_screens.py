"""Studies in other tools: what a tool reads back is what the ledger holds."""

import json
import struct
import sys
import types
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from commands import here, ledger, read, sweep  # noqa: F401
from records import grid_record, running_record, tpe_record

from sweep.errors import ResultError
from sweep.ledger.scores import mean_score
from sweep.screens.optuna_study import OptunaStudy
from sweep.screens.runs import runs_of
from sweep.screens.showing import show
from sweep.screens.tensorboard_files import TensorBoardFiles
from sweep.tables import candidates_frame, folds_frame

RECORDS = {"grid": grid_record(), "tpe": tpe_record(20, splits=2)}


@pytest.fixture(params=RECORDS)
def record(request):
    """A grid whose candidates share trials; a search with pruned and failed ones."""
    return RECORDS[request.param]


def missing(library):
    """Say why a test is skipped."""
    return {"reason": f"{library} is not installed: the extra {library}"}


@pytest.fixture
def tensorboard(monkeypatch):
    """TensorBoard's own reader of a folder: session groups of HParams, scalars of a run."""
    pytest.importorskip("tensorboard", **missing("tensorboard"))
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", types.ModuleType("notf"))
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups

    def opened(folder):
        held = plugin_event_multiplexer.EventMultiplexer()
        held.AddRunsFromDirectory(str(folder))
        held.Reload()
        provider = data_provider.MultiplexerDataProvider(held, str(folder))
        context = backend_context.Context(TBContext(data_provider=provider))
        asked = api_pb2.ListSessionGroupsRequest(start_index=0, slice_size=1000)
        asked.allowed_statuses.extend(api_pb2.Status.values())
        handler = list_session_groups.Handler(RequestContext(), context, "e", asked)
        return held, {group.name: group for group in handler.run().session_groups}

    return opened


def params_read(group):
    """Return the parameters of a session group as plain values."""
    return {n: getattr(v, v.WhichOneof("kind")) for n, v in group.hparams.items()}


def test_tensorboard_reads_the_candidates_back(record, tensorboard, tmp_path):
    """Each with parameters, state and scores; a float of TensorBoard's has 24 bits."""
    screen = TensorBoardFiles(str(tmp_path / "runs"), record)
    runs = runs_of(record)
    screen.put(record, runs)
    screen.put(record, runs)  # written twice is there once
    held, groups = tensorboard(tmp_path / "runs")
    frame = candidates_frame(record)
    assert sorted(groups) == [f"candidate-{i:04d}" for i in frame["candidate"]]
    for run, (_, row) in zip(runs, frame.iterrows(), strict=True):
        group = groups[run.name]
        assert params_read(group) == {**run.params, "state": row["state"]}
        found = {each.name.tag: each.value for each in group.metric_values if not each.name.group}
        scores = [n for n in frame.columns if "_test_score" in n and not n.startswith("rank")]
        told = {n: np.float32(row[n]) for n in scores if np.isfinite(row[n])}
        assert {n: v for n, v in found.items() if n in scores} == told
        for (split,), fit in folds_frame(record).query(f"trial == {run.candidate.trial.number}") \
            .query(f"epoch <= {run.candidate.epoch}").groupby(["split"]):  # fmt: skip
            place = f"{screen.folder.name}/{run.name}/split{split}"
            events = held.Tensors(place, "test_score")
            assert [e.step for e in events] == list(fit["epoch"])
            assert [e.tensor_proto.float_val[0] for e in events] == list(
                np.float32(fit["test_score"])
            )


def test_a_study_without_candidates_and_a_parameter_named_state(tensorboard, tmp_path):
    """Nothing is no fault; a parameter of that name keeps it."""
    record = grid_record(epochs=(5,))
    nothing = replace(record, candidates=())
    screen = TensorBoardFiles(str(tmp_path), nothing)
    screen.put(nothing, runs_of(nothing))
    assert tensorboard(tmp_path)[1] == {}
    named = [replace(c, params={"state": c.params["hidden_size"]}) for c in record.candidates]
    spec = {**record.spec, "space": {"state": [32, 64, 256]}}
    told = replace(record, spec=spec, candidates=tuple(named))
    TensorBoardFiles(str(tmp_path), told).put(told, runs_of(told))
    first = tensorboard(tmp_path)[1]["candidate-0000"]
    assert params_read(first) == {"state": 32, "state of the trial": "COMPLETE"}


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    """What somebody else put there would be lost."""
    pytest.importorskip("tensorboard", **missing("tensorboard"))
    other = tmp_path / "mnist-mlp-grid" / "notes.txt"
    other.parent.mkdir()
    other.touch()
    with pytest.raises(ResultError, match=r"notes\.txt: is no event file of sweep's"):
        TensorBoardFiles(str(tmp_path), grid_record())


def test_optuna_reads_the_candidates_back(record, optuna_reads, tmp_path):
    """Parameters, states, values and what was measured on the way; no mark of ours is left."""
    screen = OptunaStudy(str(tmp_path / "o.db"), record, "")
    screen.put(record, runs_of(record))
    screen.end(record, None)
    study = optuna_reads(record.name, screen.url)
    assert len(study.trials) == len(record.candidates)
    for trial, run in zip(study.trials, runs_of(record), strict=True):
        candidate = run.candidate
        assert trial.params == dict(candidate.params)
        assert trial.state.name == candidate.trial.state
        score = mean_score(candidate)
        assert trial.value == (None if score is None else pytest.approx(score, rel=1e-12))
        assert trial.datetime_start.astimezone() == candidate.trial.started
        measured = folds_frame(record).query(f"trial == {candidate.trial.number}")
        within = measured[measured["epoch"] <= candidate.epoch].groupby("epoch")["test_score"]
        assert trial.intermediate_values == pytest.approx(within.mean().to_dict(), rel=1e-12)
    system = study._storage.get_study_system_attrs(study._study_id)
    held = [study.user_attrs, system, *(t.user_attrs for t in study.trials)]
    assert not [name for each in held for name in each if "sweep" in name]
    first = max(record.candidates, key=lambda c: mean_score(c) or 0)
    assert study.best_value == pytest.approx(mean_score(first), rel=1e-12)


def test_optuna_takes_trials_without_times(optuna_reads, tmp_path):
    """As imported ones may be: the study's own moment stands for them."""
    record = grid_record()
    timeless = [
        replace(c, trial=replace(c.trial, started=None, finished=None)) for c in record.candidates
    ]
    told = replace(record, candidates=tuple(timeless))
    screen = OptunaStudy(str(tmp_path / "o.db"), told, "")
    screen.put(told, runs_of(told))
    screen.end(told, None)
    study = optuna_reads(record.name, screen.url)
    assert {t.datetime_start.astimezone().isoformat() for t in study.trials} == {
        datetime.fromisoformat(record.created).astimezone().isoformat()
    }


def test_optuna_keeps_objectives_and_constraints(optuna_reads, tmp_path):
    """A score and the weights of a model are two directions; what broke a limit is infeasible."""
    record = grid_record()
    spec = {
        **record.spec,
        "search": {**record.spec["search"], "objectives": ["score", "parameters"]},
    }
    slow = replace(record.trials[0], state="INFEASIBLE", reason="2 s are more than 1 s")
    first, *rest = (
        replace(c, trial=slow) if i == 0 else c for i, c in enumerate(record.candidates)
    )
    told = replace(record, spec=spec, candidates=(first, *rest))
    screen = OptunaStudy(str(tmp_path / "o.db"), told, "")
    screen.put(told, runs_of(told))
    screen.end(told, None)
    study = optuna_reads(told.name, screen.url)
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert [t.values[1] for t in study.trials] == [c.trial.parameters for c in told.candidates]
    assert study.trials[0].system_attrs["constraints"] == [1.0]
    assert study.trials[0].number not in [t.number for t in study.best_trials]


@pytest.fixture
def optuna_reads():
    """Optuna's own reader of a study; its databases are closed afterwards."""
    import optuna

    opened = []

    def read_back(name, url):
        opened.append(optuna.storages.RDBStorage(url))
        return optuna.load_study(study_name=name, storage=opened[-1])

    yield read_back
    for storage in opened:
        storage.remove_session()
        storage.engine.dispose()


@pytest.fixture
def tracking(tmp_path):
    """An empty tracking store of MLflow's, and its client."""
    pytest.importorskip("mlflow", **missing("mlflow"))
    from sweep.screens.mlflow_runs import MlflowRuns

    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    return lambda record: MlflowRuns(address, record)


@pytest.mark.filterwarnings("ignore")  # MLflow's own, of the libraries below it
def test_mlflow_reads_the_candidates_back(tracking, tmp_path):
    """Below one parent: parameters, states, split metrics by epoch; files; twice is there once."""
    record = RECORDS["tpe"]
    files = tmp_path / "files"
    files.mkdir()
    (files / "report.html").write_text("the report")
    for _ in range(2):
        screen = tracking(record)
        screen.put(record, runs_of(record))
        screen.end(record, files)
    client = screen._client
    (experiment,) = [e for e in client.search_experiments() if e.name == record.name]
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert len(parents) == 1
    assert parents[0].data.metrics["test_score"] == record.winner.test_score
    (artifact,) = client.list_artifacts(parents[0].info.run_id)
    assert artifact.path == "report.html"
    by_name = {run.info.run_name: run for run in runs if run is not parents[0]}
    assert len(by_name) == len(record.candidates)
    for told in runs_of(record):
        run = by_name[told.name]
        assert run.data.params == {n: str(v) for n, v in told.params.items()}
        assert run.data.tags["sweep.state"] == told.state
        assert (
            run.info.status
            == {"COMPLETE": "FINISHED", "PRUNED": "KILLED", "FAIL": "FAILED"}[told.state]
        )
        assert {n: v for n, v in run.data.metrics.items() if "/" not in n} == told.metrics
        for curve in told.curves:
            history = client.get_metric_history(run.info.run_id, f"{curve.fit}/test_score")
            assert {m.step: m.value for m in history} == curve.values["test_score"]


def test_following_shows_what_comes_and_ends_with_the_study(optuna_reads, monkeypatch, tmp_path):
    """A study with two of three cells, then whole: nine candidates, each shown once."""
    monkeypatch.setattr("sweep.screens.showing.LOOK_SECONDS", 0.0)
    monkeypatch.setattr("sweep.screens.showing.SHARE", 0)
    states = [running_record(), running_record(), grid_record()]
    left = iter(states)

    def look():
        return types.SimpleNamespace(record=next(left), url="")

    said, count = show("optuna", str(tmp_path / "o.db"), look, follow=True)
    assert count == len(states[-1].candidates)
    assert next(left, None) is None
    assert len(optuna_reads("mnist-mlp-grid", said).trials) == count


def test_the_command_says_where_the_study_is(ledger):  # noqa: F811
    """The study that a ledger holds, by name."""
    assert "exported: 6 candidates to sqlite:///" in read(
        "export", "tiny", "--to", "optuna", "o.db"
    )
    again = sweep("export", "tiny", "--to", "optuna", "o.db")
    assert again.exit_code == 2
    assert "has a study 'tiny' already" in again.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "optuna", ".sweep/ledger.db"), "is the study's own ledger"),
        (("--to", "optuna", "postgresql://me:secret@db/x"), "does not belong on the command line"),
        (("--to", "mlflow", "http://me:secret@host"), "MLFLOW_TRACKING_PASSWORD"),
        (("--to", "spreadsheet", "x"), "'spreadsheet' is not one of"),
        (("--to", "tensorboard", "/proc/x"), "/proc/x"),
        (("--to", "tensorboard", ".sweep/ledger.db"), "must be a folder"),
        (("--follow",), "--follow goes with --to"),
        (("--to", "optuna", "o.db", "--output", "x"), "--output is of the winner's folder"),
        (("--to", "optuna", "no/such/folder/o.db"), "--to optuna"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(ledger, words, said):  # noqa: F811
    """Status 2, no traceback, no password, no file."""
    if "tensorboard" in words:
        pytest.importorskip("tensorboard", **missing("tensorboard"))
    before = sorted(ledger.parent.parent.rglob("*"))
    result = sweep("export", "tiny", *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "secret" not in result.stderr
    assert "Traceback" not in result.stderr
    assert sorted(ledger.parent.parent.rglob("*")) == before


@pytest.mark.parametrize("library", ["tensorboard", "mlflow", "wandb"])
def test_a_missing_library_names_its_extra(ledger, monkeypatch, library):  # noqa: F811
    """Where an extra is not installed, what to install is said."""
    monkeypatch.setattr("sweep.screens.extras.find_spec", lambda _: None)
    result = sweep("export", "tiny", "--to", library, "x")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f'pip install ".[{library}]" in a checkout of sweep' in result.stderr


def wandb_records(path):
    """Read a file of Weights & Biases: LevelDB's log format behind seven bytes."""
    from wandb.proto import wandb_internal_pb2

    data, at, held = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 32768 - at % 32768
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack_from("<IHB", data, at)
        held += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # whole, or its last part
            yield wandb_internal_pb2.Record.FromString(held)
            held = b""


def items(told):
    """Return key and value of the items of a record."""
    return {".".join(i.nested_key) or i.key: json.loads(i.value_json) for i in told}


@pytest.mark.filterwarnings("ignore")  # of the library's own
def test_wandb_files_hold_the_candidates(tmp_path):
    """Written without a network: parameters, state, scores by epoch, what the table holds."""
    pytest.importorskip("wandb", **missing("wandb"))
    from sweep.screens.wandb_runs import WandbRuns

    record = RECORDS["tpe"]
    runs = [run for run in runs_of(record) if run.state != "COMPLETE"] + runs_of(record)[:2]
    screen = WandbRuns(str(tmp_path / "offline"), record)
    screen.put(record, runs)
    screen.end(record, None)
    found = {}
    for path in (tmp_path / "offline" / "wandb").glob("offline-run-*/*.wandb"):
        held = list(wandb_records(path))
        (first,) = [r.run for r in held if r.WhichOneof("record_type") == "run"]
        found[first.display_name] = (first, held)
    assert sorted(found) == sorted(run.name for run in runs)
    for run in runs:
        first, held = found[run.name]
        config = items(first.config.update)
        assert {n: config[n] for n in run.params} == dict(run.params)
        told = {"state": run.state, "reason": run.reason}
        assert (config["sweep"], first.run_group) == (told, record.name)
        history = [items(r.history.item) for r in held if r.WhichOneof("record_type") == "history"]
        for curve in run.curves:
            name = f"{curve.fit}/test_score"
            told = {each["epoch"]: each[name] for each in history if name in each}
            assert told == curve.values["test_score"]
        summary = {}
        for each in held:
            if each.WhichOneof("record_type") == "summary":
                summary |= items(each.summary.update)
        assert {n: summary[n] for n in run.metrics} == run.metrics


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore")  # MLflow's own, of the libraries below it
def test_mlflow_keeps_report_study_file_and_a_model_that_predicts(tmp_path):
    """What is downloaded from the store says what the winner says."""
    pytest.importorskip("mlflow", **missing("mlflow"))
    from mlflow import MlflowClient

    from sweep import load_best, load_dataset, run_study

    study = {
        "study": {"name": "tiny"},
        "data": {"dataset": "digits", "train_rows": 200, "test_rows": 50},
        "model": {"factory": "mlp", "epochs": 1},
        "search": {"method": "grid", "cv": 2},
        "space": {"hidden_size": [4, 8]},
    }
    result = run_study(study, storage=str(tmp_path / "l.db"), n_jobs=1)
    address = f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"
    said, count = show("mlflow", address, lambda: result)
    assert (count, said.startswith(address)) == (2, True)
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("tiny").experiment_id
    (parent,) = client.search_runs([experiment], "attributes.run_name = 'tiny'")
    names = {each.path for each in client.list_artifacts(parent.info.run_id)}
    assert names == {"report.html", "study.toml", "model"}
    folder = client.download_artifacts(parent.info.run_id, "model", str(tmp_path))
    rows = load_dataset("digits").x_test[:20]
    assert load_best(folder).predict_proba(rows) == pytest.approx(
        result.best_estimator_.predict_proba(rows), abs=1e-5
    )
