"""What further repeats have settled, in words and as a picture of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.cli.text import score, settings
from sweep.support.text import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

SHOWN = 10
WIDTH = 41
"""Characters of a line of the picture."""


def settled_lines(settled: Mapping[str, Any] | None) -> list[str]:
    """Return what further repeats say; ``settled`` as ``plain_settled`` writes it."""
    if settled is None:
        return []
    runners = settled["runners"][:SHOWN]
    lines = [settled["text"]]
    if not settled["current"]:
        return lines
    ends = [abs(each[name] or 0) for each in runners for name in ("low", "behind", "high")]
    reach = max(*ends, 1.5 * settled["margin"])
    lines.append(
        f"behind the best, with intervals (left: better, right: worse; {BAND * 3} within the "
        f"margin of {settled['margin']:g}):"
    )
    lines += [_runner(each, settled["margin"], reach) for each in runners]
    more = len(settled["runners"]) - len(runners)
    return [*lines, f"  ... and {more} more"] if more > 0 else lines


BAND, POINT, LINE = "░", "●", "─"


def _runner(runner: Mapping[str, Any], margin: float, reach: float) -> str:
    place = f"{runner['standing']:<7}  {counted(runner['splits'], 'split')}"
    return (
        f"  {picture(runner, margin, reach)}  {score(runner['mean'])}  {place}: "
        f"{settings(runner['params'])}"
    )


def picture(runner: Mapping[str, Any], margin: float, reach: float) -> str:
    """Return the difference to the best with its interval, the margin as a band, as text."""

    def place(value: float) -> int:
        return round((value / reach + 1) / 2 * (WIDTH - 1))

    line = [BAND if place(-margin) <= at <= place(margin) else " " for at in range(WIDTH)]
    low = -reach if runner["low"] is None else runner["low"]
    high = reach if runner["high"] is None else runner["high"]
    for at in range(max(place(low), 0), min(place(high), WIDTH - 1) + 1):
        line[at] = LINE
    line[place(runner["behind"])] = POINT
    return "".join(line)
