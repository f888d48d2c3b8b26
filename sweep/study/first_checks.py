"""What a study must pass before its first cell, once its settings and its ledger are in order."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sweep.errors import ReferenceError_, StudyFileError
from sweep.study.all_at_once import raise_all
from sweep.study.factory_check import check_factory
from sweep.study.preflight import check_code, check_data

if TYPE_CHECKING:
    from collections.abc import Callable

    from sweep.datasets import Dataset
    from sweep.ledger.ledger import Ledger
    from sweep.runner.forkserver import ForkServer
    from sweep.search.plan import Plan
    from sweep.spec import StudySpec
    from sweep.study.all_at_once import Refusal
    from sweep.study.preflight import Preflight
    from sweep.workers.job import Job


def check_before_first_cell(
    ledger: Ledger | None, spec: StudySpec, plan: Plan, job: Job, data: Callable[[], Dataset], *,
    helping: bool = False, forkserver: ForkServer | None = None, here: bool = False,
) -> tuple[Dataset, Preflight]:  # fmt: skip
    """Check a study's code, data and models, and build one model of a factory of the person's own.

    Parameters
    ----------
    ledger : Ledger or None
        The ledger; None where there is none yet.
    spec : StudySpec
        The study.
    plan : Plan
        Its cells.
    job : Job
        Its name in the ledger, and the modules that it may load.
    data : callable
        Returns its data.
    helping : bool, default=False
        As for :func:`sweep.run_study`.
    forkserver, here
        As for :func:`sweep.study.factory_check.check_factory`.

    Returns
    -------
    dataset : Dataset
        Its data.
    passed : Preflight
        What is known of it.

    Raises
    ------
    StudyFileError
        With every problem of code, data and models.
    ReferenceError_
        If code that may not or cannot be loaded is the only one.
    """
    found: list[Refusal] = []
    loaded: list[Dataset] = []
    passed: list[Preflight] = []

    def load() -> None:
        loaded.append(data())

    def rows_and_models() -> None:
        if loaded:
            given = (ledger, job.storage, spec, plan, loaded[0], job.study, job.allow)
            passed.append(check_data(*given))

    def factory() -> None:
        if loaded and not any(isinstance(each, ReferenceError_) for each in found):
            check_factory(ledger, spec, plan, loaded[0], job, forkserver=forkserver, here=here)

    code = partial(check_code, ledger, spec, job.allow, job.study, helping=helping)
    for check in (code, load, rows_and_models, factory):
        try:
            check()
        except (StudyFileError, ReferenceError_) as error:
            found.append(error)
    raise_all(spec, found)
    return loaded[0], passed[0]
