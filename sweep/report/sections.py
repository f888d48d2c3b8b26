"""Which sections a report has, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.spec.sections import REPORT_SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.records import StudyRecord

TITLES = {"fit": "Best candidate"}
"""Where the navigation says more than the section's name."""

NEEDS = {
    "pivots": ("heat_maps",),
    "parameters": ("slices", "parallel"),
    "importances": ("influence",),
    "curves": ("curves",),
    "fit": ("fit",),
    "pictures": ("albums",),
    "search": ("others", "beyond", "cut"),
    "model": ("layers", "confusion"),
    "failures": ("failures",),
    "limits": ("past_limits",),
}
"""Entries of the template's context, of which a section needs one; the rest are always there."""


def contents(record: StudyRecord, context: Mapping[str, Any]) -> dict[str, str]:
    """Return the sections of a report with their titles, those that the study file chooses."""
    asked = record.spec.get("report", {}).get("sections", [])
    chosen = [name for name in REPORT_SECTIONS if name in asked] or REPORT_SECTIONS
    return {name: TITLES.get(name, name.capitalize()) for name in chosen if _filled(name, context)}


def _filled(name: str, context: Mapping[str, Any]) -> bool:
    return name not in NEEDS or any(context[entry] for entry in NEEDS[name])
