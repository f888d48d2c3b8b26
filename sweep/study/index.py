"""``reports/index.html``: the studies of a ledger, with links to their reports."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sweep.analysis.overview import all_overviews
from sweep.ledger.ledger import Ledger
from sweep.study.report_paths import report_path
from sweep.support.file_writing import write_file

if TYPE_CHECKING:
    from pathlib import Path


def write_index(url: str) -> Path:
    """Write the index of a ledger beside its reports; return its file."""
    from sweep.report.index import render_index

    with closing(Ledger(url, reading=True)) as ledger:
        studies = all_overviews(ledger)
    folder = report_path("any").parent
    places = {each.name: report_path(each.name) for each in studies}
    links = {name: path.name for name, path in places.items() if path.is_file()}
    return write_file(folder / "index.html", render_index(studies, links))
