"""Every command, as a process whose streams are full, closed, or read by nobody."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from commands import ROOT
from ledgers import build

from sweep.cli.main import HOMES

WORDS = {
    "help": "--help",
    "version": "--version",
    "usage": "nonsense",
    "none": "show nobody",
    "verbose": "-v show nobody",
    "log": "--log-file /dev/full list",
    "init": "init new",
    "check": "check digits-grid --no-probe",
    "run": "run nothing.toml",
    "submit": "submit digits-grid",
    "worker": "worker --study tiny",
    "serve": "serve token list",
    "settle": "settle half",
    "stop": "stop half",
    "list": "list",
    "show": "show tiny",
    "best": "best tiny",
    "pivot": "pivot tiny --index hidden_size",
    "report": "report tiny -o page.html",
    "table": "table tiny -o table.csv",
    "import": "import nothing.csv --name other",
    "judge": "judge nothing.csv",
    "compare": "compare tiny half",
    "dashboard": "dashboard --help",
    "export": "export --help",
    "predict": "predict --help",
    "delete": "delete tiny",
    "prune": "prune -n",
    "migrate": "migrate",
    "models": "models",
    "data": "data",
}
STREAMS = ("open", "full", "unread")
MORE = ("stderr full", "closed")
"""What happens in one place, whatever the command: tried with a few."""
FEW = ("help", "usage", "none", "verbose", "init", "models", "delete")
FULL = "error: standard output cannot be written: No space left on device"
FORKING = """
import json, os, sys
import alembic.command, matplotlib.backends.backend_svg, optuna.storages._rdb.storage, pandas
import rich.console, rich.table, scipy.stats, sklearn.datasets, sqlalchemy.dialects.sqlite.pysqlite
import sweep.cli.leaderboard, sweep.report, sweep.spec, sweep.tables
import sweep.study.answers.best, sweep.study.check, sweep.study.run
from sweep.cli.main import main

def streams(how):
    if how in ("full", "unread"):
        read, into = os.pipe()
        os.close(read)
        os.dup2(os.open("/dev/full", os.O_WRONLY) if how == "full" else into, 1)
    if how == "stderr full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), 2)
    if how == "closed":
        os.closerange(0, 3)

def start(folder, words, how):
    child = os.fork()
    if child:
        return child
    os.chdir(folder)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o666), number)
    sys.argv = ["sweep", *words.split()]
    streams(how)
    main()
    os._exit(99)

def ended(some):
    children = [start(*each) for each in some]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]

told = json.load(sys.stdin)
print(json.dumps([status for at in range(0, len(told), 4) for status in ended(told[at : at + 4])]))
"""

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


class End:
    """How a command has ended: its status, and what it has written."""

    def __init__(self, status, folder):
        self.status = status
        written = ((folder / name).read_text() for name in ("stdout", "stderr"))
        self.out, self.err = (text.replace(str(folder), "HERE") for text in written)


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    """How every command ends with every kind of streams: processes forked from one."""
    made = tmp_path_factory.mktemp("made") / "ledger.db"
    build(made, winner=True)
    build(made, "half", done=1, refit=False)
    cases = {}
    for name in WORDS:
        for how in (*STREAMS, *(MORE if name in FEW else ())):
            folder = tmp_path_factory.mktemp(name)
            (folder / ".sweep").mkdir()
            shutil.copy(made, folder / ".sweep")
            cases[name, how] = folder
    told = [(str(folder), WORDS[name], how) for (name, how), folder in cases.items()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    for name in ("SWEEP_STORAGE", "SWEEP_STORAGE_FILE", "SWEEP_ARTIFACTS"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", FORKING], input=json.dumps(told), capture_output=True, text=True,
        env=environment, check=True, timeout=600,
    )  # fmt: skip
    statuses = json.loads(done.stdout)
    return {case: End(s, cases[case]) for case, s in zip(cases, statuses, strict=True)}


@pytest.fixture(params=WORDS)
def ended(request, ends):
    """How one command ends, by its streams."""
    return {how: end for (name, how), end in ends.items() if name == request.param}


def test_every_command_is_tried():
    """A new command is given its place here."""
    assert {words.split()[0] for words in WORDS.values()} >= set(HOMES)


def test_nothing_is_a_defect(ended):
    """No traceback but the one that -v asks for, and no request for a report."""
    for how, end in ended.items():
        assert end.status in (0, 1, 2, 141), how
        assert "please report it" not in end.err, how
        assert "Logging error" not in end.err, how
        assert end.err.count("Traceback") <= ended["open"].err.count("Traceback"), how


def test_a_full_disk_under_standard_output_is_said(ended):
    """In one line after all else, with status 2."""
    usual, full = ended["open"], ended["full"]
    assert full.status == (2 if usual.out else usual.status)
    assert full.err == (f"{usual.err}{FULL}\n" if usual.out else usual.err)


def test_a_reader_that_is_gone_ends_it_quietly(ended):
    """With the status of a process that SIGPIPE ends, not that of failed trials."""
    usual, unread = ended["open"], ended["unread"]
    assert unread.status == (141 if usual.out else usual.status)
    assert unread.err == usual.err


@pytest.mark.parametrize("name", FEW)
def test_messages_that_cannot_be_said_change_nothing(ends, name):
    """Neither what is printed nor the status, where standard error is on a full disk."""
    usual, full = ends[name, "open"], ends[name, "stderr full"]
    assert (full.status, full.out, full.err) == (usual.status, usual.out, "")


@pytest.mark.parametrize("name", FEW)
def test_closed_streams_change_no_status(ends, name):
    """Without standard input, output and error."""
    assert ends[name, "closed"].status == ends[name, "open"].status


def test_a_log_that_takes_no_more_is_said_once(ends):
    """And is no reason to end."""
    end = ends["log", "open"]
    assert (end.status, "tiny" in end.out) == (0, True)
    assert (
        end.err == "note: --log-file: /dev/full takes no more: [Errno 28] No space left on device\n"
    )
