"""Open one study by its name, to ask about it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from sweep.errors import StudyNotFoundError
from sweep.support.suggestion import suggestion

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from sweep.ledger.ledger import Ledger
    from sweep.ledger.records import StudyRecord
    from sweep.study.result import StudyResult


def find_study(
    storage: str | None,
    name: str,
    *,
    allow: Collection[str] = (),
    read: Callable[[Ledger, str], StudyRecord] | None = None,
) -> StudyResult:
    """Open a study for reading; a mistyped name gets a suggestion.

    Parameters
    ----------
    storage : str or None
        The ledger; as for :func:`sweep.run_study`.
    name : str
        The study.
    allow : collection of str
        Modules that ``best_estimator_`` may load code from.
    read : callable, optional
        Reads the record, where not all of it is wanted.

    Raises
    ------
    StudyNotFoundError
        Naming a close match. The error without it is the cause.
    """
    from sweep.study.result import read_result

    try:
        return read_result(name, storage, allow=allow, read=read)
    except StudyNotFoundError as error:
        hint = suggestion(name, _names(storage))
        raise StudyNotFoundError(f"{error}.{hint}") from error


def _names(storage: str | None) -> list[str]:
    from sweep.ledger.ledger import Ledger
    from sweep.storage.locations import storage_url

    with closing(Ledger(storage_url(storage), reading=True)) as ledger:
        return ledger.names()
