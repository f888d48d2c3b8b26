"""All studies of a ledger in a few numbers each: counted where that is enough, else read."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.keys import STUDY
from sweep.ledger.lines import Signs
from sweep.ledger.outline import Outline, outlines
from sweep.ledger.reading import read_study
from sweep.ledger.salvage import UNREADABLE
from sweep.ledger.scores import mean_score
from sweep.selection.ranking import best

if TYPE_CHECKING:
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord


def all_outlines(ledger: Ledger) -> list[Outline]:
    """Return every study of a ledger in a few numbers, oldest first.

    Of a damaged ledger, those that can be read; the others with the status ``"damaged"``.
    """
    try:
        found, others = outlines(ledger)
    except (LedgerError, *UNREADABLE):
        held = ledger.attributes().items()
        found, others = [], [n for n, each in held if "part" not in each.get(STUDY, {})]
    found += [_read(ledger, name) for name in others]
    lives = ledger.lives()
    found = [_with_signs(each, lives.get(each.name, Signs())) for each in found]
    return sorted(found, key=lambda each: each.created)


def _with_signs(outline: Outline, life: Signs) -> Outline:
    return replace(outline, hosts=life.hosts, last_sign=life.last)


def _read(ledger: Ledger, name: str) -> Outline:
    try:
        return outlined(read_study(ledger, name))
    except LedgerError:
        return Outline(name, "", "damaged", 0, 0, 0, None, "", test_opened=False)


def outlined(record: StudyRecord) -> Outline:
    """Return a study that was read whole in a few numbers."""
    found = best(record)
    failed = {c.trial.number for c in record.candidates if c.trial.state == "FAIL"}
    return Outline(
        name=record.name,
        method=record.spec["search"]["method"],
        status=record.status,
        done=record.done,
        planned=record.planned,
        failed=len(failed),
        best=mean_score(found) if found else None,
        created=record.created,
        test_opened=record.winner is not None,
        owner=record.owner,
    )
