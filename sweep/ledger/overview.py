"""An overview of each study of a ledger, counted by the database.

Reading a whole study costs milliseconds for each trial; here one query counts the trials of all
studies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from sweep.ledger.checksums import has_digests, is_whole
from sweep.ledger.counts import status_of
from sweep.ledger.remaining import remaining
from sweep.ledger.stored_spec import StoredSearch
from sweep.ledger.summary import Sums, sums
from sweep.storage.attributes import BY_DRAW, STUDY, WINNER
from sweep.storage.retries import retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sweep.ledger.studies import Studies

AT_ONCE = 100
"""Results that are held in memory to be checked."""


@dataclass(frozen=True, repr=False)
class StudyOverview:
    """The overview of a study.

    Attributes
    ----------
    name, method, status : str
        ``status`` as :attr:`sweep.ledger.records.StudyRecord.status`.
    done, planned, failed : int
        Numbers of cells.
    best : float or None
        The highest mean held-out score.
    created : str
        ISO time.
    test_opened : bool
        Whether a refitted winner was scored on the test set.
    owner : str
        Who created the study: ``user@host``; empty where an older version did not record it.
    left : str
        What is to be done before it is at its end; as :func:`sweep.ledger.remaining.remaining`.
    hosts : tuple of str
        Host names of the workers that evaluate cells of it now; one entry for each such cell.
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
    left: str = ""
    hosts: tuple[str, ...] = ()
    last_sign: float | None = None

    def __repr__(self) -> str:
        best = "" if self.best is None else f", best {self.best:.4f}"
        cells = f"{self.done} of {self.planned} cells"
        return f"<StudyOverview {self.name!r}: {self.status}, {cells}{best}>"


def study_overviews(ledger: Studies) -> tuple[list[StudyOverview], list[str]]:
    """Return overviews from the database's counts, and the names of the studies without one.

    The others must be read whole: they limit fit seconds, have several objectives, may have
    exhausted their patience, or have trials without a summary or with another one.

    Returns
    -------
    list of StudyOverview
        Oldest first.
    list of str
        Names of the others.

    Raises
    ------
    LedgerError
        If the ledger cannot be read.
    """
    with ledger.translated():
        studies = ledger.storage.get_all_studies()
    headers = ((s, s.user_attrs.get(STUDY)) for s in studies)
    ours = [s for s, head in headers if isinstance(head, dict) and "part" not in head]
    all_sums = sums(ledger) if ours else {}
    counted = [(study, all_sums.get(study._study_id, Sums())) for study in ours]
    whole = _whole(
        ledger,
        {
            counts.best_trial: has_digests(study.user_attrs[STUDY])
            for study, counts in counted
            if _is_counted(study.user_attrs[STUDY], counts)
        },
    )
    found, others = [], []
    for study, counts in counted:
        if _is_counted(study.user_attrs[STUDY], counts) and counts.best_trial in whole:
            found.append(_overview(study.study_name, study.user_attrs, counts))
        else:
            others.append(study.study_name)
    return found, others


def is_exact(ledger: Studies, header: Mapping[str, Any], counts: Sums) -> bool:
    """Return whether the database's counts equal those of a study that is read whole."""
    best = counts.best_trial
    return _is_counted(header, counts) and best in _whole(ledger, {best: has_digests(header)})


def _whole(ledger: Studies, strict: Mapping[int | None, bool]) -> set[int | None]:
    """Return which trials are unchanged since they were recorded; None, for no trial, among them.

    Parameters
    ----------
    ledger : Studies
        The ledger.
    strict : mapping of int to bool
        Whether each trial must have a digest, by its identifier.
    """
    from sweep.storage.trial_reader import read_trials

    ids = sorted(each for each in strict if each is not None)
    whole: set[int | None] = {None}
    for start in range(0, len(ids), AT_ONCE):
        read = partial(read_trials, ledger.storage, only=ids[start : start + AT_ONCE])
        with ledger.translated():
            trials = retry(read)
        whole |= {t._trial_id for t in trials if is_whole(t, strict=strict[t._trial_id])}
    return whole


def _is_counted(header: Mapping[str, Any], counts: Sums) -> bool:
    """Return whether the database can count a study, if its best trial is as it was recorded."""
    search = StoredSearch(header)
    # With these two settings, finding the best candidate needs the trials' full results.
    if counts.doubtful or search.max_fit_seconds is not None or len(search.objectives) > 1:
        return False
    ended = sum(counts.cells.values())
    if header.get(BY_DRAW):
        may_be_over = ended >= (search.patience or inf)
    else:
        busy = {"WAITING", "RUNNING"} & set(counts.trials)
        may_be_over = bool(search.patience) and not busy and ended < header["planned"]
    return not may_be_over  # whether patience ended it depends on the order of the trials


def _overview(name: str, attributes: Mapping[str, Any], counts: Sums) -> StudyOverview:
    header = attributes[STUDY]
    done = sum(counts.cells.values())
    status = status_of(tuple(counts.trials), done, header["planned"])
    complete = counts.trials["COMPLETE"]
    return StudyOverview(
        name=name,
        method=StoredSearch(header).method,
        status=status,
        done=done,
        planned=header["planned"],
        failed=counts.cells["FAIL"],
        best=counts.best,
        created=header["created"],
        test_opened=WINNER in attributes,
        owner=str(header.get("owner", "")),
        left=remaining(
            attributes, status=status, scored=counts.best is not None, complete=complete
        ),
    )
