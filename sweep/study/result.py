"""A study's result in Python: tables, the best candidate, its estimator, the report."""

from __future__ import annotations

import html
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep import analysis
from sweep.errors import ResultError
from sweep.ledger.ledger import Ledger
from sweep.ledger.pictures import read_pictures
from sweep.ledger.reading import read_study
from sweep.spec.scorers import column_of
from sweep.storage.locations import storage_url
from sweep.support.module_permission import names_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Sequence

    import pandas as pd

    from sweep import tables
    from sweep.ledger.records import Candidate, StudyRecord


# Before Python 3.12 only the class that this system's paths really have can be inherited from.
if TYPE_CHECKING:
    _Path = Path
else:
    _Path = type(Path())


class ReportPath(_Path):
    """The file of a report; a notebook shows the page."""

    def _repr_html_(self) -> str:
        page = html.escape(self.read_text(encoding="utf-8"))
        frame = "width: 100%; height: 40rem; border: 1px solid #80808080"
        return f'<iframe title="Report" srcdoc="{page}" style="{frame}"></iframe>'


class StudyResult:
    """What a study found.

    Attributes
    ----------
    record : StudyRecord
        Everything the ledger holds of it.
    url : str
        The ledger's address.
    allow : collection of str
        Modules that the user allows: the winner of a model of their own is built with its code.
    trust : bool
        Whether ``best_estimator_`` may load a pickle of this ledger's: what skops could not keep
        of an estimator of the user's own.
    """

    def __init__(
        self, record: StudyRecord, url: str, allow: Collection[str] = (), *, trust: bool = False
    ) -> None:
        self.record = record
        self.url = url
        self.trust = trust
        self.allow = frozenset(names_of(allow))

    @property
    def name(self) -> str:
        """The study's name in the ledger."""
        return self.record.name

    @property
    def frame(self) -> pd.DataFrame:
        """One row a candidate, scikit-learn's own column names.

        See :func:`sweep.tables.candidates_frame` for the columns.
        """
        from sweep import tables

        return tables.candidates_frame(self.record)

    @property
    def folds(self) -> pd.DataFrame:
        """One row for each candidate, split and epoch.

        See :func:`sweep.tables.folds_frame` for the columns.
        """
        from sweep import tables

        return tables.folds_frame(self.record)

    @property
    def importances(self) -> pd.DataFrame:
        """One row a parameter: how much it mattered, as computed when the study ended.

        See :func:`sweep.tables.importances_frame` for the columns.
        """
        from sweep import tables

        return tables.importances_frame(self.record)

    def pivot(
        self,
        index: str | Sequence[str],
        columns: str | Sequence[str] | None = None,
        values: str | Sequence[str] = "mean_test_score",
        *,
        exact: bool = False,
    ) -> tables.Pivot:
        """Cross-tabulate the complete candidates; every cell carries its n.

        Of candidates with the same parameters, which a sampler may suggest, one counts.

        Parameters
        ----------
        index, columns : str or sequence of str
            Parameters, with or without ``param_``.
        values : str or sequence of str
            Columns of :attr:`frame` to average.
        exact : bool, default False
            Whether ranges stand value by value. Otherwise those of which more than four values
            were tried stand in quartiles, as in the report.

        Raises
        ------
        ResultError
            For a name that the frame does not have, or more cells than a table can hold.
        """
        from sweep import tables

        ranged = frozenset() if exact else tables.ranges(self.record)
        measured = tables.distinct(self.frame)
        return tables.pivot(measured, index, columns, values, ranged=ranged)

    @property
    def best(self) -> Candidate:
        """The chosen candidate: what ``search.choose`` says, by default the highest mean score.

        Raises
        ------
        ResultError
            If nothing is complete yet.
        """
        chosen = analysis.chosen(self.record)
        if chosen is None:
            raise ResultError(f"study {self.name!r}: no candidate is complete yet")
        return chosen

    @property
    def best_params_(self) -> dict[str, Any]:
        """The chosen parameters, ready for ``set_params``."""
        return dict(self.best.params)

    @property
    def best_score_(self) -> float:
        """The chosen candidate's mean score over the splits."""
        return float(analysis.mean_score(self.best) or 0.0)

    @property
    def test_score_(self) -> float | None:
        """The test set's score of :attr:`best`, refitted.

        None while the test set is closed, and where another one was refitted: the study has grown
        since. ``record.winner`` holds what was.
        """
        chosen = analysis.chosen(self.record)
        return None if chosen is None else analysis.test_score(self.record, chosen)

    @property
    def test_scores_(self) -> dict[str, float | None]:
        """The test set's scores of :attr:`best` by each scorer; empty where there are none."""
        first = self.test_score_
        if first is None or self.record.winner is None:
            return {}
        return {column_of(analysis.scoring(self.record)): first, **self.record.winner.other_scores}

    @property
    def best_estimator_(self) -> Any:
        """The winner, refitted on all training rows.

        Warns
        -----
        UserWarning
            If it is no longer :attr:`best`: the study has grown since.

        Raises
        ------
        ResultError
            If the study says ``refit = false``, or has not ended; if its model's code has changed
            since, and makes another model now.
        ReferenceError_
            If its model is code that nobody allowed.
        LedgerError
            If its weights are missing.
        """
        found = self._load_winner()
        chosen, winner = analysis.chosen(self.record), self.record.winner
        if winner and chosen and not analysis.is_current(self.record, chosen):
            warnings.warn(
                f"study {self.name!r} has grown since: best_estimator_ was refitted with "
                f"{dict(winner.params)}, best_params_ now are {dict(chosen.params)}; `sweep run` "
                "its study file again",
                stacklevel=2,
            )
        return found

    def _load_winner(self) -> Any:
        if self.record.winner is None:
            raise ResultError(f"study {self.name!r} has no refitted winner: {self.why_no_winner()}")
        from sweep.evaluation.winner_file import load_winner

        return load_winner(self.record, self.url, self.allow, trust=self.trust)

    def why_no_winner(self) -> str:
        """Return why the study has no refitted winner, for messages."""
        if self.record.imported is not None:
            return f"it was imported ({self.record.imported.origin}), its models were not"
        if not self.record.settings.search.refit:
            return "it says refit = false"
        if self.record.status != "finished":
            return "it has not ended; `sweep run` its study file again"
        if not self.record.tally.rows.get("COMPLETE"):
            return "no candidate is complete"
        return "it was stopped before the refit; `sweep run` its study file again"

    def export(self, folder: str | os.PathLike[str], *, pickle: bool = False) -> Path:
        """Write the winner as a Keras model; see :func:`sweep.export.writing.export_best`."""
        from sweep.export.writing import export_best

        return export_best(self, folder, pickle=pickle)

    def report(
        self, path: str | os.PathLike[str] | None = None, pivots: Sequence[str] | None = None
    ) -> ReportPath:
        """Write the report; in a notebook it opens below.

        Parameters
        ----------
        path : path, optional
            The file; by default ``reports/<study>.html`` (in sweep's own checkout
            ``reports/local/``).
        pivots : sequence of str, optional
            Pairs of parameters to show as heat maps: ``["epochs,hidden_size"]``.

        Returns
        -------
        ReportPath
            A :class:`~pathlib.Path` that a notebook shows as the page itself.
        """
        from sweep.report import write_report
        from sweep.study.report_paths import report_path

        target = Path(path) if path is not None else report_path(self.name)
        shown = read_pictures(self.url, self.name, self.record.uid)
        return ReportPath(write_report(self.record, target, pivots, shown))

    def __repr__(self) -> str:
        done = f"{self.record.done} of {self.record.planned} cells"
        return f"<StudyResult {self.name!r}: {self.record.status}, {done}>"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the best candidates, learning curves, pivots."""
        from sweep.report.notebook import result_html

        return result_html(self.record)


def open_study(
    name: str, storage: str | None = None, *, allow: Collection[str] = (), trust: bool = False
) -> StudyResult:
    """Open a study that is already in the ledger.

    Parameters
    ----------
    name : str
        Its name.
    storage : str, optional
        The ledger; as for :func:`sweep.run_study`.
    allow : collection of str
        Modules that ``best_estimator_`` may load code from.
    trust : bool, default=False
        Whether ``best_estimator_`` may load a pickle: what skops could not keep of an estimator of
        your own. A pickle runs code when it is loaded.

    Raises
    ------
    LedgerError
        If there is no ledger or no such study.
    """
    result = read_result(name, storage, allow=allow)
    result.trust = trust
    return result


def read_result(
    name: str,
    storage: str | None = None,
    *,
    allow: Collection[str] = (),
    read: Callable[[Ledger, str], StudyRecord] | None = None,
) -> StudyResult:
    """Open a study as :func:`open_study` does; ``read`` may read a part of its record."""
    url = storage_url(storage)
    with closing(Ledger(url, reading=True)) as ledger:
        return StudyResult((read or read_study)(ledger, name), url, allow)
