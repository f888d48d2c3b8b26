"""Faults of a server with workers: what is finished is kept, and the tables are those of a run."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest
from conftest import new_database
from service_process import served, until

from sweep.study import open_study, run_study

pytestmark = pytest.mark.tensorflow
SMALL = """
[study]
name = "{name}"
[data]
dataset = "digits"
train_rows = 400
test_rows = 100
[search]
method = "grid"
cv = 3
[space]
hidden_size = [8, 16, {width}]
epochs = [1, 2]
"""


def source(name, width=24):
    """Return a small study's file."""
    return SMALL.format(name=name, width=width)


def scores(result):
    """Return the numbers of a table that do not depend on the clock."""
    keep = [c for c in result.frame.columns if c.startswith(("param_", "split", "mean_test"))]
    return result.frame[keep].to_dict("list")


def finished(service):
    """Return whether every study has met its test set."""
    return all(each["test_opened"] for each in service.studies().values())


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return the table of the same study by ``sweep run``."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "s.toml").write_text(source("alone"))
    return scores(run_study(folder / "s.toml", storage=f"sqlite:///{folder}/l.db", n_jobs=1))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_server_that_is_killed_loses_nothing(kind, tmp_path, request, table):
    """Again and again under load: all studies end, with the tables of a run alone."""
    kills = int(os.environ.get("SWEEP_KILLS", "2"))
    with ExitStack() as stack:
        storage = None
        if kind == "postgresql":
            storage = stack.enter_context(new_database(request.getfixturevalue("postgres")))
        service = stack.enter_context(served(tmp_path, "--workers", "2", storage=storage))
        names = [f"study-{n}" for n in range(2 * kills)]
        for name in names[:kills]:
            service.submit(source(name))
        for number in range(kills):
            time.sleep(2 + number % 3)
            service.kill()
            service.start()
            service.submit(source(names[kills + number]))
        until(lambda: finished(service), 240)
        where = storage or f"sqlite:///{tmp_path}/.sweep/ledger.db"
        for name in names:
            found = open_study(name, storage=where)
            assert scores(found) == table
            assert found.record.status == "finished"
            assert found.test_score_ is not None


def test_a_nested_study_has_its_outer_folds_though_the_server_is_killed(tmp_path):
    """Between the folds and in them; its estimate is that of a run."""
    nested = source("nested").replace("cv = 3", "cv = 3\nnested = 2")
    with served(tmp_path, "--workers", "2") as service:
        service.submit(nested)
        until(lambda: service.studies()["nested"]["left"] == "outer folds")
        service.kill()
        service.start()
        until(lambda: service.studies()["nested"]["left"] == "")
        assert service.studies()["nested"]["status"] == "finished"
    (tmp_path / "s.toml").write_text(nested)
    run = run_study(tmp_path / "s.toml", storage=f"sqlite:///{tmp_path}/run.db", n_jobs=1).record
    found = open_study("nested", storage=f"sqlite:///{tmp_path}/.sweep/ledger.db").record
    assert found.nested.folds == run.nested.folds


def test_workers_elsewhere_do_not_notice_that_the_server_is_killed(tmp_path, database, table):
    """They know the ledger alone; who handed in what is written down, and no cell is doubled."""
    with ExitStack() as stack:
        workers = [stack.enter_context(worker(tmp_path / str(n), database)) for n in range(2)]
        place = tmp_path / "server"
        place.mkdir()
        service = stack.enter_context(served(place, "--workers", "0", storage=database))
        for number in range(2):
            service.submit(source(f"study-{number}"))
            time.sleep(2)
            service.kill()
            service.start()
        until(lambda: not any(each["left"] for each in service.studies().values()), 240)
        acts = {(each["act"], each["study"]) for each in service.ask("/acts")["acts"]}
        assert acts == {("submit", "study-0"), ("submit", "study-1")}
        assert [each.poll() for each in workers] == [None, None]
    for number in range(2):
        found = open_study(f"study-{number}", storage=database)
        assert scores(found) == table
        assert found.test_score_ is not None
        keys = [t.key for t in found.record.trials if t.state == "COMPLETE"]
        assert len(keys) == len(set(keys)) == 3
        log = (tmp_path / str(number) / "log").read_text()
        assert not [word for word in ("error", "left to others", "replacement") if word in log]


@contextmanager
def worker(folder, storage):
    """Yield a `sweep worker` in a folder of its own, which knows the ledger's address alone."""
    folder.mkdir()
    line = [sys.executable, "-m", "sweep", "worker", "--all", "--wait", "--n-jobs", "1"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            line, cwd=folder, env={**os.environ, "SWEEP_STORAGE": storage}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def test_a_study_that_is_handed_in_later_has_its_share(tmp_path):
    """Both run at the same time; a stopped one leaves its workers to the other."""
    with served(tmp_path, "--workers", "2") as service:
        long = source("long").replace("[1, 2]", "[60]").replace("400", "1400")
        service.submit(long)
        until(lambda: service.studies()["long"]["status"] == "running")
        service.submit(source("short"))
        until(lambda: service.studies()["short"]["test_opened"])
        service.ask("/studies/long/stop", "POST")
        until(lambda: not service.studies()["long"]["hosts"])
        assert service.studies()["long"]["status"] in ("stopped", "finished")
        service.ask("/studies/long/continue", "POST")
        until(lambda: service.studies()["long"]["test_opened"])
