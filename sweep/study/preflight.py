"""The one list of what a study must pass before its first cell.

``sweep check``, ``sweep run`` and ``sweep submit`` (and :func:`sweep.study.join.join_study`, which
runs) call the same four steps in this order, so that all of them refuse a study with the same
message:

1. :func:`check_settings`: the extra of the search method and the sections of a person's own.
2. :func:`check_ledger`: an undamaged ledger, names of outer folds, and the same question.
3. :func:`check_code`: a person's own factory and scorers, and the code that results are of.
4. :func:`check_data`: models, sizes, splits and outer folds against the data; the studies that
   the search starts from; the same data.

After them :func:`sweep.study.factory_check.check_factory` builds one model of a person's own
factory. :func:`sweep.study.first_checks.check_before_first_cell` makes steps 3 and 4, builds that
model, and names all problems that it can find at once. A finished study, which a run only
shows, passes the first two; its data file is compared by
:func:`sweep.study.preparation.check_finished`.

Only a run can check what depends on where it runs: that its GPUs can be used
(:func:`sweep.runner.gpus.find_gpus`) and that its Dask cluster reaches the ledger
(:meth:`sweep.runner.dask_cluster.DaskCluster.check_ledger`). Each worker checks once more that it
has the data and the code that the study began with.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sweep.errors import StudyChangedError, StudyFileError, StudyNotFoundError
from sweep.evaluation.estimator import check_user_code, user_code_text
from sweep.evaluation.own_scorers import own_scorers
from sweep.evaluation.split_checks import check_outer_folds, checked_splits
from sweep.ledger.imported import check_own
from sweep.ledger.ledger import Ledger
from sweep.ledger.reading import study_spec
from sweep.ledger.studies import unknown_study
from sweep.search.constraints import check_sizes
from sweep.search.plan import check_models, check_row_shape
from sweep.search.samplers import check_extra
from sweep.search.study_data import data_record
from sweep.storage.database import check_whole
from sweep.storage.locations import sqlite_path
from sweep.study.all_at_once import all_at_once
from sweep.study.compatibility import check_same, check_same_data
from sweep.study.nested import check_outer_names
from sweep.study.own_sections import check_own_section, own_sections
from sweep.study.settling import check_repeat_names
from sweep.study.warm_start import sources

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sweep.datasets import Dataset
    from sweep.ledger.outcomes import DataRecord
    from sweep.ledger.records import StudyRecord
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
    sources : list of StudyRecord
        The studies that its search starts from; none where it has started.
    """

    data: DataRecord
    splits: Sequence[Split]
    sources: list[StudyRecord]


def check_settings(spec: StudySpec, allow: Collection[str]) -> None:
    """Check what needs neither the ledger nor the data.

    Raises
    ------
    StudyFileError
        If the extra of the search method is not installed, or for more than one problem.
    ReferenceError_
        If a section of the person's own may not or cannot be loaded.
    """
    sections = [partial(check_own_section, spec, name, allow) for name in own_sections(spec)]
    all_at_once(spec, [partial(check_extra, spec), *sections])


def open_to_write(url: str) -> Ledger:
    """Open a ledger whose file is not damaged; create it where there is none.

    Raises
    ------
    LedgerError
        If it is damaged or cannot be opened.
    """
    check_whole(url)
    return Ledger(url)


@contextmanager
def open_to_read(url: str) -> Iterator[Ledger | None]:
    """Open a ledger as :func:`open_to_write` does, but create nothing: None where there is none."""
    check_whole(url)
    path = sqlite_path(url)
    if path is not None and not path.exists():
        yield None
        return
    with closing(Ledger(url, reading=True)) as ledger:
        yield ledger


def check_ledger(ledger: Ledger | None, spec: StudySpec, name: str) -> None:
    """Check what the ledger holds under the name of a study and of its outer folds.

    Raises
    ------
    LedgerError
        If another study has the name of an outer fold.
    StudyChangedError
        If the ledger holds another question under that name.
    """
    if ledger is None:
        return
    check_outer_names(ledger, spec)
    check_repeat_names(ledger, spec)
    if ledger.has(name):
        header = ledger.header(name)
        check_own(name, header, "continued")
        check_same(study_spec(name, header), spec)


def check_code(
    ledger: Ledger | None, spec: StudySpec, allow: Collection[str], name: str, *,
    helping: bool = False,
) -> None:  # fmt: skip
    """Check the person's own factory and scorers, and that results are of the same code.

    Raises
    ------
    ReferenceError_
        If it may not or cannot be loaded.
    StudyFileError
        If one does not take what it is given.
    StudyChangedError
        As :func:`check_same_code`.
    """
    all_at_once(spec, [partial(check_user_code, spec, allow), partial(own_scorers, spec, allow)])
    if ledger is not None and ledger.has(name):
        check_same_code(ledger, name, user_code_text(spec, allow), helping=helping)


def check_same_code(ledger: Ledger, name: str, now: str, *, helping: bool) -> None:
    """Refuse to go on with other code than results are of; without results any code is taken.

    Raises
    ------
    StudyChangedError
        If the study has results of other code, or runs on other code where this machine helps.
    """
    before = ledger.header(name).get("code")
    if before is None or before == now:
        return
    if helping:
        raise StudyChangedError(
            f"study {name!r} runs on other code: {before}, here {now}; give this machine the "
            "same code, with what it imports beside it, and allow the same modules"
        )
    if ledger.counts(name)["COMPLETE"]:
        raise StudyChangedError(
            f"study {name!r} has results of other code: {before}, now {now}; bring the code "
            f"back to go on, or keep both: --name {name}-2"
        )


def check_data(
    ledger: Ledger | None, url: str, spec: StudySpec, plan: Plan, dataset: Dataset, name: str,
    allow: Collection[str] = (),
) -> Preflight:  # fmt: skip
    """Check data, splits and every model that is known beforehand.

    Parameters
    ----------
    ledger : Ledger or None
        The ledger; None where there is none yet.
    url : str
        Its address.
    spec : StudySpec
        The study.
    plan : Plan
        Its cells.
    dataset : Dataset
        Its data, or those of an outer fold.
    name : str
        Its name in the ledger.
    allow : collection of str
        Modules that the study may load code from.

    Raises
    ------
    StudyFileError, DataError
        For what no run could do.
    DataChangedError
        If the study began with other data.
    """
    data, n_classes = data_record(dataset), len(dataset.classes)
    splits: list[Split] = []
    started_from: list[StudyRecord] = []

    def models() -> None:
        check_row_shape(spec, data.shape)
        check_models(spec, plan, data.shape, n_classes)
        check_sizes(spec, plan.cells, data.shape, n_classes)

    def rows() -> None:
        splits.extend(checked_splits(spec, dataset, own_scorers(spec, allow)))
        check_outer_folds(spec, dataset)

    def warm_start() -> None:
        started_from.extend(_sources(ledger, url, spec, data, allow))

    all_at_once(spec, [models, rows, warm_start])
    if ledger is not None and ledger.has(name):
        check_same_data(name, ledger.header(name)["data"], data.fingerprint)
    return Preflight(data, splits, started_from)


def _sources(
    ledger: Ledger | None, url: str, spec: StudySpec, data: DataRecord, allow: Collection[str]
) -> list[StudyRecord]:
    """Return the studies that a search starts from; where there is no ledger none is known."""
    if ledger is not None:
        return sources(ledger, spec, data, allow)
    unknown: list[StudyNotFoundError] = [
        unknown_study(name, url, []) for name in spec.search.start_from
    ]
    if unknown:
        raise StudyFileError(spec.study.name, [f"search.start_from: {each}" for each in unknown])
    return []
