"""What a notebook shows of a study: its best candidates, their curves, pivots."""

from __future__ import annotations

import hashlib
import html
import re
from typing import TYPE_CHECKING

from sweep import figures
from sweep.analysis import scorer
from sweep.report.curve_data import curve_folds
from sweep.report.curves import learning_curves
from sweep.report.pivots import heat_maps
from sweep.support.notebook import COLOURS
from sweep.tables import candidates_frame, distinct

if TYPE_CHECKING:
    from sweep.ledger.records import StudyRecord
    from sweep.report.blocks import Heat, HeatMap, Plot

BEST = 10
PART = r'(\bid="|href="#|url\(#|describedby=")([a-z]\d*-)'
"""Where an SVG names a part of itself."""
CELL = "text-align: right; padding: 4px 8px; background: {shade}; {ring}"
NARROW = '<div style="width: 26rem; display: inline-block; vertical-align: top; margin: 8px">'


def result_html(record: StudyRecord) -> str:
    """Return the ten best candidates, how they were found, their learning curves and pivots."""
    frame = candidates_frame(record)
    best = frame.sort_values("rank_test_score").head(BEST).to_html(index=False, escape=True)
    drawn = [_history(record), *map(_plot, learning_curves(record, *curve_folds(record)))]
    maps = map(_heat_map, heat_maps(record, distinct(frame)))
    parts = "".join(f"{NARROW}{each}</div>" for each in (*drawn, *maps) if each)
    table = f'<div style="overflow-x: auto">{best}</div>'
    return f'<div style="{COLOURS}">{table}{_own_names(parts, record)}</div>'


def _history(record: StudyRecord) -> str:
    data = figures.history_frame(record)
    if data["score"].notna().sum() == 0:
        return ""
    drawn = figures.draw_history(data, scorer(record))
    return f"<b>Best so far</b>{figures.to_svg(drawn, 'n-', 'Best so far', 'By trial.')}"


def _plot(plot: Plot) -> str:
    keys = "".join(
        f'<div><span style="color: {_colour(key.series)}">&#9632;</span> '
        f"{html.escape(key.label)}</div>"
        for key in plot.legend
    )
    return f"<b>{html.escape(plot.title)}</b>{plot.svg}{keys}<p>{html.escape(plot.note)}</p>"


def _colour(series: int) -> str:
    return f"var(--s{series})" if series else "var(--ghost)"


def _heat_map(held: HeatMap) -> str:
    head = "".join(f"<th>{html.escape(title)}</th>" for title in (held.corner, *held.columns))
    rows = "".join(
        f"<tr><th>{html.escape(title)}</th>{''.join(map(_cell, cells))}</tr>"
        for title, cells in held.rows
    )
    return (
        f"<b>{html.escape(held.title)}</b><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p>{html.escape(held.caption)}</p>"
    )


def _cell(cell: Heat) -> str:
    part = 0 if cell.shade is None else 6 * cell.shade + 6
    shade = f"color-mix(in srgb, var(--accent) {part}%, transparent)"
    ring = "outline: 2px solid var(--fg); outline-offset: -2px" if cell.ringed else ""
    notes = "".join(f"<br><small>{html.escape(note)}</small>" for note in cell.notes)
    return f'<td style="{CELL.format(shade=shade, ring=ring)}">{html.escape(cell.text)}{notes}</td>'


def _own_names(page: str, record: StudyRecord) -> str:
    """Return figures whose parts are named by their study: a notebook shows several."""
    own = hashlib.sha256(f"{record.uid}{record.name}{record.created}".encode()).hexdigest()[:8]
    return re.sub(PART, rf"\1x{own}-\2", page)
