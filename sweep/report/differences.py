"""The picture of the answer: how far the others are behind the best, with intervals."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from sweep import figures
from sweep.analysis.settling import is_current
from sweep.report import text
from sweep.report.blocks import Plot
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sweep.analysis import Comparison
    from sweep.figures.differences import Difference
    from sweep.ledger.records import Candidate, StudyRecord

SHOWN = 12
READ = (
    "A dot is what was measured, its line what the true difference may be. A line that reaches 0 "
    "or beyond it to the left: this one may be as good as the best, or better."
)


def rivals_picture(
    record: StudyRecord, compared: Comparison, shown: Sequence[Candidate]
) -> Plot | None:
    """Return the picture of candidates that cannot be told from the best."""
    names = parameter_names(record)
    rows = [
        (_name(each.params, names), *compared.behind(each))
        for each in shown
        if each is not compared.best
    ]
    return _plot(rows)


def settled_picture(record: StudyRecord) -> Plot | None:
    """Return the picture of what further repeats have told, with the margin as a band."""
    held = record.race
    if held is None or not is_current(record):
        return None
    names = parameter_names(record)
    rows = [
        (_name(each.params, names), each.low, each.behind, each.high)
        for each in held.runners[:SHOWN]
        if each.behind and isfinite(each.behind)  # neither the best nor one that is lost
    ]
    return _plot(rows, held.margin)


def _plot(rows: Sequence[Difference], margin: float | None = None) -> Plot | None:
    if not rows:
        return None
    band = "" if margin is None else f" The band: differences within the margin of {margin:g}."
    words = "; ".join(f"{name}: {text.score(behind)}" for name, _, behind, _ in rows)
    svg = figures.to_svg(figures.draw_differences(rows, margin), "d-", "Behind the best", words)
    return Plot("differences", "Behind the best", svg, f"{READ}{band}", None)


def _name(params: Mapping[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in text.settings(params, names))
