"""What the tests of the command line share: an empty folder, a ledger, ways to call it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from ledgers import build

from sweep.cli.main import cli

ROOT = Path(__file__).resolve().parent.parent
GUARD = """
import sys
class Guard:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise RuntimeError("forbidden import: " + name)
sys.meta_path.insert(0, Guard())
from sweep.cli.main import main
main()
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to stand in, without settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SWEEP_STORAGE", raising=False)
    monkeypatch.delenv("SWEEP_DATA_HOME", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


@pytest.fixture
def ledger(here):
    """The address of a ledger with a finished study, ``tiny``, and a stopped one, ``half``."""
    path = here / ".sweep" / "ledger.db"
    path.parent.mkdir()
    build(path, winner=True)
    build(path, "half", done=1, refit=False)
    return path


def sweep(*words, **options):
    """Run a command; return click's result."""
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="sweep", **options)


def read(*words):
    """Return what a command that succeeds prints."""
    result = sweep(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


def process(*words, env=None, code=("-m", "sweep"), **options):
    """Run the command line as a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **(env or {})}
    return subprocess.run(
        [sys.executable, *code, *words], capture_output=True, text=True, env=environment,
        check=False, **options,
    )  # fmt: skip


def broken(*_args, **_kwargs):
    raise TypeError("no such luck")
