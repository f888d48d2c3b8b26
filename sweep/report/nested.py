"""The estimate of a nested cross-validation, and its outer folds as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sweep.analysis.nested import (
    LOST,
    inner_score,
    is_current,
    nested_interval,
    nested_score,
    no_nested_interval,
    other_scores,
)
from sweep.ledger.scores import several_scorers
from sweep.report import text
from sweep.report.blocks import Table, table
from sweep.tables import parameter_names

if TYPE_CHECKING:
    from sweep.ledger.outcomes import NestedRecord
    from sweep.ledger.records import StudyRecord


def nested_words(record: StudyRecord) -> tuple[str, str, str] | None:
    """Return the estimate, its interval and what it is; None where there is none."""
    nested, found = record.nested, nested_interval(record)
    if nested is None:
        return None
    ends, method = no_nested_interval(record), f"{len(nested.folds)} outer folds"
    if found is not None:
        ends = f"{text.score(found.low)} to {text.score(found.high)}"
        method = f"{found.level:.0%} interval, {found.method}"
    note = (
        f"{method}; the whole search is repeated in each outer "
        f"fold, its choice refitted and scored on rows that it has not seen. {_inner_note(nested)}"
    )
    note += text.other_scores(other_scores(nested))
    grown = "" if is_current(record) else ". The study has grown since: run it again"
    return text.score(nested_score(nested)), ends, note + grown


def _inner_note(nested: NestedRecord) -> str:
    inner = inner_score(nested)
    if inner is None:
        return f"The scores it chose by are not known: {LOST}"
    gap = inner - nested_score(nested)
    return f"The scores it chose by were {abs(gap):.4f} {'above' if gap >= 0 else 'below'} that"


def nested_table(record: StudyRecord) -> Table | None:
    """Return what was chosen in each outer fold."""
    if record.nested is None:
        return None
    names, others = parameter_names(record), several_scorers(record)[1:]
    around = ("inner score", "outer score", *(f"outer {text.clean(n)}" for n in others), "rows")
    titles = [(title, True) for title in ("outer fold", *map(text.clean, names), *around)]
    rows = [
        (
            str(number),
            *(text.cell(fold.params, n) for n in names),
            text.score(fold.inner_score),
            text.score(fold.score),
            *(text.score(fold.other_scores.get(n)) for n in others),
            text.whole(fold.test_rows),
        )
        for number, fold in enumerate(record.nested.folds, start=1)
    ]
    caption = (
        "What the search chose in each outer fold: the mean score that it chose by (inner), and "
        "the score on the fold's own held-out rows (outer). Choices that differ say that the data "
        "do not settle them."
    )
    return table(caption, titles, rows)
