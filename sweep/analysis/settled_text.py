"""What further repeats have settled, as a sentence and as JSON."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from sweep.analysis.settling import is_current
from sweep.support.text import counted

if TYPE_CHECKING:
    from sweep.ledger.outcomes import RaceRecord
    from sweep.ledger.records import StudyRecord

WHY = {
    "in vain": "more repeats of these rows would hardly tell more, further rows would",
    "last": "there are no more repeats than these",
    "time": "there was no time for another repeat",
}


def settled(record: StudyRecord) -> str:
    """Return what further repeats have told; empty where there were none.

    Parameters
    ----------
    record : StudyRecord
        The study.
    """
    held = record.race
    if held is None:
        return ""
    if not is_current(record):
        return "The study has grown since it was settled: `sweep settle` goes on with it"
    left = sum(each.standing in ("as good", "open") for each in held.runners)
    who = counted(left, "configuration")
    level = f"{held.level:.0%}, all repeats and candidates together"
    if held.end != "settled":
        return f"Not settled {_after(held)}, {who} left: {WHY[held.end]}"
    if left == 1:
        lower = "every other candidate scores lower by more than chance explains"
        return f"Settled {_after(held)}: {lower} ({level})"
    return (
        f"Settled {_after(held)}: {who} are as good as the best within {held.margin:g} ({level}); "
        "the cheapest of them is taken"
    )


def plain_settled(record: StudyRecord) -> dict[str, Any] | None:
    """Return what further repeats have settled as JSON-able values, None where there were none.

    Returns
    -------
    dict or None
        ``text`` (:func:`settled`), ``current`` (False where the study has grown since), ``end``,
        ``margin``, ``level``, ``repeats``, ``candidates``, and ``runners``: a list of
        ``params``, ``standing``, ``splits``, ``mean``, ``behind``, ``low``, ``high``; the last two
        None where nothing bounds them.
    """
    held = record.race
    if held is None:
        return None
    names = ("end", "margin", "level", "repeats", "candidates")
    return {
        "text": settled(record),
        "current": is_current(record),
        **{name: getattr(held, name) for name in names},
        "runners": [
            {
                "params": dict(each.params), "standing": each.standing, "splits": each.splits,
                "mean": each.mean, "behind": each.behind,
                "low": each.low if isfinite(each.low) else None,
                "high": each.high if isfinite(each.high) else None,
            }
            for each in held.runners
        ],
    }  # fmt: skip


def _after(held: RaceRecord) -> str:
    if not held.repeats:
        return "without a further repeat"
    return f"after {counted(held.repeats, 'further repeat')}"
