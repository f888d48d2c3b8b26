"""The studies of a ledger as one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.page import environment, page_resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.overview import StudyOverview


@dataclass(frozen=True)
class Line:
    """One study: its name, where its report is (empty for none), cells of text, its dashboard."""

    name: str
    link: str
    cells: tuple[str, ...]
    page: str = ""


def render_index(
    studies: Sequence[StudyOverview],
    links: Mapping[str, str],
    pages: Mapping[str, str] | None = None,
    note: str = "",
) -> str:
    """Return the studies of a ledger as one HTML page, newest first.

    Parameters
    ----------
    studies : sequence of Outline
        The studies.
    links : mapping of str to str
        Addresses of their reports, seen from the page.
    pages : mapping of str to str, optional
        Addresses of their pages in a dashboard that serves this page.
    note : str
        What such a dashboard allows.
    """
    boards = pages or {}
    lines = [
        _line(study, links.get(study.name, ""), boards.get(study.name, ""))
        for study in reversed(studies)
    ]
    template = environment().get_template("index.html.j2")
    served = pages is not None
    return str(template.render(**page_resources(), lines=lines, served=served, note=note))


def _line(study: StudyOverview, link: str, page: str) -> Line:
    failed = f", {study.failed:,} failed" if study.failed else ""
    cells = (
        text.clean(study.method),
        f"{study.status}{failed}",
        f"{study.done:,} of {study.planned:,}",
        text.score(study.best),
        "opened" if study.test_opened else "closed",
        text.moment(study.created),
    )
    return Line(text.clean(study.name), link, cells, page)
