"""The user's own sections, as the ledger holds them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from sweep.report import text
from sweep.report.blocks import Table, frame_table

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.section import SectionRecord


@dataclass(frozen=True)
class OwnSection:
    """A section: its title, its table and its picture as a data URL; or why there is none."""

    title: str
    table: Table | None = None
    picture: str = ""
    alt: str = ""
    reason: str = ""


def own_sections(record: StudyRecord) -> list[OwnSection]:
    """Return the user's own sections that the run has computed."""
    return [_own_section(section) for section in record.sections]


def _own_section(section: SectionRecord) -> OwnSection:
    if section.reason:
        title = text.clean(section.reference)
        return OwnSection(title, reason=f"There is no such section: {text.clean(section.reason)}")
    frame = pd.DataFrame(section.rows, columns=range(len(section.columns)))
    titles = dict(enumerate(map(text.clean, section.columns)))
    table = frame_table(text.clean(section.caption), frame, titles)
    return OwnSection(
        text.clean(section.title), table, _data_url(section.svg), text.clean(section.caption)
    )


def _data_url(svg: str) -> str:
    """Return a picture as a data URL: an SVG in an ``<img>`` can neither run nor load anything."""
    if not svg:
        return ""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
