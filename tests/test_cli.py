"""The command line as a whole: help, suggestions, errors, completion."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import click
import commands
import pytest
from click.shell_completion import ShellComplete
from commands import GUARD, ROOT, broken, process, read, sweep

from sweep.cli.group import Sweep
from sweep.cli.main import HOMES, cli
from sweep.cli.text import duration, spoken

HEAVY = ("numpy", "pandas", "optuna", "sklearn", "tensorflow", "keras", "scipy", "matplotlib")


here, ledger = commands.here, commands.ledger


def test_help_is_quick_and_light():
    """`sweep --help` takes under 0.3 s of the processor and loads nothing heavy."""
    seconds = []
    for _ in range(3):
        began = _children_seconds()
        result = process("--help", code=("-c", GUARD.format(names=HEAVY)))
        seconds.append(_children_seconds() - began)
        assert result.returncode == 0, result.stderr
    assert min(seconds) < 0.3


def _children_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("name", HOMES)
def test_help_shows_an_example(name):
    """Every command says what it does and shows an example of itself."""
    text = read(name, "--help")
    assert f"sweep {name}" in text.partition("Example:")[2]
    command = Sweep("sweep", homes=HOMES).get_command(click.Context(cli), name)
    assert len(command.help.splitlines()[0]) > 20
    assert command.get_short_help_str(60)[-3:] != "..."


@pytest.mark.parametrize("name", HOMES)
def test_help_is_set_as_it_was_written(name):
    """No escape of a docstring reaches the person, and each example has a line of its own."""
    text = read(name, "--help")
    assert "\\" not in text
    assert "\b" not in text
    shown = [line.strip() for line in text.partition("Example:")[2].splitlines()[1:]]
    examples = shown[: shown.index("")]
    assert examples
    assert all(line.startswith(f"sweep {name}") and line.count("sweep ") == 1 for line in examples)


@pytest.mark.parametrize("name", HOMES)
def test_options_have_help(name):
    """Every option of every command has a help text."""
    command = cli.get_command(click.Context(cli), name)
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


@pytest.mark.parametrize("name", HOMES)
def test_readme_mentions(name):
    """The README shows every command."""
    assert f"sweep {name}" in (ROOT / "README.md").read_text("utf-8")


def test_mistyped_command():
    """A mistyped command gets a suggestion."""
    result = sweep("rnu")
    assert (result.exit_code, "Did you mean 'run'?" in result.stderr) == (2, True)


def test_mistyped_option():
    """A mistyped option gets a suggestion."""
    result = sweep("run", "digits-grid", "--njobs", "2")
    assert (result.exit_code, "--n-jobs" in result.stderr) == (2, True)


def test_group_help_tells_completion():
    """`sweep --help` tells how to switch completion on."""
    assert "_SWEEP_COMPLETE=bash_source sweep" in read("--help")


def test_verbose_and_quiet_exclude_each_other():
    """-v and -q together are refused."""
    assert sweep("-v", "-q", "list").exit_code == 2


def test_error_is_a_message(here):
    """An error of sweep is one message on standard error, without traceback."""
    result = sweep("list")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_defect_is_named(ledger, monkeypatch):
    """Anything else is called internal, exits 3, and says how to see the traceback."""
    monkeypatch.setattr("sweep.cli.list_studies._drawn", broken)
    result = sweep("list")
    assert result.exit_code == 3
    assert result.stderr.startswith("internal error: TypeError: no such luck")
    assert "sweep -v list" in result.stderr
    assert "Traceback" not in result.stderr


def test_defect_shows_traceback_when_asked(ledger, monkeypatch):
    """With -v the traceback is there."""
    monkeypatch.setattr("sweep.cli.list_studies._drawn", broken)
    assert "Traceback" in sweep("-v", "list").stderr


def test_keyboard_interrupt(ledger, monkeypatch):
    """Ctrl-C in a reading command exits 130 without a traceback."""

    def interrupted(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr("sweep.cli.list_studies._drawn", interrupted)
    result = sweep("list")
    assert (result.exit_code, result.stderr) == (130, "interrupted\n")


def test_log_file(ledger):
    """--log-file holds what was asked and what went wrong."""
    sweep("--log-file", "logs/sweep.log", "show", "nobody")
    text = Path("logs/sweep.log").read_text()
    assert "sweep --log-file logs/sweep.log show nobody" in text
    assert "no study named 'nobody'" in text


def test_a_full_disk_without_a_file_name_is_no_defect(ledger, monkeypatch):
    """A library that does not say which file it was is none of ours."""

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sweep.study.result.read_result", full)
    result = sweep("show", "tiny")
    assert (result.exit_code, result.stderr) == (2, "error: No space left on device\n")


def test_broken_pipe_is_quiet(ledger):
    """A reader that leaves early gets no traceback."""
    code = f"{sys.executable} -m sweep models --format json | head -1"
    result = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (result.stdout, result.stderr) == ("[\n", "")


def completions(words, incomplete):
    """What the shell offers after these words."""
    return [
        item.value
        for item in ShellComplete(cli, {}, "sweep", "_S").get_completions(words, incomplete)
    ]


def test_studies_complete(ledger):
    """Names of studies complete from the ledger."""
    assert completions(["show"], "t") == ["tiny"]


def test_completion_without_ledger_is_silent(here):
    """Without a ledger nothing is offered, and none is made."""
    assert completions(["show"], "") == []
    assert not Path(".sweep").exists()


def test_shipped_studies_complete(here):
    """Shipped studies complete, files are left to the shell."""
    assert completions(["run"], "digits") == ["digits-grid", "digits-tpe", "digits"]


def test_commands_complete():
    """Commands complete."""
    assert completions([], "mo") == ["models"]


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.4, "0:00"), (80, "1:20"), (3723, "1:02:03")]
)
def test_duration(seconds, text):
    """Durations read like a clock."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3, "about 5 s"), (61, "about 60 s"), (200, "about 3 min"), (7800, "about 2 h 10 min")],
)
def test_spoken(seconds, text):
    """Estimates are rounded: they are no promise."""
    assert spoken(seconds) == text
