"""Models of a person's own that misbehave: each costs its own cell, and no other."""

import sys
import time
from contextlib import closing

import pytest
from test_killed import started
from test_study import own

from sweep import run_study
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import read_study

pytestmark = pytest.mark.tensorflow


def test_a_fit_that_hears_no_clock_is_ended(tmp_path):
    """Code that catches everything: recorded with its reason, and the study ends."""
    study = own("stubborn")
    search = study.search.model_copy(update={"trial_timeout": 6.0})
    began = time.monotonic()
    result = run_study(
        study.model_copy(update={"search": search}), storage=str(tmp_path / "l.db"), n_jobs=1,
        allow=["own_models"],
    )  # fmt: skip
    assert time.monotonic() - began < 120
    failed = [t for t in result.record.trials if t.state == "FAIL"]
    assert [t.reason for t in failed] == ["took longer than trial_timeout = 6 s"]
    assert result.record.status == "finished"


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_fit_that_needs_too_much_memory_is_a_failure(tmp_path):
    """Recorded with its reason; the worker's next cells are evaluated."""
    study = own("greedy")
    search = study.search.model_copy(update={"memory_limit": 2**30})
    result = run_study(
        study.model_copy(update={"search": search}), storage=str(tmp_path / "l.db"), n_jobs=1,
        allow=["own_models"],
    )  # fmt: skip
    states = {t.params["width"]: t for t in result.record.trials if t.state != "CUT"}
    assert [states[w].state for w in (4, 8, 13)] == ["COMPLETE", "COMPLETE", "FAIL"]
    assert states[13].reason.startswith("needed more memory than memory_limit = 1 GB: ")
    assert result.record.status == "finished"


def misbehaving(tmp_path, body, name="mine"):
    """Write a study with a factory of the person's own that misbehaves for width 16."""
    (tmp_path / f"{name}.py").write_text(
        "import os, re, sys, time\nfrom sweep.models import mlp\n\n\n"
        "def build(input_shape, n_classes, width=8):\n    if width == 16:\n"
        f"        {body}\n    return mlp(input_shape, n_classes, hidden_size=width)\n"
    )
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "k"\n[data]\ndataset = "digits"\ntrain_rows = 100\ntest_rows = 50\n'
        f'[model]\nfactory = "{name}:build"\nepochs = 1\n[search]\nmethod = "grid"\ncv = 2\n'
        "refit = false\ntrial_timeout = 20\n[space]\nwidth = [8, 16]\n"
    )
    run = started(tmp_path, "--allow", name)
    _, errors = run.communicate(timeout=120)
    return (
        run.returncode,
        errors,
        {t.params["width"]: t for t in read(tmp_path) if t.state != "CUT"},
    )


def read(folder):
    """Return the study's trials as records."""
    with closing(Ledger(f"sqlite:///{folder / 'l.db'}", reading=True)) as ledger:
        return read_study(ledger, "k").trials


BODIES = {
    "the exit status of a worn worker": ("os._exit(3)", "ended its worker 3 times"),
    "a child that holds the pipes": (
        "os.fork() and os._exit(9); time.sleep(600)", "ended its worker 3 times"
    ),
    "no Exception": ("raise BaseException('odd')", "BaseException: odd"),
    "text that is none": (r"raise ValueError('\udcff')", r"ValueError: \udcff"),
}  # fmt: skip


@pytest.mark.parametrize("what", BODIES)
def test_a_factory_that_misbehaves_costs_its_own_cell_alone(what, tmp_path):
    """The other cell is complete, the study ends with status 1, and the reason is told."""
    body, reason = BODIES[what]
    status, errors, by_width = misbehaving(tmp_path, body)
    assert status == 1, errors
    assert by_width[8].state == "COMPLETE"
    assert by_width[16].state == "FAIL"
    assert by_width[16].reason.startswith(reason)


CONVERTED = """if not os.path.exists('once'):
            open('once', 'w').close()
            try:
                os.kill(os.getpid(), 15)
                time.sleep(20)
            except BaseException as error:
                raise TypeError('Failed to convert elements to Tensor') from error"""


def test_an_interruption_that_a_library_makes_an_error_of_is_no_failure(tmp_path):
    """As TensorFlow does while it traces a model: the cell is evaluated again."""
    status, errors, by_width = misbehaving(tmp_path, CONVERTED)
    assert (tmp_path / "once").exists()
    assert status == 0, errors
    assert "starting a replacement" in errors
    assert {width: trial.state for width, trial in by_width.items()} == {
        8: "COMPLETE",
        16: "COMPLETE",
    }
