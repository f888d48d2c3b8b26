"""A study's leaders read whole, everything else of it counted by the database."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.counts import StudyCounts
from sweep.ledger.overview import is_told
from sweep.ledger.reading import read_study, record_of, study_spec
from sweep.ledger.summary import Sums, reasons, sums
from sweep.spec.pruning import BY_RUNGS
from sweep.storage.attributes import NESTED
from sweep.storage.damaged_rows import UNREADABLE
from sweep.storage.trial_reader import read_trials

if TYPE_CHECKING:
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec

FEW = 2000
"""Trials up to which a study is read whole all the same, and each of them checked."""


def read_top_candidates(ledger: Ledger, name: str, top: int) -> StudyRecord:
    """Read the best candidates of a large study, and count the others.

    Of the others only what the database can compare is checked: value and state, cell and digest.

    Parameters
    ----------
    ledger : Ledger
        Where it is.
    name : str
        Its name.
    top : int
        How many candidates are wanted.

    Returns
    -------
    StudyRecord
        With the trials behind the best ``top`` candidates at least, and ``counted``; whole where
        the database cannot tell, or where something read is not what was recorded.

    Raises
    ------
    LedgerError
        If there is no such study or it cannot be read.
    """
    record = None
    with suppress(LedgerError, *UNREADABLE):  # reading it whole says what there is to say
        record = _leading(ledger, name, top)
    return record or read_study(ledger, name)


def _leading(ledger: Ledger, name: str, top: int) -> StudyRecord | None:
    if ledger.counts(name).total() <= FEW:
        return None
    header = ledger.header(name)
    study_id, spec = ledger.study_id(name), study_spec(name, header)
    with ledger.translated():
        nested = NESTED in ledger.storage.get_study_user_attrs(study_id)
    if nested or not _is_plain(spec):
        return None
    told = sums(ledger, study_id, count=top).get(study_id, Sums())
    answers = told.again or told.ended["FAIL"]  # of cells whose epochs may have been added to
    if not is_told(ledger, header, told) or (spec.search.method == "grid" and answers):
        return None
    with ledger.translated():
        trials = read_trials(ledger.storage, study_id, only=told.leaders)
    record = record_of(ledger, name, header, trials, _tally(ledger, study_id, told))
    changed = any(trial.state != "COMPLETE" for trial in record.trials)
    return None if changed or record.damage else record


def _is_plain(spec: StudySpec) -> bool:
    """Return whether no trial goes on from another one, and all are fitted in one arithmetic."""
    pruner = spec.search.pruner
    by_rungs = pruner is not None and pruner.name in BY_RUNGS
    return not by_rungs and "precision" not in spec.space.dimensions


def _tally(ledger: Ledger, study_id: int, told: Sums) -> StudyCounts:
    failed = reasons(ledger, study_id) if told.ended["FAIL"] else {}
    return StudyCounts(
        done=told.ended.total(),
        states=set(told.held),
        rows=told.rows,
        cells=told.ended,
        copied=told.copied,
        reasons=failed,
    )
