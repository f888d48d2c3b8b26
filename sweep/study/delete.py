"""Delete a study, and the files that belong to it."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.keys import WORKER
from sweep.ledger.ledger import Ledger
from sweep.ledger.storage import artifacts_folder, storage_url
from sweep.workers.upkeep import reap

if TYPE_CHECKING:
    from pathlib import Path


def delete_study(name: str, storage: str | None = None) -> None:
    """Delete a study, its outer folds, trials and weights; its reports stay.

    Parameters
    ----------
    name : str
        Its name.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.

    Raises
    ------
    StudyNotFoundError
        If there is no such study.
    LedgerError
        If a worker is at it, or a file cannot be removed.
    """
    url = storage_url(storage)
    with closing(Ledger(url, create=False)) as ledger:
        _delete(ledger, name)


def _delete(ledger: Ledger, name: str) -> None:
    ledger.header(name)
    names = [*ledger.parts(name), name]
    for each in names:
        reap(ledger, each)  # the dead, and those silent for too long, hold nothing back
        for trial in ledger.trials(each, "RUNNING", results=False):
            host, number, *_ = [*str(trial.user_attrs.get(WORKER, "?")).split(":"), "?"]
            raise LedgerError(
                f"study {name!r} is being run (process {number} on {host}); stop that run first"
            )
    for each in names:
        folder = artifacts_folder(ledger.url, each, str(ledger.header(each).get("uid", "")))
        ledger.delete(each)
        _remove(folder)
        with suppress(OSError):  # another study of that name has its files there
            folder.parent.rmdir()


def _remove(folder: Path) -> None:
    try:
        while folder.exists():
            with suppress(FileNotFoundError):  # what others remove at the same time
                shutil.rmtree(folder)
    except OSError as error:
        raise LedgerError(
            f"the study is deleted, but not its files in {folder}: {error.strerror}"
        ) from error
