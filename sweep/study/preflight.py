"""Whether a study may begin, before anything trains: one set of questions for check and run."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sweep.errors import StudyFileError
from sweep.evaluation.split_checks import check_outer_folds, checked_splits
from sweep.ledger.ledger import Ledger
from sweep.search.constraints import check_sizes
from sweep.search.plan import check_models
from sweep.search.study_data import data_record
from sweep.storage.locations import sqlite_path, storage_url
from sweep.study.nested import check_outer_names
from sweep.study.warm_start import sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sweep.datasets import Dataset
    from sweep.ledger.outcomes import DataRecord
    from sweep.search.plan import Plan
    from sweep.search.splits import Split
    from sweep.spec import StudySpec


@dataclass(frozen=True)
class Preflight:
    """What is known of a study that may begin.

    Attributes
    ----------
    data : DataRecord
        Its data.
    splits : sequence of (train, test)
        Of each cell.
    """

    data: DataRecord
    splits: Sequence[Split]


def preflight(spec: StudySpec, plan: Plan, dataset: Dataset) -> Preflight:
    """Check data, splits and every model that is known beforehand.

    Raises
    ------
    StudyFileError, DataError
        For what no run could do.
    """
    data = data_record(dataset)
    check_models(spec, plan, data.shape, len(data.classes))
    check_sizes(spec, plan.cells, data.shape, len(data.classes))
    splits = checked_splits(spec, dataset)
    check_outer_folds(spec, dataset)
    return Preflight(data, splits)


def check_others(spec: StudySpec, data: DataRecord, storage: str | None) -> None:
    """Refuse what a run would refuse for other studies of the ledger, which is only read.

    Raises
    ------
    StudyFileError
        As :func:`sweep.study.warm_start.sources`.
    LedgerError
        As :func:`sweep.study.nested.check_outer_names`.
    """
    if not spec.search.start_from and not spec.search.nested:
        return
    url = storage_url(storage)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        if not spec.search.start_from:
            return
        names = ", ".join(map(repr, spec.search.start_from))
        problem = f"search.start_from: no study named {names}: there is no ledger at {path} yet"
        raise StudyFileError(spec.study.name, [problem])
    with closing(Ledger(url, reading=True)) as ledger:
        check_outer_names(ledger, spec)
        sources(ledger, spec, data)
