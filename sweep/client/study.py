"""The result of a study that lives on a server: read from a copy, as one on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sweep.study.result import ReportPath, StudyResult

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from sweep.client.downloads import StudyCopy
    from sweep.ledger.records import StudyRecord


class ServerStudy(StudyResult):
    """A study of a server as it was when it was asked for; ``Server.study`` reads it anew.

    Everything is that of a local result: :attr:`frame`, :attr:`folds`, :attr:`best_params_`,
    :meth:`pivot`, :meth:`report`. Pictures and weights are downloaded when they are needed.

    Attributes
    ----------
    server : str
        Address of the server.
    """

    def __init__(
        self, record: StudyRecord, copy: StudyCopy, server: str, allow: Collection[str] = ()
    ) -> None:
        super().__init__(record, copy.url, allow)
        self.server = server
        self._copy = copy

    def report(
        self, path: str | os.PathLike[str] | None = None, pivots: Sequence[str] | None = None
    ) -> ReportPath:
        """Write the report here; see :meth:`sweep.study.result.StudyResult.report`."""
        self._copy.fetch_files(self.record.uid)
        return super().report(path, pivots)

    def export(self, folder: str | os.PathLike[str], *, pickle: bool = False) -> Path:
        """Write the winner as a Keras model, on this machine."""
        self._copy.fetch_files(self.record.uid)
        return super().export(folder, pickle=pickle)

    def _load_winner(self) -> Any:
        if self.record.winner is not None:
            self._copy.fetch_files(self.record.uid)
        return super()._load_winner()

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} at {self.server}>"
