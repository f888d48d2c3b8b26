"""Work along on the studies of a ledger: what ``sweep worker`` does on any machine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from sweep.analysis.overview import all_overviews
from sweep.errors import DataChangedError
from sweep.ledger.imported import check_own
from sweep.ledger.ledger import Ledger
from sweep.ledger.queue_rows import QueueRow, queue_rows
from sweep.ledger.reading import study_spec
from sweep.storage.locations import GRACE_SECONDS, storage_url
from sweep.study.queue import in_order
from sweep.study.run import run_study

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sweep.ledger.overview import StudyOverview
    from sweep.ledger.records import StudyRecord
    from sweep.study.result import StudyResult

REST_SECONDS = 60.0


def join_study(name: str, storage: str | None = None, **options: Any) -> StudyResult:
    """Take cells of a study that is in the ledger, until none waits.

    The study file is read from the ledger. The data are loaded here, by their name or path, and
    must have the fingerprint that the study began with; modules that the study names must be
    allowed here.

    Parameters
    ----------
    name : str
        The study.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    **options
        ``n_jobs``, ``data_home``, ``allow``, ``watcher``, ``forkserver``, ``gpus`` of
        :func:`sweep.run_study`.

    Returns
    -------
    StudyResult
        As it stands when this machine leaves.

    Raises
    ------
    StudyNotFoundError
        If there is no such study.
    StudyChangedError
        If the data here are others.
    SweepError
        As :func:`sweep.run_study`.
    """
    url = storage_url(storage)
    with closing(Ledger(url, create=False)) as ledger:
        header = ledger.header(name)
        check_own(name, header, "continued")
        spec = study_spec(name, header)
    try:
        return run_study(spec, storage=url, helping=True, **options)
    except DataChangedError as error:
        raise DataChangedError(
            error.difference,
            "give this machine the same data: in the folder that SWEEP_DATA_HOME names, or where "
            "the study file says",
        ) from error


def rest_of(record: StudyRecord) -> float:
    """Return for how many seconds a machine leaves a study to others that it could not end.

    Parameters
    ----------
    record : StudyRecord
        The study as it was when this machine left it. Others may be at its last cells; one whose
        time is up here may still have some elsewhere.
    """
    return max(REST_SECONDS, record.settings.search.timeout or 0.0)


def open_studies(storage: str | None = None) -> list[str]:
    """Return the names of the studies that have cells to take, a winner to refit or outer folds.

    In the order of :mod:`sweep.study.queue`. Studies that somebody has stopped are left out.
    """
    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        return [row.name for row in in_order(open_rows(ledger))]


def open_rows(
    ledger: Ledger,
    overviews: Sequence[StudyOverview] | None = None,
    here: Collection[str] = (),
) -> list[QueueRow]:
    """Return the studies that have cells to take, a winner to refit or outer folds, oldest first.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    overviews : sequence of StudyOverview, optional
        What is known of them; read, where it is not given.
    here : collection of str
        Studies that this machine's workers are at: they stay until the last cell has ended, for
        the refit.
    """
    rows = {row.name: row for row in queue_rows(ledger)}
    return [
        rows[each.name]
        for each in (all_overviews(ledger) if overviews is None else overviews)
        if each.name in rows and each.status != "damaged" and each.left
        if each.name in here or _is_open(ledger, rows[each.name])
    ]


def _is_open(ledger: Ledger, row: QueueRow) -> bool:
    """Return whether there is work that nobody does; where the last cells run, it is theirs.

    Whoever runs them may have died: then nothing is heard of them for a while.
    """
    return row.waiting > 0 or row.running == 0 or _is_silent(ledger, row.name)


def _is_silent(ledger: Ledger, name: str) -> bool:
    lives = ledger.signs_of_life()
    parts = [lives[each] for each in (name, *ledger.parts(name)) if each in lives]
    last = min((life.last for life in parts if life.last is not None), default=GRACE_SECONDS)
    return last >= GRACE_SECONDS
