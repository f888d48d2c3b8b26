"""A notebook shows a run while it goes on, and its result."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sweep.runner.notebook_display import (
    MOST_BOXES,
    NotebookDisplay,
    drawing,
    notebook_watcher,
)
from sweep.runner.progress import Current, Progress

ROOT = Path(__file__).parent.parent
STUDY = """
from sweep import run_study
result = run_study({
    "study": {"name": "seen"},
    "data": {"dataset": "digits", "train_rows": 200, "test_rows": 50},
    "model": {"factory": "mlp", "epochs": 3},
    "search": {"method": "grid", "cv": 2},
    "space": {"hidden_size": [4, 8], "activation": ["relu", "tanh"]},
}, storage="ledger.db", n_jobs=1)
"""


def at_work(**changes):
    """A run with two of six cells ended, one at its second split."""
    told = {"done": 3, "failed": 1, "splits": 3, "phase": "searching", "began_done": 1, **changes}
    made = Progress("mnist <grid>", 6, **told)
    made.current = {0: Current(4, {"width": 64}, 1, 4, 10)}
    made.best = (0.93381, {"width": 32})
    made.searching_since = made.began - 60
    return made


ENDED = [("COMPLETE", "width=32: 0.9338"), ("FAIL", "width=16: ModelError: <out> of luck")]


def test_the_drawing_tells_cells_splits_best_and_time():
    """A box for each split of each cell; hostile words are text."""
    page = drawing(at_work(), ENDED, ["a word <i>"])
    assert page.count("<i style") == 6 * 3
    colours = re.findall(r"<i style=\"[^\"]*background: ([^\"]+)\"", page)
    assert colours == [
        *["var(--accent)"] * 6, *["#d04545"] * 3, "var(--accent)", "var(--ghost)",
        *["var(--rule)"] * 7,
    ]  # fmt: skip
    assert "3/6 cells" in page
    assert re.search(r"\d:\d\d left", page)
    assert "best so far 0.9338  width=32" in page
    assert "mnist &lt;grid&gt;" in page
    assert "ModelError: &lt;out&gt; of luck" in page
    assert "a word &lt;i&gt;" in page
    assert "left" not in drawing(at_work(), ENDED, [], over=True)


def test_a_large_study_has_a_bar():
    """A page of a hundred thousand boxes would be no help."""
    page = drawing(Progress("large", MOST_BOXES, done=MOST_BOXES // 4, splits=2), [], [])
    assert "width: 25.0%" in page
    assert "<i style" not in page


def test_outside_a_notebook_nothing_is_drawn():
    """A script prints what it printed."""
    assert notebook_watcher() is None


def test_a_run_is_drawn_in_one_place(monkeypatch):
    """At its begin, at intervals, at its end; outer folds go on in the same place."""
    pages, places = [], []
    place = SimpleNamespace(update=pages.append)
    display = SimpleNamespace(
        HTML=str, display=lambda page, display_id: (pages.append(page), places.append(1), place)[2]
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    shown, run = NotebookDisplay(), at_work()
    for _ in range(2):
        shown.begin(run)
        shown.update(run)  # a moment after the first drawing: none
    shown.ended(run, {"state": "FAIL", "reason": "out of memory", "params": {"width": 16}})
    shown.say("a line that matters")
    shown.end(run)
    assert (len(places), len(pages)) == (1, 3)
    assert "width=16: out of memory" in pages[-1]
    assert "a line that matters" in pages[-1]
    assert "left" not in pages[-1]


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore")  # of the notebook's own libraries
def test_a_kernel_shows_the_run_and_the_result(tmp_path, monkeypatch):
    """In place, from the first cell to the last; then curves and pivots."""
    reason = "nbclient and ipykernel are not installed"
    nbclient = pytest.importorskip("nbclient", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    nbformat = pytest.importorskip("nbformat", reason=reason)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    seen = []

    class Client(nbclient.NotebookClient):
        def process_message(self, msg, cell, cell_index):
            if msg["msg_type"] in ("display_data", "update_display_data"):
                seen.append(msg["content"]["data"].get("text/html", ""))
            return super().process_message(msg, cell, cell_index)

    cells = [nbformat.v4.new_code_cell(text) for text in (STUDY, "result")]
    book = nbformat.v4.new_notebook(cells=cells)
    Client(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert "reading the data" in seen[0]
    assert len(seen) > 2
    (shown,) = book.cells[0].outputs
    page = shown["data"]["text/html"]
    assert "4/4 cells" in page
    assert page.count("<i style") == 4 * 2
    assert "best so far" in page
    (result,) = book.cells[1].outputs
    drawn = result["data"]["text/html"]
    assert "<b>Held-out score</b><svg" in drawn
    assert "color-mix" in drawn  # a pivot
