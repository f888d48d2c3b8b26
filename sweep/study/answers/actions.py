"""What changes a ledger: stop a study, submit one, bring an older ledger up to date."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweep.errors import LedgerError
from sweep.storage.locations import shown_url, sqlite_path, storage_url

if TYPE_CHECKING:
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class Stop:
    """What came of the request to stop a study.

    Attributes
    ----------
    study : str
        The study.
    requested : bool
        Whether its workers are asked to leave; False where no cell waits or runs.
    running : int
        Cells that workers will finish, those of outer folds too.
    refit : str or None
        Who refits the winner, in words, where nothing else is to be stopped.
    """

    study: str
    requested: bool
    running: int
    refit: str | None = None


@dataclass(frozen=True)
class Submission:
    """A study that was put into the ledger.

    Attributes
    ----------
    study : str
        The study.
    enqueued : int
        Cells that were enqueued now.
    waiting : int
        Cells that wait for a worker, those of before too.
    """

    study: str
    enqueued: int
    waiting: int


@dataclass(frozen=True)
class Migration:
    """What came of bringing a ledger up to date.

    Attributes
    ----------
    place : str
        The ledger's file, or its address without the password.
    changed : bool
        Whether it was of an older version.
    backup : str or None
        The file that holds it as it was; None for a database server.
    """

    place: str
    changed: bool
    backup: str | None = None


def stop(storage: str | None, name: str) -> Stop:
    """Have every worker of a study finish its cell and leave, wherever it runs.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    name : str
        The study; its outer folds stop with it.

    Raises
    ------
    StudyNotFoundError
        If there is no such study.
    """
    from sweep.ledger.imported import check_own
    from sweep.ledger.ledger import Ledger
    from sweep.storage.locks import taken_by

    with closing(Ledger(storage_url(storage), create=False)) as ledger:
        check_own(name, ledger.header(name), "stopped")
        parts = (name, *ledger.parts(name))
        counts = sum((ledger.counts(each) for each in parts), Counter[str]())
        if not counts["RUNNING"] and not counts["WAITING"]:
            return Stop(name, requested=False, running=0, refit=taken_by(ledger, name, "finish"))
        ledger.stop(name, datetime.now().astimezone().isoformat(timespec="milliseconds"))
        return Stop(name, requested=True, running=counts["RUNNING"])


def submit(storage: str | None, spec: StudySpec, **options: Any) -> Submission:
    """Check a study, put it into the ledger, and leave its cells to workers.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    spec : StudySpec
        The study.
    **options
        As for :func:`sweep.study.submit.submit_study`.
    """
    from sweep.ledger.ledger import Ledger
    from sweep.study.submit import submit_study

    cells, name = submit_study(spec, storage=storage, **options), spec.study.name
    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        return Submission(name, cells, ledger.counts(name)["WAITING"])


def migrate(storage: str | None, *, backed_up: bool) -> Migration:
    """Bring a ledger that an older version of Optuna made up to date.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`. Of a file a backup is kept beside it.
    backed_up : bool
        Whether somebody has made a backup of a database server's ledger.

    Raises
    ------
    LedgerError
        If there is no ledger, or a server's is older and was not backed up.
    """
    url = storage_url(storage)
    path = sqlite_path(url)
    if path is None:
        return _migrate_server(url, backed_up=backed_up)
    from sweep.ledger.ledger import Ledger
    from sweep.storage.migrations import is_older, upgrade

    if is_older(path) and (backup := upgrade(path)):
        return Migration(str(path), changed=True, backup=str(backup))
    Ledger(url, reading=True).close()  # or says that it is none
    return Migration(str(path), changed=False)


def _migrate_server(url: str, *, backed_up: bool) -> Migration:
    from sweep.storage.migrations import is_older_server, upgrade_tables

    place = shown_url(url)
    if not is_older_server(url):
        return Migration(place, changed=False)
    if not backed_up:
        raise LedgerError(
            f"{place}: make a backup (pg_dump), stop all workers, then: sweep migrate --yes"
        )
    upgrade_tables(url)
    return Migration(place, changed=True)
