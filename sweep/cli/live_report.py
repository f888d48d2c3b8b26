"""A report that follows a running study: written again at intervals, so that one can look."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from sweep.errors import SweepError
from sweep.support.file_writing import is_replaced

if TYPE_CHECKING:
    from pathlib import Path

EVERY_SECONDS = 60.0
"""Between two reports; a report that takes long is written more seldom."""

JOIN_SECONDS = 10.0
SHARE = 20
"""A report may take one part in so many of the time."""


class LiveReport:
    """Writes the report of a study again and again, beside the run, while it is entered.

    What goes wrong here is told by the report at the end, or not at all.

    Parameters
    ----------
    name : str
        The study.
    storage : str or None
        The ledger.
    path : Path or None
        Where the report goes; None for its usual place, where the index is kept too.
    every : float
        Seconds between two reports.
    """

    def __init__(
        self, name: str, storage: str | None, path: Path | None, every: float = EVERY_SECONDS
    ) -> None:
        self._name, self._storage, self._path, self._every = name, storage, path, every
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(JOIN_SECONDS)

    def _keep(self) -> None:
        if self._path is not None and not is_replaced(self._path):
            return  # a pipe or a device gets one report, at the end
        pause = self._every
        while not self._over.wait(pause):
            began = time.monotonic()
            with suppress(SweepError, OSError):
                self._write()
            pause = max(self._every, SHARE * (time.monotonic() - began))

    def _write(self) -> None:
        from sweep.study import open_study
        from sweep.study.index import write_index

        result = open_study(self._name, self._storage)
        result.report(self._path)
        if self._path is None:
            write_index(result.url)
