"""The leaderboard: who leads, by how much, at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sweep.cli.nested_text import nested_lines
from sweep.cli.text import clean, counted, moment, score, setting, settings, times
from sweep.ledger.counts import ENDED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table
    from rich.text import Text

    from sweep.ledger.records import Candidate, StudyRecord

TOP = 10
BAR = 10
COPIED = "copied"
"""In place of the time of a fit that was not made."""
WIDE = 72
"""Columns of the terminal from which the bar is drawn."""


@dataclass(frozen=True)
class Line:
    """One line of the leaderboard; scores in the scorer's unit, seconds of fitting a split."""

    rank: int
    score: float
    std: float | None
    seconds: float
    candidate: Candidate


def leaders(record: StudyRecord, top: int = TOP) -> list[Line]:
    """Return the best complete candidates, best first; ties share the smaller rank."""
    import numpy as np

    from sweep import analysis

    lines: list[Line] = []
    for place, candidate in enumerate(analysis.ranked(record)[:top], start=1):
        scores = analysis.fit_scores(candidate)
        mean = float(np.mean(scores))
        std = float(np.std(scores)) if len(scores) > 1 else None
        tied = lines and lines[-1].score == mean
        rank = lines[-1].rank if tied else place
        lines.append(Line(rank, mean, std, analysis.fit_seconds(candidate), candidate))
    return lines


def leaderboard(record: StudyRecord, width: int, top: int = TOP) -> Table:
    """Draw the leaderboard into ``width`` columns.

    Parameters stand in a column each where that fits, else together in one.
    """
    lines = leaders(record, top)
    names = list(dict.fromkeys(name for line in lines for name in line.candidate.params))
    order = [name for name in record.spec.get("space", {}) if name in names]
    order += [name for name in names if name not in order]
    bars = _bars(lines) if width >= WIDE and len(lines) > 1 else None
    spread = _table(lines, bars, order)
    return spread if natural_width(spread) <= width else _table(lines, bars, None)


def _table(lines: Sequence[Line], bars: Sequence[Text] | None, names: list[str] | None) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("score", no_wrap=True)
    if bars:
        table.add_column("", no_wrap=True)
    for name in names if names is not None else []:
        table.add_column(_text(clean(name)), no_wrap=True, justify="right")
    if names is None:
        table.add_column("parameters", overflow="fold")
    table.add_column("fit time", justify="right", no_wrap=True)
    for place, line in enumerate(lines):
        table.add_row(*_cells(line, bars[place] if bars else None, names), style=_style(line))
    return table


def _cells(line: Line, bar: Text | None, names: list[str] | None) -> list[Any]:
    params = line.candidate.params
    held = [settings(params, " ")]
    if names is not None:
        held = [setting(params[name]) if name in params else "-" for name in names]
    spread = "" if line.std is None else f" ± {line.std:.4f}"
    cells: list[Any] = [str(line.rank), _text(score(line.score) + spread)]
    cells += [bar] if bar is not None else []
    return [*cells, *map(_text, held), COPIED if _is_copy(line) else f"{line.seconds:.1f} s"]


def _is_copy(line: Line) -> bool:
    return line.candidate.trial.copied_from is not None


def _style(line: Line) -> str:
    return "bold green" if line.rank == 1 else ""


def _text(text: str) -> Text:
    from rich.text import Text

    return Text(text)


def _bars(lines: Sequence[Line]) -> list[Text]:
    """Draw each score between the lowest and the highest that are shown."""
    from rich.text import Text

    low, high = min(line.score for line in lines), max(line.score for line in lines)
    spans = [(line.score - low) / (high - low) if high > low else 1.0 for line in lines]
    lengths = [1 + round((BAR - 1) * span) for span in spans]
    return [Text("━" * n + " " * (BAR - n), style="cyan") for n in lengths]


def natural_width(table: Table) -> int:
    """Return the columns that a table takes where nothing is cut."""
    from rich.console import Console
    from rich.measure import Measurement

    wide = Console(width=10_000)
    return Measurement.get(wide, wide.options, table).maximum


def headline(record: StudyRecord) -> str:
    """Return a study's name, method, state and counts on one line."""
    tally = record.tally
    counts = {w: tally.cells.get(state, 0) for state, w in ENDED.items() if state != "COMPLETE"}
    counts["copied"] = tally.copied
    notes = [f"{number} {word}" for word, number in counts.items() if number]
    done = f"{record.done} of {counted(record.planned, 'cell')} done"
    method = record.spec.get("search", {}).get("method", "?")
    return ", ".join([f"{clean(record.name)}: {method}, {record.standing}", done, *notes])


def test_line(record: StudyRecord) -> str:
    """Return what the test set said, or why it is still closed."""
    won, opened = record.winner, times(record.test_openings)
    if won is not None:
        return (
            f"test score {score(won.test_score)} on {won.test_rows:,} rows{_of_another(record)} "
            f"(opened {opened}, {moment(won.test_opened_at)})"
        )
    if record.openings:
        return f"the test set was opened {opened}, and no winner is recorded"
    if not record.spec.get("search", {}).get("refit", True):
        return "the test set is still closed (refit = false)"
    if record.status == "finished" and record.tally.rows.get("COMPLETE"):
        return "the test set is still closed (`sweep run` refits the winner, or a worker)"
    return "the test set is still closed (the study has not ended)"


def _of_another(record: StudyRecord) -> str:
    """Say whose test score it is where the refitted winner is not the best of the board."""
    from sweep.analysis import best, is_current

    first = best(record)
    if record.winner is None or (first is not None and is_current(record, first)):
        return ""
    return f", of {settings(record.winner.params)}"


STRICT = {
    "PRUNED": ("pruner", "split_pruner", "max_parameters"),
    "INFEASIBLE": ("max_parameters", "max_fit_seconds"),
}
"""Settings that may have been too strict, by the state in which candidates end."""


def none_complete(record: StudyRecord) -> str:
    """Say that no candidate is complete, and in a study that has ended how all of them ended."""
    rows = record.tally.rows
    if record.status != "finished" or not rows:
        return "no candidate is complete yet"
    ended = [state for state in ENDED if rows.get(state)]
    said = ", ".join(f"{rows[state]} {ENDED[state]}" for state in ended)
    search = record.spec.get("search", {})
    names = dict.fromkeys(name for state in ended for name in STRICT.get(state, ()))
    strict = " and ".join(f"search.{name}" for name in names if search.get(name))
    remedy = f"; loosen {strict}, under another --name" if strict else ""
    return f"no candidate has come through: {said}{remedy}"


def board_parts(record: StudyRecord, width: int, top: int = TOP) -> list[Any]:
    """Return leaderboard, nested estimate and test score, ready to print."""
    from sweep.analysis import mixture, unrepeatable
    from sweep.analysis.nested import plain_nested

    lines = leaders(record, top)
    if not lines:
        return [_text(none_complete(record))]
    more = record.tally.rows.get("COMPLETE", 0) - top
    note = [_text(f"... and {more} more")] if more > 0 else []
    if any(map(_is_copy, lines)):
        note.append(_text(f"{COPIED}: the result of an equal trial, not measured again"))
    mixed = list(filter(None, [mixture(record), clean(unrepeatable(record))]))
    rest = [*nested_lines(plain_nested(record)), *mixed, test_line(record)]
    return [leaderboard(record, width, top), *note, _text(""), *map(_text, rest)]


def beyond_lines(record: StudyRecord) -> list[str]:
    """Say how many cells were evaluated beyond the end of the search; nothing where none was."""
    if not record.beyond:
        return []
    cells = counted(len(record.beyond), "cell")
    return [f"{cells} evaluated beyond the end of the search: not counted, kept for more patience"]


def failure_lines(record: StudyRecord) -> list[str]:
    """Return each reason of a failure with how often it was met, most frequent first."""
    from collections import Counter

    reasons: Counter[str] = Counter()
    for reason, count in record.tally.reasons.items():
        reasons[clean(reason)] += count
    return [f"{count} failed: {reason}" for reason, count in reasons.most_common()]
