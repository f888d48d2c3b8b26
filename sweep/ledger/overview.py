"""The studies of a ledger in a few numbers each, counted by the database.

Reading a study whole costs milliseconds a trial; here the trials of all studies are one query.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from sweep.ledger.checksums import has_digests, is_whole
from sweep.ledger.counts import status_of
from sweep.ledger.summary import Sums, sums
from sweep.storage.attributes import BY_DRAW, STUDY, WINNER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.studies import Studies

BY_READING = ("max_fit_seconds", "objectives")
"""Settings of a search whose best only its trials' whole results tell."""


@dataclass(frozen=True)
class StudyOverview:
    """A study in a few numbers.

    Attributes
    ----------
    name, method, status : str
        ``status`` as :attr:`sweep.ledger.records.StudyRecord.status`.
    done, planned, failed : int
        Cells.
    best : float or None
        The highest mean held-out score.
    created : str
        ISO time.
    test_opened : bool
        Whether a refitted winner met the test set.
    owner : str
        Who made the study: ``user@host``; empty where an older version did not say.
    hosts : tuple of str
        Machines that work on it now, each as often as cells are in hand there.
    last_sign : float or None
        Seconds since the last sign of life of its workers.
    """

    name: str
    method: str
    status: str
    done: int
    planned: int
    failed: int
    best: float | None
    created: str
    test_opened: bool
    owner: str = ""
    hosts: tuple[str, ...] = ()
    last_sign: float | None = None


def study_overviews(ledger: Studies) -> tuple[list[StudyOverview], list[str]]:
    """Return the studies that the database can outline, oldest first, and the names of the others.

    Read the others whole: they limit fit seconds, have several objectives, may have lost patience,
    or hold trials that differ from their summaries or have none.

    Raises
    ------
    LedgerError
        If the ledger cannot be read.
    """
    with ledger.translated():
        studies = ledger.storage.get_all_studies()
    headers = ((s, s.user_attrs.get(STUDY)) for s in studies)
    ours = [s for s, head in headers if isinstance(head, dict) and "part" not in head]
    counted = sums(ledger) if ours else {}
    found, others = [], []
    for study in ours:
        told = counted.get(study._study_id, Sums())
        if is_told(ledger, study.user_attrs[STUDY], told):
            found.append(_outline(study.study_name, study.user_attrs, told))
        else:
            others.append(study.study_name)
    return found, others


def is_told(ledger: Studies, header: Mapping[str, Any], told: Sums) -> bool:
    """Return whether what the database counts is what reading the study whole would say."""
    search = header["spec"]["search"]
    if told.doubtful or any(search.get(name) not in (None, ["score"]) for name in BY_READING):
        return False
    ended = sum(told.ended.values())
    if header.get(BY_DRAW):
        ending = ended >= (search.get("patience") or inf)
    else:
        busy = {"WAITING", "RUNNING"} & set(told.held)
        ending = search.get("patience") and not busy and ended < header["planned"]
    if ending:
        return False  # where the search is at its end, the order of its trials tells
    if told.best_trial is None:
        return True
    with ledger.translated():
        best = ledger.storage.get_trial(told.best_trial)
    return is_whole(best, strict=has_digests(header))


def _outline(name: str, attributes: Mapping[str, Any], told: Sums) -> StudyOverview:
    header = attributes[STUDY]
    done = sum(told.ended.values())
    return StudyOverview(
        name=name,
        method=header["spec"]["search"]["method"],
        status=status_of(tuple(told.held), done, header["planned"]),
        done=done,
        planned=header["planned"],
        failed=told.ended["FAIL"],
        best=told.best,
        created=header["created"],
        test_opened=WINNER in attributes,
        owner=str(header.get("owner", "")),
    )
