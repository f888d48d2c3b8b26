"""Every opening of the test set, if there was more than one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.ledger.scores import candidate_with, several_scorers
from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.support.text import times
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.outcomes import Opening
    from sweep.ledger.records import StudyRecord


def openings(record: StudyRecord) -> Table | None:
    """Return the openings of the test set; None for a single one, which its score mentions."""
    count, names = record.test_openings, parameter_names(record)
    if count < 2:
        return None
    missing = count - len(record.openings)
    lost = f" (the ledger lists the last {len(record.openings)})" if missing else ""
    caption = (
        f"The test set was opened {times(count)}{lost}, each time for another choice: the "
        "more often, the less its highest score says."
    )
    others = several_scorers(record)[1:]
    told = ("test", *(f"test {name}" for name in others))
    titles = [(title, True) for title in ("candidate", *map(text.clean, (*names, *told)))]
    rows = [_row(record, each, names, others) for each in record.openings]
    return table(caption, [("opened", False), *titles], rows)


def _row(
    record: StudyRecord, opening: Opening, names: list[str], others: Sequence[str]
) -> tuple[str, ...]:
    params, now = opening.params, candidate_with(record.candidates, opening.params)
    values = [text.cell(params, n) for n in names]
    scores = (opening.score, *(opening.other_scores.get(name) for name in others))
    index = str(now.index) if now else text.NOTHING
    return (text.moment(opening.opened_at), index, *values, *map(text.score, scores))
