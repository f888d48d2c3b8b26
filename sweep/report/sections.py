"""Build the sections of a report.

The table of sections is :data:`sweep.spec.report_sections.PAGE_SECTIONS`. Section ``NAME`` is what
the function ``NAME`` of ``sweep/report/NAME.py`` returns: it takes a
:class:`~sweep.report.report_data.ReportData`, and returns nothing (``None`` or an empty list) where
there is nothing to show. A list of blocks (texts, :class:`~sweep.report.blocks.Table`,
:class:`~sweep.report.blocks.Plot`, :class:`~sweep.report.blocks.HeatMap`) needs no template; a
section with a layout of its own has the macro ``NAME`` in ``sections.html.j2``.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sweep.spec.report_sections import PAGE_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.report.report_data import ReportData
    from sweep.spec.report_sections import PageSection


@dataclass(frozen=True)
class BuiltSection:
    """A row of the table and what its builder returned; nothing for a section not shown."""

    name: str
    title: str
    heading: str
    at_end: bool
    content: Any


def build_sections(data: ReportData) -> list[BuiltSection]:
    """Build the sections that the study file chooses, by default all, in the order of the page."""
    wanted = data.record.settings.report.sections
    chosen = [each for each in PAGE_SECTIONS if each.name in wanted] or PAGE_SECTIONS
    return [
        BuiltSection(*each, content=builder(each)(data) if each in chosen else None)
        for each in PAGE_SECTIONS
    ]


def builder(section: PageSection) -> Callable[[ReportData], Any]:
    """Return the function that builds a section."""
    found: Callable[[ReportData], Any] = getattr(
        import_module(f"sweep.report.{section.name}"), section.name
    )
    return found
