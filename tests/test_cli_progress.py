"""What a run shows while it goes on: drawn on a terminal, as lines elsewhere."""

from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from sweep.cli.outcome import _ended
from sweep.cli.progress_display import ProgressDisplay, picture
from sweep.cli.progress_lines import LineReporter, ended_line
from sweep.runner.progress import Current, Progress

PARAMS = {"hidden_size": 64, "learning_rate": 0.00123456, "optimizer": "[red]adam[/red]\x1b[31m"}


def progress(**changes):
    """A run at work: 12 of 90 cells done, two workers, two failures."""
    started = {"done": 12, "failed": 2, "pruned": 1, "splits": 3, "phase": "searching"}
    made = Progress("mnist-mlp-grid", 90, **{**started, **changes})
    made.current = {0: Current(13, PARAMS, 1, 4, 10), 1: Current(14, {})}
    made.best = (0.93381, PARAMS)
    made.searching_since = made.began - 120
    return made


def drawn(state, width=80):
    """The picture as lines of text."""
    out = Console(file=io.StringIO(), width=width, markup=False, emoji=False, force_terminal=False)
    out.print(picture(state, width))
    return out.file.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_picture_keeps_to_the_width(width):
    """No line is wider than the terminal, and none wraps."""
    found = drawn(progress(), width)
    assert max(map(len, found)) <= width
    assert len([line for line in found if line.strip()]) == 5


@pytest.mark.parametrize(
    ("done", "nested", "said"),
    [
        (3, None, "finished, 3 cells, 1 of them by other workers, in 0:"),
        (2, None, "finished, 2 cells in 0:"),
        (9, {"folds": []}, "finished, 2 cells in 0:"),
    ],
)
def test_cells_of_other_workers_are_counted_at_the_end(done, nested, said):
    """A run beside other workers of the same study says who did how many."""
    study = SimpleNamespace(status="finished", standing="finished", done=done, nested=nested)
    assert _ended(study, Progress("s", 3, done=2)).startswith(said)


def test_picture_tells():
    """It tells cells, time left, split and epoch of each worker, the best, the failures."""
    text = "\n".join(drawn(progress(), 120))
    for part in ("12/90", "left", "split 2/3, epoch  4/10", "hidden_size=64", "best 0.9338"):
        assert part in text
    assert "2 failed, 1 pruned" in text
    assert "learning_rate=0.001235" in text


def test_picture_is_no_markup():
    """Parameters are text: no markup, nothing that a terminal obeys."""
    text = "\n".join(drawn(progress(), 200))
    assert "optimizer=[red]adam[/red]?[31m" in text


def test_picture_names_the_phase():
    """While nothing is searched the phase is named instead."""
    assert "reading the data" in "\n".join(drawn(progress(phase="starting")))
    assert "refitting the winner" in "\n".join(drawn(progress(phase="refitting")))


def test_line_of_a_result():
    """A line has count, parameters, score, best and time left."""
    ended = {"state": "COMPLETE", "value": 0.92281, "params": {"hidden_size": 64}}
    line = ended_line(progress(), ended)
    assert line.startswith("[12/90] hidden_size=64: 0.9228, best 0.9338, ")
    assert line.endswith(" left")


@pytest.mark.parametrize(
    ("trial", "text"),
    [
        ({"state": "FAIL", "reason": "OOM\x1b[2J"}, "[12/90] failed (OOM?[2J), best 0.9338"),
        ({"state": "PRUNED", "value": 0.5}, "[12/90] pruned at 0.5000, best 0.9338"),
        ({"state": "LATE", "value": 0.5}, "[12/90] ended elsewhere, best 0.9338"),
    ],
)
def test_line_of_another_end(trial, text):
    """Failures say why, pruned cells where, late ones that another was faster."""
    state = progress()
    state.searching_since = None
    assert ended_line(state, trial) == text


def test_every_cell_has_its_line(capsys):
    """No cell is left out, however fast they end; each line has its parameters."""
    reporter, state = LineReporter(), Progress("s", 9)
    fail = {"state": "FAIL", "reason": "out of luck"}
    told = [{"state": "COMPLETE", "value": n / 10} for n in range(4)] + [fail, fail]
    for number, trial in enumerate(told, start=1):
        state.done = number
        reporter.ended(state, {**trial, "params": {"width": number}})
    reporter.end(state)
    shown = [line.split(":")[0] for line in capsys.readouterr().err.splitlines()]
    assert shown == [f"[{n}/9] width={n}" for n in range(1, 7)]


def test_live_leaves_failures_above():
    """On a terminal each new reason of failure stays; the cursor comes back."""
    out = Console(file=io.StringIO(), width=80, force_terminal=True, markup=False)
    reporter, state = ProgressDisplay(out), progress()
    reporter.begin(state)
    for _ in range(2):
        reporter.ended(state, {"state": "FAIL", "reason": "out of luck", "params": {"width": 3}})
    reporter.update(state)
    reporter.say("a worker ended")
    reporter.end(state)
    text = out.file.getvalue()
    assert text.count("width=3: failed (out of luck)") == 1
    assert "a worker ended" in text
    assert text.index("\x1b[?25l") < text.rindex("\x1b[?25h")
