"""All studies of a ledger in a few numbers each: counted where that is enough, else read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.analysis import nested
from sweep.analysis.choice import chosen, is_current
from sweep.analysis.ranking import best
from sweep.analysis.settling import unsettled
from sweep.errors import LedgerError, StudyNotFoundError
from sweep.ledger.overview import StudyOverview, study_overviews
from sweep.ledger.reading import read_study
from sweep.ledger.scores import mean_score
from sweep.storage.attributes import STUDY
from sweep.storage.damaged_rows import UNREADABLE
from sweep.storage.queries import Signs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord


def all_overviews(ledger: Ledger) -> list[StudyOverview]:
    """Return every study of a ledger in a few numbers, oldest first.

    Of a damaged ledger, those that can be read; the others with the status ``"damaged"``.
    """
    try:
        found, others = study_overviews(ledger)
    except (LedgerError, *UNREADABLE):
        held = ledger.attributes().items()
        found, others = [], [n for n, each in held if "part" not in each.get(STUDY, {})]
    found += [each for name in others if (each := _read(ledger, name))]
    return sorted(with_signs(ledger, found), key=lambda each: each.created)


def with_signs(ledger: Ledger, studies: Iterable[StudyOverview]) -> list[StudyOverview]:
    """Return studies with the signs of life that their workers give now."""
    lives = ledger.signs_of_life()
    return [_with_sign(each, lives.get(each.name, Signs())) for each in studies]


def _with_sign(study: StudyOverview, life: Signs) -> StudyOverview:
    return replace(study, hosts=life.hosts, last_sign=life.last)


def _read(ledger: Ledger, name: str) -> StudyOverview | None:
    try:
        return overview_of(read_study(ledger, name))
    except StudyNotFoundError:  # deleted in the meantime
        return None
    except LedgerError:
        return StudyOverview(name, "", "damaged", 0, 0, 0, None, "", test_opened=False)


def overview_of(record: StudyRecord) -> StudyOverview:
    """Return a study that was read whole in a few numbers."""
    found = best(record)
    failed = {c.trial.number for c in record.candidates if c.trial.state == "FAIL"}
    return StudyOverview(
        name=record.name,
        method=record.settings.search.method,
        status=record.status,
        done=record.done,
        planned=record.planned,
        failed=len(failed),
        best=mean_score(found) if found else None,
        created=record.created,
        test_opened=record.winner is not None,
        owner=record.owner,
        left=_left(record),
    )


def _left(record: StudyRecord) -> str:
    """Return what is left of a study, as :func:`sweep.ledger.remaining.remaining`."""
    search = record.settings.search
    if record.status != "finished":
        return "cells"
    if unsettled(record):
        return "repeats"
    if search.refit and (found := chosen(record)) and not is_current(record, found):
        return "refit"
    if nested.is_current(record) or record.no_nested == record.planned:
        return ""
    return "outer folds" if search.nested else ""
