"""Work along on the studies of a ledger: what ``sweep worker`` does on any machine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from sweep.analysis.overview import all_overviews
from sweep.errors import DataChangedError
from sweep.ledger.ledger import Ledger
from sweep.ledger.queue_rows import QueueRow, queue_rows
from sweep.ledger.reading import study_spec
from sweep.ledger.stored_spec import StoredSearch
from sweep.storage.locations import storage_url
from sweep.study.queue import in_order
from sweep.study.run import run_study

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.ledger.overview import StudyOverview
    from sweep.study.result import StudyResult


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
        spec = study_spec(name, ledger.header(name))
    try:
        return run_study(spec, storage=url, helping=True, **options)
    except DataChangedError as error:
        raise DataChangedError(
            error.difference,
            "give this machine the same data: in the folder that SWEEP_DATA_HOME names, or where "
            "the study file says",
        ) from error


def open_studies(storage: str | None = None) -> list[str]:
    """Return the names of the studies that have cells to take or a winner to refit.

    In the order of :mod:`sweep.study.queue`. Studies that somebody has stopped are left out.
    """
    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        return [row.name for row in in_order(open_rows(ledger))]


def open_rows(ledger: Ledger, overviews: Sequence[StudyOverview] | None = None) -> list[QueueRow]:
    """Return the studies that have cells to take or a winner to refit, oldest first.

    Parameters
    ----------
    ledger : Ledger
        Where the studies are.
    overviews : sequence of StudyOverview, optional
        What is known of them; read, where it is not given.
    """
    rows = {row.name: row for row in queue_rows(ledger)}
    return [
        rows[each.name]
        for each in (all_overviews(ledger) if overviews is None else overviews)
        if each.name in rows
        and each.status != "damaged"
        and (_has_cells(ledger, each) or lacks_winner(ledger, each))
    ]


def _has_cells(ledger: Ledger, study: StudyOverview) -> bool:
    if study.status == "finished":
        return False  # no cell waits or runs
    return study.status in ("stopped", "waiting") or ledger.counts(study.name)["WAITING"] > 0


def lacks_winner(ledger: Ledger, study: StudyOverview) -> bool:
    """Return whether a study came to its end while it was stopped, before its winner's refit.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    study : StudyOverview
        What is known of the study.
    """
    ended = study.status == "finished" and study.best is not None and not study.test_opened
    return ended and StoredSearch(ledger.header(study.name)).refit
