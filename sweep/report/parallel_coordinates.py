"""Parallel coordinates as a drawing that answers to pointer and keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.figures.canvas import shorten
from sweep.figures.parallel import MOST, axis_ends, parallel_frame
from sweep.report import text
from sweep.report.answer import scoring
from sweep.spaces import Choices
from sweep.tables import PREFIX

if TYPE_CHECKING:
    import pandas as pd

    from sweep.ledger.records import StudyRecord

WIDTH, HEIGHT, TOP, SIDE = 920, 260, 34, 56
SHADES = 4
CHARACTER = 7.5
"""Pixels of a letter, about."""


@dataclass(frozen=True)
class Axis:
    """One parameter: the place of its axis, its name, the values at its foot and head."""

    x: int
    name: str
    foot: str
    head: str


@dataclass(frozen=True)
class Line:
    """One candidate: its path, its shade 0 (best) to 3, and its description."""

    candidate: int
    path: str
    shade: int
    words: str


@dataclass(frozen=True)
class Parallel:
    """The drawing: axes, lines worst first, and its note; its data are the leaderboard's."""

    width: int
    height: int
    top: int
    axes: tuple[Axis, ...]
    lines: tuple[Line, ...]
    note: str


def parallel(record: StudyRecord, frame: pd.DataFrame) -> Parallel | None:
    """Return the complete candidates as lines; None where fewer than two parameters vary."""
    space = record.settings.space.dimensions
    log_axes = [n for n, each in space.items() if not isinstance(each, Choices) and each.log]
    placed = parallel_frame(frame, log_axes)
    columns = [column for column in placed.columns if column.startswith(PREFIX)]
    if len(columns) < 2 or len(placed) < 2:
        return None
    values = frame.set_index("candidate").loc[list(placed["candidate"])]
    axes_of_lines = [*columns, "place"]
    step = (WIDTH - 2 * SIDE) / (len(axes_of_lines) - 1)
    xs = [round(SIDE + i * step) for i in range(len(axes_of_lines))]
    ends = [axis_ends(list(values[column])) for column in columns]
    scores = (text.score(placed["score"].min()), text.score(placed["score"].max()))
    titles = [*(column.removeprefix(PREFIX) for column in columns), scoring(record)]
    characters = max(5, int(step / CHARACTER))
    axes = [
        Axis(x, *(shorten(said, characters) for said in (name, foot, head)))
        for x, name, (foot, head) in zip(xs, titles, [*ends, scores], strict=True)
    ]
    lines = [_line(row, axes_of_lines, xs, len(placed)) for row in placed.to_dict("records")]
    more = "" if len(placed) < MOST else f" The best {MOST} are drawn."
    note = (
        f"Each line is a complete candidate (n = {len(placed):,}); the stronger, the better. Point "
        f"at one, or choose it in the leaderboard, and it stands out.{more}"
    )
    return Parallel(WIDTH, HEIGHT, TOP, tuple(axes), tuple(lines[::-1]), note)


def _line(row: dict[Any, Any], axes_of_lines: list[str], xs: list[int], count: int) -> Line:
    height = HEIGHT - TOP - 30
    points = [
        f"{x} {TOP + round((1 - row[name]) * height)}"
        for x, name in zip(xs, axes_of_lines, strict=True)
        if row[name] == row[name]
    ]
    shade = min(SHADES - 1, int(SHADES * (row["rank"] - 1) / count))
    words = f"candidate {row['candidate']}: {text.score(row['score'])}"
    return Line(int(row["candidate"]), "M" + "L".join(points), shade, words)
