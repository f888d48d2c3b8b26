"""Optuna's journal: a file with a line of JSON for each step of its studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalStorage

from sweep.importing.problems import refused
from sweep.support.file_names import expanded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MOST_MEGABYTES = 200


class _ReadOnly(BaseJournalBackend):
    """Reads a journal and writes nothing, no lock either.

    Parameters
    ----------
    path : Path
        A file that is there.
    """

    def __init__(self, path: Path) -> None:
        self._file = JournalFileBackend(str(path))

    def read_logs(self, log_number_from: int) -> Iterable[dict[str, Any]]:
        """Return the steps from a number on, as Optuna reads them."""
        return self._file.read_logs(log_number_from)

    def append_logs(self, logs: list[dict[str, Any]]) -> NoReturn:
        """Refuse: an import changes nothing."""
        raise PermissionError(f"a journal is only read; {len(logs)} steps were to be written")


def journal_path(url: str | None) -> Path | None:
    """Return the journal that an address names: a file whose first character is that of JSON."""
    if url is None or "://" in url or not (path := expanded(url)).is_file():
        return None
    with path.open("rb") as file:
        return path if file.read(1) == b"{" else None


def open_journal(path: Path) -> JournalStorage:
    """Return the storage of a journal; nothing is written.

    Raises
    ------
    ImportFileError
        If it is too large, or no journal of Optuna's.
    """
    megabytes = path.stat().st_size / 10**6
    if megabytes > MOST_MEGABYTES:
        raise refused(str(path), f"must have at most {MOST_MEGABYTES} MB, it has {megabytes:,.0f}")
    try:
        return JournalStorage(_ReadOnly(path))
    except Exception as error:  # whatever stands in a stranger's file
        why = f"{type(error).__name__}: {error}"[:200]
        raise refused(str(path), f"is no journal of Optuna's ({why})") from error
