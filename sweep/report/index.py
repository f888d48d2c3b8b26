"""The studies of a ledger as one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.report import text
from sweep.report.page import environment, page_resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sweep.ledger.outline import Outline


@dataclass(frozen=True)
class Line:
    """One study: its name, where its report is (empty for none), and cells of text."""

    name: str
    link: str
    cells: tuple[str, ...]


def render_index(studies: Sequence[Outline], links: Mapping[str, str]) -> str:
    """Return the studies of a ledger as one HTML page, newest first.

    Parameters
    ----------
    studies : sequence of Outline
        The studies.
    links : mapping of str to str
        File names of their reports, beside the page.
    """
    lines = [_line(study, links.get(study.name, "")) for study in reversed(studies)]
    template = environment().get_template("index.html.j2")
    return str(template.render(**page_resources(), lines=lines))


def _line(study: Outline, link: str) -> Line:
    failed = f", {study.failed:,} failed" if study.failed else ""
    cells = (
        text.clean(study.method),
        f"{study.status}{failed}",
        f"{study.done:,} of {study.planned:,}",
        text.score(study.best),
        "opened" if study.test_opened else "closed",
        text.moment(study.created),
    )
    return Line(text.clean(study.name), link, cells)
