"""The leaderboard drawn: who leads, by how much, at what cost."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.cli.nested_text import nested_lines
from sweep.cli.text import clean, moment, other_scores, score, setting, settings
from sweep.ledger.counts import ENDED
from sweep.support.text import counted, times

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table
    from rich.text import Text

    from sweep.study.answers.outcome import Leader, Leaderboard, Outcome, WinnerTest
    from sweep.study.answers.status import StudyStatus

BAR = 10
COPIED = "copied"
"""In place of the time of a fit that was not made."""
WIDE = 72
"""Columns of the terminal from which the bar is drawn."""


def leaderboard(board: Leaderboard[Outcome], width: int) -> Table:
    """Draw the leaderboard into ``width`` columns.

    Parameters stand in a column each where that fits, else together in one.
    """
    leaders, order = board.leaders, board.parameters
    bars = _bars(leaders) if width >= WIDE and len(leaders) > 1 else None
    spread = _table(leaders, bars, order)
    return spread if natural_width(spread) <= width else _table(leaders, bars, None)


def _table(
    leaders: Sequence[Leader], bars: Sequence[Text] | None, names: Sequence[str] | None
) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    others = list(leaders[0].others) if leaders else []
    table.add_column("score", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    for name in others:
        table.add_column(_text(clean(name)), no_wrap=True, justify="right")
    for name in names if names is not None else []:
        table.add_column(_text(clean(name)), no_wrap=True, justify="right")
    if names is None:
        table.add_column("parameters", overflow="fold")
    table.add_column("fit time", justify="right", no_wrap=True)
    for place, leader in enumerate(leaders):
        table.add_row(*_cells(leader, bars[place] if bars else None, names), style=_style(leader))
    return table


def _cells(leader: Leader, bar: Text | None, names: Sequence[str] | None) -> list[Any]:
    params = leader.params
    held = [settings(params, " ")]
    if names is not None:
        held = [setting(params[name]) if name in params else "-" for name in names]
    spread = "" if leader.std is None else f" ± {leader.std:.4f}"
    cells: list[Any] = [str(leader.rank), _text(score(leader.score) + spread)]
    cells += [bar] if bar is not None else []
    cells += [_text(score(value)) for value in leader.others.values()]
    took = f"{leader.seconds:.1f} s" if isfinite(leader.seconds) else "-"
    return [*cells, *map(_text, held), COPIED if leader.copied else took]


def _style(leader: Leader) -> str:
    return "bold green" if leader.rank == 1 else ""


def _text(text: str) -> Text:
    from rich.text import Text

    return Text(text)


def _bars(leaders: Sequence[Leader]) -> list[Text]:
    """Draw each score between the lowest and the highest that are shown."""
    from rich.text import Text

    scores = [leader.score for leader in leaders]
    low, high = min(scores), max(scores)
    spans = [(each - low) / (high - low) if high > low else 1.0 for each in scores]
    lengths = [1 + round((BAR - 1) * span) for span in spans]
    return [Text("━" * n + " " * (BAR - n), style="cyan") for n in lengths]


def natural_width(table: Table) -> int:
    """Return the columns that a table takes where nothing is cut."""
    from rich.console import Console
    from rich.measure import Measurement

    wide = Console(width=10_000)
    return Measurement.get(wide, wide.options, table).maximum


def headline(study: StudyStatus) -> str:
    """Return a study's name, method, state and counts on one line."""
    counts = {w: study.cells.get(state, 0) for state, w in ENDED.items() if state != "COMPLETE"}
    counts["copied"] = study.copied
    notes = [f"{number} {word}" for word, number in counts.items() if number]
    done = f"{study.done} of {counted(study.planned, 'cell')} done"
    method = "?" if study.method is None else study.method
    return ", ".join([f"{clean(study.name)}: {method}, {study.standing}", done, *notes])


CLOSED = {
    "no refit": "refit = false",
    "not refitted": "`sweep run` refits the winner, or a worker",
    "not ended": "the study has not ended",
}
"""Why the test set is still closed."""


def test_line(found: WinnerTest) -> str:
    """Return what the test set said, or why it is still closed."""
    opened = times(found.openings)
    if found.closed == "imported":
        return "no test score: the study was imported"
    if found.score is not None:
        other = "" if found.other is None else f", of {settings(found.other)}"
        return (
            f"test score {score(found.score)} on {found.rows:,} rows{other} "
            f"(opened {opened}, {moment(found.opened_at)}){other_scores(found.others)}"
        )
    if found.closed:
        return f"the test set is still closed ({CLOSED[found.closed]})"
    return f"the test set was opened {opened}, and no winner is recorded"


def none_complete(study: Outcome) -> str:
    """Say that no candidate is complete, and in a study that has ended how all of them ended."""
    if study.status != "finished" or not study.rows:
        return "no candidate is complete yet"
    ended = [state for state in ENDED if study.rows.get(state)]
    said = ", ".join(f"{study.rows[state]} {ENDED[state]}" for state in ended)
    strict = " and ".join(f"search.{name}" for name in study.strict)
    remedy = f"; loosen {strict}, under another --name" if strict else ""
    return f"no candidate has come through: {said}{remedy}"


def board_parts(board: Leaderboard[Outcome], width: int) -> list[Any]:
    """Return leaderboard, nested estimate and test score, ready to print."""
    study = board.status
    if not board.leaders:
        return [_text(none_complete(study))]
    note = [_text(f"... and {board.more} more")] if board.more else []
    if any(leader.copied for leader in board.leaders):
        note.append(_text(f"{COPIED}: the result of an equal trial, not measured again"))
    rest = [*nested_lines(study.nested), *map(clean, study.cautions), test_line(study.winner_test)]
    return [leaderboard(board, width), *note, _text(""), *map(_text, rest)]


def beyond_lines(study: StudyStatus) -> list[str]:
    """Say how many cells were evaluated beyond the end of the search; nothing where none was."""
    if not study.beyond:
        return []
    cells = counted(study.beyond, "cell")
    return [f"{cells} evaluated beyond the end of the search: not counted, kept for more patience"]


def failure_lines(reasons: Mapping[str, int]) -> list[str]:
    """Return each reason of a failure with how often it was met, most frequent first.

    Parameters
    ----------
    reasons : mapping of str to int
        Failed cells by reason.
    """
    from collections import Counter

    counts: Counter[str] = Counter()
    for reason, count in reasons.items():
        counts[clean(reason)] += count
    return [f"{count} failed: {reason}" for reason, count in counts.most_common()]
