"""The page that lists the studies of a ledger, and the report that follows a run."""

import os
import threading
import time

import commands
from commands import sweep
from ledgers import build
from records import HOSTILE

from sweep.analysis.overview import all_overviews
from sweep.cli.live_report import LiveReport
from sweep.ledger.ledger import Ledger
from sweep.report.index import render_index
from sweep.study.index import write_index
from sweep.study.report_paths import report_path

here = commands.here


def test_the_index_lists_and_links(here):
    """Newest first, with a link where a report is, and names as text."""
    url = f"sqlite:///{here / 'l.db'}"
    build(here / "l.db", "first", winner=True)
    build(here / "l.db", HOSTILE, done=1)
    sweep("report", "first", "--storage", "l.db")
    page = write_index(url).read_text("utf-8")
    assert '<a href="first.html">first</a>' in page
    assert "<script>alert" not in page
    assert "1 of 3" in page
    assert page.index("stopped") < page.index("finished")
    studies = all_overviews(Ledger(url))
    assert render_index(studies, {"first": "first.html"}) == page


def test_a_study_named_index_does_not_take_its_place(tmp_path):
    """Its report has another name, and not that of another study."""
    names = {report_path(name, tmp_path).name for name in ("index", "index-study", "-index")}
    assert len(names) == 3
    assert "index.html" not in names


def test_a_report_follows_a_run(here):
    """It is there before the end, and says that the study is running."""
    ledger = here / "l.db"
    build(ledger, "tiny", done=1)
    claimed = Ledger(f"sqlite:///{ledger}").claim("tiny", "w")
    with LiveReport("tiny", str(ledger), None, every=0.05):
        deadline = time.monotonic() + 20
        while not (here / "reports" / "index.html").is_file() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert "running, 1 of 3 cells" in (here / "reports" / "tiny.html").read_text("utf-8")
    assert claimed is not None
    assert not [t for t in threading.enumerate() if t.name.startswith("Thread") and t.is_alive()]


def test_a_report_that_cannot_be_written_disturbs_nobody(here):
    """Nor a ledger that is not there yet."""
    with LiveReport("tiny", str(here / "none.db"), here, every=0.01):
        time.sleep(0.1)


def test_a_pipe_gets_no_report_while_a_study_runs(here):
    """Its reader is given the one at the end: a pipe without a reader would hold the thread."""
    build(here / "l.db", "tiny", done=1)
    os.mkfifo(here / "pipe")
    with LiveReport("tiny", str(here / "l.db"), here / "pipe", every=0.01) as keeper:
        keeper._thread.join(10)
        assert not keeper._thread.is_alive()
    assert (here / "pipe").is_fifo()
