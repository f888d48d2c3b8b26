"""Delete a study, and the files that belong to it."""

from __future__ import annotations

import shutil
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from sweep.errors import LedgerError
from sweep.ledger.ledger import Ledger
from sweep.ledger.study_folders import owner, owner_of, study_folder
from sweep.storage.attributes import WORKER
from sweep.storage.locations import storage_url
from sweep.storage.locks import taken_by
from sweep.workers.recovery import fail_orphaned_trials

if TYPE_CHECKING:
    from pathlib import Path

STOP_FIRST = "stop that run first, by `sweep stop` or by Ctrl-C there"


def delete_study(name: str, storage: str | None = None) -> list[str]:
    """Delete a study, its outer folds, trials and weights; its reports stay.

    Parameters
    ----------
    name : str
        Its name.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.

    Returns
    -------
    list of str
        Messages about files that are left, because their owner is not certain.

    Raises
    ------
    StudyNotFoundError
        If there is no such study.
    LedgerError
        If a worker runs it, or a file cannot be removed.
    """
    url = storage_url(storage)
    with closing(Ledger(url, create=False)) as ledger:
        return _delete(ledger, name)


def _delete(ledger: Ledger, name: str) -> list[str]:
    ledger.header(name)
    names = [*ledger.parts(name), name]
    for each in names:
        _check_idle(ledger, each)
    folders = [_own_folder(ledger, each) for each in names]
    if not ledger.delete(*names):
        raise LedgerError(
            f"study {name!r} is being run (a worker has begun a cell just now); {STOP_FIRST}"
        )
    return [line for folder, ours in folders if (line := _remove_folder(folder, ours=ours))]


def _check_idle(ledger: Ledger, name: str) -> None:
    """Refuse while a worker on any machine evaluates a cell of a study or refits its winner."""
    fail_orphaned_trials(ledger, name)  # a dead or silent worker does not prevent the deletion
    for trial in ledger.trials(name, "RUNNING", results=False):
        host, number, *_ = [*str(trial.user_attrs.get(WORKER, "?")).split(":"), "?"]
        raise LedgerError(f"study {name!r} is being run (process {number} on {host}); {STOP_FIRST}")
    if who := taken_by(ledger, name, "finish"):
        raise LedgerError(f"{who}; wait for it, or end it there by Ctrl-C")


def _own_folder(ledger: Ledger, name: str) -> tuple[Path | str, bool]:
    """Return the folder of a study, or its uid if none can have that name; and if it is its own."""
    ours = owner(ledger, name)
    try:
        folder = study_folder(ledger, name)
    except LedgerError:
        return ours.uid, False
    return folder, owner_of(folder) == ours


def _remove_folder(folder: Path | str, *, ours: bool) -> str | None:
    """Remove the folder that a study has created; return a message if something is left."""
    if isinstance(folder, str):
        return f"no file was removed: the uid in the ledger, {ascii(folder)[:80]}, names no folder"
    if not ours:
        return _left_message(folder) if folder.exists() else None
    _remove_tree(folder)
    with suppress(OSError):  # not empty: another study of that name has its files there
        folder.parent.rmdir()
    return None


def _left_message(folder: Path) -> str:
    return (
        f"left: {folder}, for it does not say that this ledger has written it (an older version "
        "of sweep did not say so, and a copy of a ledger does not own the files); remove it by "
        "hand if no other ledger needs it"
    )


def _remove_tree(folder: Path) -> None:
    try:
        while folder.exists():
            with suppress(FileNotFoundError):  # another process removes files at the same time
                shutil.rmtree(folder)
    except OSError as error:
        raise LedgerError(
            f"the study is deleted, but not its files in {folder}: {error.strerror}"
        ) from error
