"""Read a large study's best candidates fully; let the database count the others."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.counts import StudyCounts
from sweep.ledger.overview import is_exact
from sweep.ledger.reading import read_study, record_of, study_spec
from sweep.ledger.summary import Sums, reasons, sums
from sweep.spec.pruning import BY_RUNGS
from sweep.storage.attributes import NESTED, RACE
from sweep.storage.damaged_rows import UNREADABLE
from sweep.storage.stored_trials import read_stored

if TYPE_CHECKING:
    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.spec import StudySpec

FEW = 2000
"""A study with at most so many trials is read whole, with the digest of each trial checked."""


def read_top_candidates(ledger: Ledger, name: str, top: int) -> StudyRecord:
    """Read the best candidates of a large study, and count the others.

    Of the others only what the database can compare is checked: value, state, cell and digest.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    name : str
        The study's name.
    top : int
        How many candidates to read.

    Returns
    -------
    StudyRecord
        With at least the trials of the best ``top`` candidates, and ``counted``. The whole study
        where the counts would not be exact, or where a trial was changed.

    Raises
    ------
    LedgerError
        If there is no such study or it cannot be read.
    """
    record = None
    with suppress(LedgerError, *UNREADABLE):  # read_study raises the error, if there is one
        record = _top_candidates(ledger, name, top)
    return record or read_study(ledger, name)


def _top_candidates(ledger: Ledger, name: str, top: int) -> StudyRecord | None:
    if ledger.counts(name).total() <= FEW:
        return None
    header = ledger.header(name)
    study_id, spec = ledger.study_id(name), study_spec(name, header)
    with ledger.translated():
        attributes = ledger.storage.get_study_user_attrs(study_id)
    if {NESTED, RACE} & set(attributes) or not _is_plain(spec):
        return None
    counts = sums(ledger, study_id, count=top).get(study_id, Sums())
    # such cells of a grid may have been given more epochs, and then two trials share their rows
    shared = counts.repeated or counts.cells["FAIL"]
    if not is_exact(ledger, header, counts) or (spec.search.method_row.is_grid and shared):
        return None
    with ledger.translated():
        trials = read_stored(ledger.storage, study_id, only=counts.leaders)
    record = record_of(ledger, name, header, trials, _study_counts(ledger, study_id, counts))
    changed = any(trial.state != "COMPLETE" for trial in record.trials)
    return None if changed or record.damage else record


def _is_plain(spec: StudySpec) -> bool:
    """Return whether no trial continues another one, and all fits use the same precision."""
    pruner = spec.search.pruner
    by_rungs = pruner is not None and pruner.name in BY_RUNGS
    return not by_rungs and "precision" not in spec.space.dimensions


def _study_counts(ledger: Ledger, study_id: int, counts: Sums) -> StudyCounts:
    failed = reasons(ledger, study_id) if counts.cells["FAIL"] else {}
    return StudyCounts(
        done=counts.cells.total(),
        states=set(counts.trials),
        rows=counts.rows,
        cells=counts.cells,
        copied=counts.copied,
        reasons=failed,
    )
