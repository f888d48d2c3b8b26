"""Faults of a server with workers: what is finished is kept, and the tables are those of a run."""

import os
import time

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
    from contextlib import ExitStack

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
