"""What further repeats have settled, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.settling import is_current
from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.support.text import difference
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.ledger.outcomes import Runner
    from sweep.ledger.records import StudyRecord

SHOWN = 12


def settled_table(record: StudyRecord) -> Table | None:
    """Return the candidates of the race; None where there was none, or the study has grown."""
    held = record.race
    if held is None or not is_current(record):
        return None
    names = parameter_names(record)
    around = ("standing", "mean of all splits", "splits", "behind the best")
    titles = [(title, True) for title in (*around, *map(text.clean, names))]
    few = f" The {SHOWN} highest are shown." if len(held.runners) > SHOWN else ""
    caption = (
        f"The cross-validation was repeated on other splits and under other seeds, up to "
        f"{held.repeats} times, each time for the undecided alone. As good: no other candidate is "
        f"better by more than {held.margin:g}. Worse: another one is, by more than chance "
        f"explains; {held.candidates - len(held.runners)} more were told so without a further "
        f"repeat. Both hold at {held.level:.0%} for all candidates and repeats together. "
        f"Behind the best: the difference on the splits that both have, and its interval.{few}"
    )
    return table(caption, titles, [_row(each, names) for each in held.runners[:SHOWN]])


def _row(runner: Runner, names: list[str]) -> tuple[str, ...]:
    behind = difference(runner.low, runner.behind, runner.high) if runner.behind else text.NOTHING
    score = text.score(runner.mean)
    params = [text.cell(runner.params, name) for name in names]
    return (runner.standing, score, str(runner.splits), behind, *params)
