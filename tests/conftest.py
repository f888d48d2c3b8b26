"""Shared by all tests: one thread, no accelerator, no ledger but a temporary one."""

import os
import shutil
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from uuid import uuid4

import pytest

sys.path.insert(0, str(Path(__file__).parent))

os.environ.update(
    {
        "CUDA_VISIBLE_DEVICES": "",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": "1",
        "TF_NUM_INTEROP_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
)


MANY_FILES = 50
"""Of so many files all tests are collected, not single ones that were named."""
LONG = {
    line
    for line in (Path(__file__).parent / "long_tests.txt").read_text("utf-8").splitlines()
    if line and not line.startswith("#")
}


def pytest_collection_modifyitems(items):
    """Mark the tests of long_tests.txt; refuse a line there that names no test."""
    seen, files = set(), set()
    for item in items:
        files.add(item.nodeid.partition("::")[0])
        for name in {item.nodeid, item.nodeid.partition("[")[0]} & LONG:
            seen.add(name)
            item.add_marker(pytest.mark.long)
    whole = len(files) > MANY_FILES
    lost = {name for name in LONG - seen if whole and name.partition("::")[0] in files}
    if lost:
        raise pytest.UsageError(f"tests/long_tests.txt names no test by {sorted(lost)}")


@pytest.fixture(autouse=True)
def no_ledger_of_the_person(monkeypatch):
    """Keep tests away from a ledger or an address that the person has set."""
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.delenv("SWEEP_STORAGE_FILE", raising=False)
    monkeypatch.delenv("SWEEP_SERVER", raising=False)
    monkeypatch.delenv("SWEEP_TOKEN", raising=False)


@pytest.fixture
def data_home():
    """Return the folder with mnist.npz and cifar10.npz, or skip."""
    folder = os.environ.get("SWEEP_DATA_HOME")
    if not folder or not (Path(folder) / "mnist.npz").is_file():
        pytest.skip("SWEEP_DATA_HOME names no folder with mnist.npz")
    return folder


POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"


@pytest.fixture(scope="session")
def postgres():
    """Return the address of a PostgreSQL database where schemas may be made, or skip."""
    psycopg = pytest.importorskip("psycopg", reason="no PostgreSQL driver is installed")
    address = os.environ.get("SWEEP_TEST_POSTGRES", POSTGRES)
    try:
        psycopg.connect(address, connect_timeout=3).close()
    except psycopg.OperationalError:
        pytest.skip("SWEEP_TEST_POSTGRES names no PostgreSQL server, and none is on this machine")
    return address


@contextmanager
def new_database(server):
    """Make an empty schema of a PostgreSQL database; drop it, and all in it, afterwards."""
    import psycopg

    name = f"sweep_{uuid4().hex[:12]}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE SCHEMA {name}")
        try:
            place = f"postgresql+psycopg://{server.partition('://')[2]}"
            yield f"{place}?options=-csearch_path%3D{name}&application_name={name}"
        finally:
            mine = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            admin.execute(f"{mine} WHERE application_name = '{name}'")
            admin.execute(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def database(postgres):
    """Return the address of an empty PostgreSQL database."""
    with new_database(postgres) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request, tmp_path):
    """Return a function that gives the address of a ledger that is not there yet."""
    if request.param == "sqlite":
        numbers = count()
        yield lambda: f"sqlite:///{tmp_path / f'l{next(numbers)}.db'}"
        return
    server = request.getfixturevalue("postgres")
    with ExitStack() as stack:
        yield lambda: stack.enter_context(new_database(server))


@pytest.fixture
def ledger_url(fresh_url):
    """Return the address of a ledger that is not there yet, in a file and on a server."""
    return fresh_url()


@pytest.fixture(scope="module")
def browser():
    """A headless browser, or skip; name it before fixtures that take time."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("neither chromium nor google-chrome is installed")
    with sync_api.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def disk(tmp_path):
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.getuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only the superuser may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)
