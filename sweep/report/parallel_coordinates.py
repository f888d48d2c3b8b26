"""Parallel coordinates as a drawing that answers to pointer and keyboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.figures.canvas import shorten
from sweep.figures.parallel import MOST, axis_ends, parallel_frame
from sweep.report import text
from sweep.report.answer import scoring
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
    """One parameter: where its axis stands, its name, what is at its foot and head."""

    x: int
    name: str
    foot: str
    head: str


@dataclass(frozen=True)
class Line:
    """One candidate: its path, its shade 0 (best) to 3, what it is in words."""

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
    space = record.spec.get("space", {})
    log_axes = [n for n, e in space.items() if isinstance(e, dict) and e.get("log")]
    placed = parallel_frame(frame, log_axes)
    columns = [column for column in placed.columns if column.startswith(PREFIX)]
    if len(columns) < 2 or len(placed) < 2:
        return None
    held = frame.set_index("candidate").loc[list(placed["candidate"])]
    spots = [*columns, "place"]
    step = (WIDTH - 2 * SIDE) / (len(spots) - 1)
    xs = [round(SIDE + i * step) for i in range(len(spots))]
    ends = [axis_ends(list(held[column])) for column in columns]
    scores = (text.score(placed["score"].min()), text.score(placed["score"].max()))
    titles = [*(column.removeprefix(PREFIX) for column in columns), scoring(record)]
    room = max(5, int(step / CHARACTER))
    axes = [
        Axis(x, *(shorten(said, room) for said in (name, foot, head)))
        for x, name, (foot, head) in zip(xs, titles, [*ends, scores], strict=True)
    ]
    lines = [_line(row, spots, xs, len(placed)) for row in placed.to_dict("records")]
    more = "" if len(placed) < MOST else f" The best {MOST} are drawn."
    note = (
        f"Each line is a complete candidate (n = {len(placed):,}); the stronger, the better. Point "
        f"at one, or choose it in the leaderboard, and it stands out.{more}"
    )
    return Parallel(WIDTH, HEIGHT, TOP, tuple(axes), tuple(lines[::-1]), note)


def _line(row: dict[Any, Any], spots: list[str], xs: list[int], count: int) -> Line:
    deep = HEIGHT - TOP - 30
    points = [
        f"{x} {TOP + round((1 - row[name]) * deep)}"
        for x, name in zip(xs, spots, strict=True)
        if row[name] == row[name]
    ]
    shade = min(SHADES - 1, int(SHADES * (row["rank"] - 1) / count))
    words = f"candidate {row['candidate']}: {text.score(row['score'])}"
    return Line(int(row["candidate"]), "M" + "L".join(points), shade, words)
