"""Put a study into the ledger and leave the work to workers elsewhere."""

from __future__ import annotations

import os
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

from sweep.evaluation.own_estimator import with_facts
from sweep.runner.progress import Watcher
from sweep.search.plan import make_plan
from sweep.search.study_data import load_data
from sweep.spec import StudySpec, load_study
from sweep.spec.study_file import told_at_lines
from sweep.storage.locations import storage_url
from sweep.study.first_checks import check_before_first_cell
from sweep.study.preflight import check_ledger, check_settings, open_to_write
from sweep.study.preparation import prepare_study
from sweep.support.module_permission import names_of
from sweep.workers.job import Job
from sweep.workers.recovery import enqueue_missing, fail_orphaned_trials

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


def submit_study(
    study: StudySpec | str | Path | Mapping[str, Any],
    *,
    storage: str | None = None,
    data_home: str | os.PathLike[str] | None = None,
    allow: Collection[str] = (),
    retry_failed: bool = False,
    watcher: Watcher | None = None,
    owner: str = "",
) -> int:
    """Check a study, make it in the ledger or let it grow, and enqueue its cells.

    ``sweep worker`` takes them, on this machine or others; the winner is refitted by the worker
    that ends the last cell.

    Parameters
    ----------
    study, storage, data_home, allow, retry_failed, watcher
        As for :func:`sweep.run_study`.
    owner : str, optional
        Whose a new study is; by default ``user@host``.

    Returns
    -------
    int
        Cells that were enqueued.

    Raises
    ------
    SweepError
        As :func:`sweep.run_study`.
    """
    spec = study if isinstance(study, StudySpec) else load_study(study)
    url, name = storage_url(storage), spec.study.name
    home = None if data_home is None else os.fspath(data_home)
    job = Job(url, name, home, names_of(allow))
    with told_at_lines(spec):
        check_settings(spec, job.allow)
        spec = with_facts(spec, job.allow)
        plan = make_plan(spec)
        with closing(open_to_write(url)) as ledger:
            stop_request = ledger.stopped(name) if ledger.has(name) else None
            check_ledger(ledger, spec, name)
            data_of = partial(load_data, spec, job.data_home, job.allow, job.storage)
            dataset, passed = check_before_first_cell(ledger, spec, plan, job, data_of)
            ordered = prepare_study(
                ledger, spec, plan, job, watcher or Watcher(), dataset, None, owned_by=owner,
                passed=passed,
            )  # fmt: skip
            ledger.resume(name, stop_request)
            fail_orphaned_trials(ledger, name)
            return enqueue_missing(ledger, name, ordered, retry_failed=retry_failed)
